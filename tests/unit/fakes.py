"""Stand-ins for what a unit test must not touch: each records what it was asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from devenv.errors import CommandError
from devenv.shell import Runner


class FakeRunner(Runner):
    """Answers from a table: the first key that is a prefix of the words decides."""

    def __init__(self, answers: Mapping[str, str | int] | None = None) -> None:
        self.answers = dict(answers or {})
        self.calls: list[str] = []

    def read(self, *argv: str, **_: Any) -> str:
        return self._answer(argv)

    def run(self, *argv: str, **_: Any) -> None:
        self._answer(argv)

    def call(self, *argv: str, **_: Any) -> int:
        try:
            self._answer(argv)
        except CommandError as failure:
            return failure.status
        return 0

    def log(self, *argv: str, log: Path, **_: Any) -> None:
        self._answer(argv)

    def _answer(self, argv: tuple[str, ...]) -> str:
        line = " ".join(argv)
        self.calls.append(line)
        for key, answer in self.answers.items():
            if key in line:
                if isinstance(answer, int):
                    raise CommandError(argv, answer)
                return answer
        return ""


class FakeEngine:
    """An engine with canned answers by path; a callable is called with the query."""

    address = "unix:///fake.sock"

    def __init__(
        self, answers: Mapping[str, Any] | None = None, containers: list[dict[str, Any]] | None = None
    ) -> None:
        self.answers = dict(answers or {})
        self.listed = containers or []
        self.calls: list[tuple[str, str, dict[str, Any]]] = []
        self.images: dict[str, dict[str, Any]] = {}

    def get(self, path: str, **query: Any) -> Any:
        self.calls.append(("GET", path, query))
        answer = self.answers.get(path, [])
        return answer(**query) if isinstance(answer, Callable) else answer  # type: ignore[arg-type]

    def post(self, path: str, body: Any = None, timeout_s: float | None = None, **query: Any) -> Any:
        self.calls.append(("POST", path, query))

    def delete(self, path: str, **query: Any) -> None:
        self.calls.append(("DELETE", path, query))

    def containers(self, project: str) -> list[dict[str, Any]]:
        return self.listed

    def volumes(self, project: str) -> list[dict[str, Any]]:
        return list(self.get("/volumes").get("Volumes") or [])

    def container(self, identity: str) -> dict[str, Any]:
        return dict(self.answers[f"/containers/{identity}"])

    def image(self, reference: str) -> dict[str, Any] | None:
        return self.images.get(reference)

    def logs(self, identity: str, lines: int = 20) -> list[str]:
        return list(self.answers.get(f"/logs/{identity}", []))


def container(service: str, *, state: str = "running", status: str = "Up 2 seconds", name: str = "",
              identity: str = "", config: str = "c1", image: str = "sha256:1",
              ports: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    """One entry of the engine's container list."""
    return {
        "Id": identity or f"id-{service}", "Names": [f"/{name or 'p-' + service + '-1'}"], "State": state,
        "Status": status, "ImageID": image, "Ports": ports or [],
        "Labels": {"com.docker.compose.service": service, "com.docker.compose.project": "p",
                   "com.docker.compose.config-hash": config},
    }
