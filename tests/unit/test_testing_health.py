"""Waiting for a container: its check's operation, and no waiting for one that has ended."""

from __future__ import annotations

import socket
from collections.abc import Sequence

import pytest

from devenv.engine import EngineError
from devenv.errors import DevenvError
from devenv.testing import hostports
from devenv.testing.health import operation, wait_usable
from tests.unit.fakes import FakeEngine

RUNNING = {"State": {"Running": True}}


class Executing(FakeEngine):
    """An engine whose `execute` gives the answers of a list, one after the other."""

    def __init__(self, answers: list[object], state: dict[str, object] | None = None) -> None:
        super().__init__({"/containers/c": {"State": state or RUNNING["State"]}, "/logs/c": ["one", "two"]})
        self.codes = answers

    def execute(self, identity: str, argv: Sequence[str], timeout_s: float = 10) -> tuple[int, str]:
        self.calls.append(("EXEC", identity, {"argv": tuple(argv)}))
        answer = self.codes.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer  # type: ignore[return-value]


@pytest.mark.parametrize(("definition", "image", "expected"), [
    ({"healthcheck": {"test": ["CMD", "a", "b"]}}, {}, ("a", "b")),
    ({"healthcheck": {"test": ["CMD-SHELL", "a | b"]}}, {}, ("/bin/sh", "-c", "a | b")),
    ({"healthcheck": {"test": ["NONE"]}}, {"Config": {"Healthcheck": {"Test": ["CMD", "x"]}}}, ()),
    ({"healthcheck": {"disable": True}}, {"Config": {"Healthcheck": {"Test": ["CMD", "x"]}}}, ()),
    ({}, {"Config": {"Healthcheck": {"Test": ["CMD", "x"]}}}, ("x",)),
    ({}, {"Config": {}}, ()),
])
def test_operation_is_that_of_the_definition_or_else_of_the_image(
    definition: dict[str, object], image: dict[str, object], expected: tuple[str, ...]
) -> None:
    assert operation(definition, image) == expected


def test_operation_is_repeated_until_it_succeeds() -> None:
    engine = Executing([(1, "no"), (1, "no"), (0, "yes")])
    wait_usable(engine, "db", "c", ["ping"], {}, 5)  # type: ignore[arg-type]
    assert [call for call in engine.calls if call[0] == "EXEC"] == [("EXEC", "c", {"argv": ("ping",)})] * 3


def test_container_that_ended_is_not_waited_for_and_its_last_lines_are_told() -> None:
    engine = Executing([EngineError(409, "not running")], {"Running": False, "ExitCode": 3})
    with pytest.raises(DevenvError) as caught:
        wait_usable(engine, "db", "c", ["ping"], {}, 60)  # type: ignore[arg-type]
    assert caught.value.message == "`db` ended with exit code 3; its last lines:\n  | one\n  | two"


def test_memory_limit_is_named() -> None:
    engine = Executing([(137, "")], {"Running": False, "ExitCode": 137, "OOMKilled": True})
    with pytest.raises(DevenvError, match="`db` was killed at its memory limit"):
        wait_usable(engine, "db", "c", ["ping"], {}, 60)  # type: ignore[arg-type]


def test_deadline_tells_what_the_check_said() -> None:
    engine = Executing([(1, "refused\nnot yet")] * 100)
    with pytest.raises(DevenvError, match=r"`db` is not usable after 0 s; its health check says: not yet"):
        wait_usable(engine, "db", "c", ["ping"], {}, 0.01)  # type: ignore[arg-type]


def test_run_that_ends_stops_the_waiting() -> None:
    with pytest.raises(DevenvError, match="stopped waiting for `db`"):
        wait_usable(Executing([]), "db", "c", ["ping"], {}, 60, lambda: True)  # type: ignore[arg-type]


def test_without_a_check_a_server_that_takes_connections_is_usable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        wait_usable(Executing([]), "db", "c", [], {1: server.getsockname()[1]}, 5)  # type: ignore[arg-type]


def test_chosen_ports_are_free_and_different() -> None:
    found = hostports.choose(50)
    assert len(set(found)) == 50
    assert all(hostports.FIRST <= port <= hostports.LAST for port in found)


def test_port_exhaustion_names_the_range() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert not hostports.is_free(port)
        with pytest.raises(DevenvError, match=f"no 1 free ports between {port} and {port}"):
            hostports.choose(1, port, port)
