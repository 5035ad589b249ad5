"""The Docker engine's HTTP API over its socket, where starting a CLI would cost more than the work.

Source for paths and fields: Docker Engine API v1.43 (Engine 24); `start_interval` needs 1.44 (Engine 25).
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from time import monotonic, sleep
from typing import Any, Protocol
from urllib.parse import quote, urlencode

from devenv import wire
from devenv.errors import DevenvError

PROJECT_LABEL = "com.docker.compose.project"
SERVICE_LABEL = "com.docker.compose.service"
CONFIG_LABEL = "com.docker.compose.config-hash"
ONEOFF_LABEL = "com.docker.compose.oneoff"
DIRECTORY_LABEL = "com.docker.compose.project.working_dir"

_CHUNK = 65536
START_HINT = "run `devenv doctor --fix` to start it, or start Docker yourself"


class EngineError(DevenvError):
    """The engine answered with an error; `status` is its HTTP code."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"the Docker engine refused: {message}")
        self.status = status


class NoAnswerError(DevenvError):
    """The engine took longer than it was given."""


class Sink(Protocol):
    """What bytes can be written to: a file, or what compresses them on their way to one."""

    def write(self, data: bytes, /) -> object:
        """Take some more."""


class Engine:
    """One Docker engine, by its address (`unix:///path` or `tcp://host:port`)."""

    def __init__(self, address: str | None = None, timeout_s: float = 5) -> None:
        self.address = address or find_address()
        self.timeout_s = timeout_s

    def get(self, path: str, **query: Any) -> Any:
        """GET and decode JSON; raises EngineError for a refusal, DevenvError for no answer."""
        return self._json("GET", path, query)

    def post(self, path: str, body: Any = None, timeout_s: float | None = None, **query: Any) -> Any:
        """POST and decode JSON, or None where the answer is empty."""
        return self._json("POST", path, query, body, timeout_s)

    def delete(self, path: str, **query: Any) -> None:
        """DELETE; what is already gone counts as deleted."""
        try:
            self._json("DELETE", path, query, timeout_s=60)
        except EngineError as refusal:
            if refusal.status != 404:
                raise

    def ping(self) -> None:
        """Raise DevenvError, with the next move, unless the engine answers."""
        self._request("GET", "/_ping", {})

    def containers(self, project: str) -> list[dict[str, Any]]:
        """All containers of a Compose project, running or not, one-off runs excluded."""
        listed = self.get("/containers/json", all=1, filters={"label": [f"{PROJECT_LABEL}={project}"]})
        return [one for one in listed if one["Labels"].get(ONEOFF_LABEL, "False") != "True"]

    def volumes(self, project: str) -> list[dict[str, Any]]:
        """The named volumes of a Compose project."""
        found = self.get("/volumes", filters={"label": [f"{PROJECT_LABEL}={project}"]})
        return found.get("Volumes") or []

    def container(self, identity: str) -> dict[str, Any]:
        """Everything the engine knows of one container."""
        found: dict[str, Any] = self.get(f"/containers/{identity}/json")
        return found

    def image(self, reference: str) -> dict[str, Any] | None:
        """One local image, or None."""
        try:
            found: dict[str, Any] = self.get(f"/images/{quote(reference, safe='/:@')}/json")
        except EngineError as refusal:
            if refusal.status in (400, 404):
                return None
            raise
        return found

    def logs(self, identity: str, lines: int = 20) -> list[str]:
        """The last lines of a container, standard output and error together."""
        said = self._request("GET", f"/containers/{identity}/logs", {"stdout": 1, "stderr": 1, "tail": lines})
        return _demultiplex(said).decode(errors="replace").splitlines()

    def execute(self, identity: str, argv: Sequence[str], timeout_s: float = 10) -> tuple[int, str]:
        """Run a command inside a container; its exit code and output. 124 stands for no end within `timeout_s`."""
        created = self.post(f"/containers/{identity}/exec",
                            {"Cmd": list(argv), "AttachStdout": True, "AttachStderr": True})
        path = f"/exec/{created['Id']}"
        try:
            output = self._request("POST", f"{path}/start", {}, {"Detach": False, "Tty": False}, timeout_s)
        except NoAnswerError:
            return 124, f"no end within {timeout_s:.0f} s"
        # The engine notes the end a moment after the output ends.
        while (seen := self.get(f"{path}/json"))["Running"]:
            sleep(0.002)
        return int(seen["ExitCode"]), _demultiplex(output).decode(errors="replace").strip()

    def pack(self, identity: str, path: str, sink: Sink) -> None:
        """Write what a directory of a container holds to `sink`, as a tar archive; the container need not run."""
        with _explained(self.address, self.timeout_s), wire.connect(self.address, self.timeout_s) as sock:
            wire.ask(sock, "GET", f"/containers/{identity}/archive?{urlencode({'path': f'{path}/.'})}")
            status, chunk = wire.read_head(sock)
            end = b""
            parts = []
            while chunk:
                if status >= 400:
                    parts.append(chunk)
                else:
                    sink.write(chunk)
                    end = (end + chunk)[-2 * 512:]
                chunk = sock.recv(_CHUNK)
        if status >= 400:
            raise EngineError(status, _message(b"".join(parts)))
        # Two blocks of zeros end an archive (POSIX, pax); without them the engine has gone away meanwhile.
        if end != bytes(2 * 512):
            raise DevenvError(f"the archive of `{path}` broke off", START_HINT)

    def unpack(self, identity: str, path: str, archive: Path) -> None:
        """Unpack a tar archive, compressed or not, into a directory of a container; the container need not run."""
        target = f"/containers/{identity}/archive?{urlencode({'path': path})}"
        with (_explained(self.address, self.timeout_s), wire.connect(self.address, self.timeout_s) as sock,
              archive.open("rb") as file):
            wire.announce(sock, "PUT", target, archive.stat().st_size)
            # A refusal may come before everything is sent.
            with suppress(BrokenPipeError):
                sock.sendfile(file)
            status, said = wire.read_head(sock)
        if status >= 400:
            raise EngineError(status, _message(said))

    def events(self, filters: Mapping[str, list[str]], deadline: float) -> Iterator[dict[str, Any] | None]:
        """Events as they come, until `deadline` (monotonic seconds); None about once a second between.

        The subscription stands before the first item is yielded, which is always None.
        """
        with _explained(self.address, self.timeout_s):
            sock = wire.connect(self.address, self.timeout_s)
            wire.ask(sock, "GET", f"/events?{urlencode({'filters': json.dumps(dict(filters))})}")
            _, buffer = wire.read_head(sock)
        with sock:
            yield None
            while (left := deadline - monotonic()) > 0:
                *lines, buffer = buffer.split(b"\n")
                yield from (json.loads(line) for line in lines if line.strip())
                sock.settimeout(min(1.0, left))
                try:
                    chunk = sock.recv(65536)
                except TimeoutError:
                    yield None
                    continue
                if not chunk:
                    return
                buffer += chunk

    def _json(
        self, method: str, path: str, query: Mapping[str, Any], body: Any = None, timeout_s: float | None = None
    ) -> Any:
        payload = self._request(method, path, query, body, timeout_s)
        try:
            return json.loads(payload) if payload else None
        except ValueError:
            raise DevenvError(f"the answer of the Docker engine at `{self.address}` broke off", START_HINT) from None

    def _request(
        self, method: str, path: str, query: Mapping[str, Any], body: Any = None, timeout_s: float | None = None
    ) -> bytes:
        encoded = {k: json.dumps(v) if isinstance(v, dict) else v for k, v in query.items()}
        target = path + (f"?{urlencode(encoded)}" if encoded else "")
        payload = b"" if body is None else json.dumps(body).encode()
        limit_s = timeout_s or self.timeout_s
        with _explained(self.address, limit_s):
            answer = wire.request(self.address, method, target, payload, limit_s)
        if answer.status >= 400:
            raise EngineError(answer.status, _message(answer.body))
        return answer.body


