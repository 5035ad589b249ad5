"""What a test is given: where a backend or service is, and the ways to hurt it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from importlib import import_module
from importlib.util import find_spec
from types import TracebackType
from typing import Any, ClassVar
from urllib.parse import quote

from devenv.engine import Engine, EngineError
from devenv.errors import DevenvError

HOST = "127.0.0.1"
PAUSE_ATTEMPTS = 5


@dataclass(frozen=True)
class Control:
    """What handles do to their containers, and what they must tell the session first."""

    engine: Engine
    network: str
    # Called before each harm: under xdist it waits until no other worker's test uses the set.
    before_harm: Callable[[], None]
    wait_usable: Callable[[str, Mapping[int, int]], None]


@dataclass(frozen=True)
class Undo:
    """A harm that has been done; as a context manager, it is undone at the end of the block."""

    undo: Callable[[], None]

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None,
                 traceback: TracebackType | None) -> None:
        self.undo()


@dataclass(frozen=True)
class Handle:
    """One container of the set; valid for the whole run, also when the container is made anew."""

    name: str
    container: str  # its name at the engine
    ports: Mapping[int, int]  # container port -> port on 127.0.0.1
    environment: Mapping[str, str] = field(repr=False)  # holds passwords
    definition: Mapping[str, Any] = field(repr=False)
    aliases: tuple[str, ...]  # its names on the network
    control: Control = field(repr=False, compare=False)

    host: ClassVar[str] = HOST

    @property
    def port(self) -> int:
        """The port on 127.0.0.1; raises DevenvError where there is none, or a choice (then see `ports`)."""
        if len(self.ports) != 1:
            listed = ", ".join(map(str, self.ports)) or "none"
            raise DevenvError(f"`{self.name}` has no single port; inside the container it has: {listed}",
                              f'name one: `devenv_backend("{self.name}").ports[...]`')
        return next(iter(self.ports.values()))

    def logs(self, lines: int = 1000) -> str:
        """The end of what it has written."""
        return "\n".join(self.control.engine.logs(self.container, lines))

    def execute(self, *argv: str, timeout_s: float = 30) -> str:
        """Run a command inside the container and return its output; raises DevenvError unless it ends well."""
        code, output = self.control.engine.execute(self.container, argv, timeout_s)
        if code:
            raise DevenvError(f"`{' '.join(argv)}` in `{self.name}` ended with exit code {code}: {output}")
        return output

    def stop(self, timeout_s: float = 10) -> Undo:
        """Stop it in good order."""
        return self._harm(f"stop?t={timeout_s:.0f}", self.start, timeout_s + 30)

    def kill(self, signal: str = "SIGKILL") -> Undo:
        """Kill it, as a crash would."""
        return self._harm(f"kill?signal={signal}", self.start)

    def start(self) -> None:
        """Start it again after `stop` or `kill`, with its data, and wait until it is usable."""
        self.control.engine.post(f"/containers/{self.container}/start", timeout_s=60)
        self.control.wait_usable(self.container, self.ports)

    def restart(self, timeout_s: float = 10) -> None:
        """Stop it, start it, and wait until it is usable."""
        self.stop(timeout_s)
        self.start()

    def pause(self) -> Undo:
        """Freeze it: connections stay open, and nobody answers."""
        # Where many processes start, the kernel's freezer (cgroup v1) may not catch them all, and runc gives up.
        for _ in range(PAUSE_ATTEMPTS - 1):
            with suppress(EngineError):
                return self._harm("pause", self.unpause)
        return self._harm("pause", self.unpause)

    def unpause(self) -> None:
        """Let it go on."""
        self.control.engine.post(f"/containers/{self.container}/unpause")

    def disconnect(self) -> Undo:
        """Take it off the network, and so off its ports on this machine too."""
        self.control.before_harm()
        self.control.engine.post(f"/networks/{self.control.network}/disconnect", {"Container": self.container})
        return Undo(self.connect)

    def connect(self) -> None:
        """Put it back on the network, under the names it had."""
        self.control.engine.post(
            f"/networks/{self.control.network}/connect",
            {"Container": self.container, "EndpointConfig": {"Aliases": list(self.aliases)}},
        )

    def close(self) -> None:
        """Let go of what the plugin itself keeps open towards it."""

    def _harm(self, action: str, undo: Callable[[], None], timeout_s: float = 30) -> Undo:
        self.control.before_harm()
        self.control.engine.post(f"/containers/{self.container}/{action}", timeout_s=timeout_s)
        return Undo(undo)


@dataclass(frozen=True)
class Service(Handle):
    """A service of this repository, running as built."""

    @property
    def url(self) -> str:
        """Where it listens: `http://127.0.0.1:PORT`."""
        return f"http://{HOST}:{self.port}"


@dataclass(frozen=True)
class Backend(Handle):
    """A third-party backend; those of a known kind have a class of their own with a client."""

    kind: ClassVar[str] = ""
    library: ClassVar[str] = ""  # the field's usual client, imported when needed
    package: ClassVar[str] = ""  # what to install for it
    default_port: ClassVar[int] = 0

    @classmethod
    def port_inside(cls, definition: Mapping[str, Any]) -> int:
        """The port its clients connect to, inside the container."""
        return int((definition.get("x-devenv") or {}).get("port") or cls.default_port)

    @staticmethod
    def isolation(name: str) -> dict[str, str]:
        """The variables that keep one test's data apart under `name`; services honour them."""
        return {}

    @property
    def port(self) -> int:
        """The port on 127.0.0.1 that its clients connect to."""
        if self.default_port:
            return self.ports[self.port_inside(self.definition)]
        return super().port

    @property
    def address(self) -> str:
        """`127.0.0.1:PORT`."""
        return f"{HOST}:{self.port}"

    def mark(self) -> dict[str, Any]:
        """Leave a mark that damage would destroy, and note what there is; the result is what `damage` compares with."""
        return {}

    def damage(self, baseline: Mapping[str, Any]) -> str:
        """Why it is no longer as it was, or an empty text; by a write and a read, not by a state."""
        return ""

    def clean(self, name: str) -> None:
        """Delete what one test has left under its name."""

    @cached_property
    def has_client(self) -> bool:
        """Whether this Python has the client library."""
        return bool(self.library) and find_spec(self.library) is not None

    def module(self, name: str = "") -> Any:
        """The client library, or a part of it; raises DevenvError with what to install."""
        try:
            return import_module(f"{self.library}.{name}" if name else self.library)
        except ModuleNotFoundError as missing:
            if (missing.name or "").partition(".")[0] != self.library:
                raise
            raise DevenvError(f"a client for `{self.name}` needs `{self.package}`, which this Python does not have",
                              f"pip install {self.package}") from None

    def said(self, *names: str) -> str:
        """The first of these variables that its environment sets."""
        return next((self.environment[name] for name in names if self.environment.get(name)), "")

    @cached_property
    def _extension(self) -> Mapping[str, Any]:
        return self.definition.get("x-devenv") or {}

    @property
    def username(self) -> str:
        """Who clients log in as; `x-devenv: {username: ...}` says it where it cannot be known."""
        return str(self._extension.get("username") or self._inferred()[0])

    @property
    def password(self) -> str:
        """With which password; `x-devenv: {password: ...}` says it where it cannot be known."""
        return str(self._extension.get("password") or self._inferred()[1])

    def _inferred(self) -> tuple[str, str]:
        return "", ""

    def _login(self) -> str:
        """`user:password@` for a URL."""
        if not self.password:
            return ""
        return f"{quote(self.username, safe='')}:{quote(self.password, safe='')}@"