@contextmanager
def _explained(address: str, timeout_s: float) -> Iterator[None]:
    """What may go wrong on the way to the engine, as a cause and a next move."""
    try:
        yield
    except TimeoutError:
        raise NoAnswerError(
            f"the Docker engine at `{address}` does not answer (waited {timeout_s:.0f} s)",
            "it may be hung: look at its log, restart it, then run the same command again",
        ) from None
    except PermissionError:
        raise DevenvError(
            f"no permission to use the Docker engine's socket `{address}`",
            "add yourself to its group (`sudo usermod -aG docker $USER`, then log in again), or run as root",
        ) from None
    except OSError as cause:
        raise DevenvError(f"no Docker engine answers at `{address}` ({cause})", START_HINT) from None
    except ValueError:
        raise DevenvError(
            f"devenv cannot speak to a Docker engine at `{address}`",
            "use a local engine (DOCKER_HOST=unix:///..., `docker context use default`)",
        ) from None


def find_address() -> str:
    """The engine that `docker` would use: DOCKER_HOST, then the chosen context, then the usual socket."""
    if host := os.environ.get("DOCKER_HOST"):
        return host
    config = Path(os.environ.get("DOCKER_CONFIG", Path.home() / ".docker"))
    name = os.environ.get("DOCKER_CONTEXT") or _read_json(config / "config.json").get("currentContext")
    if name and name != "default":
        meta = config / "contexts" / "meta" / sha256(name.encode()).hexdigest() / "meta.json"
        host = _read_json(meta).get("Endpoints", {}).get("docker", {}).get("Host")
        if host:
            return str(host)
    return "unix:///var/run/docker.sock"


def _read_json(path: Path) -> dict[str, Any]:
    try:
        data = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return data if isinstance(data, dict) else {}


def _message(payload: bytes) -> str:
    try:
        return str(json.loads(payload)["message"])
    except (ValueError, KeyError, TypeError):
        return payload.decode(errors="replace").strip() or "no reason given"


def _demultiplex(payload: bytes) -> bytes:
    """Join the engine's log frames (8-byte header: stream, 3 zero bytes, big-endian length)."""
    joined, at = b"", 0
    while at + 8 <= len(payload):
        if payload[at] > 2 or payload[at + 1 : at + 4] != b"\0\0\0":
            return payload  # a container with a terminal sends no frames
        size = int.from_bytes(payload[at + 4 : at + 8], "big")
        joined += payload[at + 8 : at + 8 + size]
        at += 8 + size
    return joined
