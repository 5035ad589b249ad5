"""Handles: addresses, credentials and options, from a definition alone."""

from __future__ import annotations

from typing import Any

import pytest

from devenv.engine import EngineError
from devenv.errors import DevenvError
from devenv.testing import handles
from devenv.testing.images import is_still
from devenv.testing.kinds import load
from devenv.testing.records import Record
from tests.unit.fakes import FakeEngine
from tests.unit.test_testing_listeners import SASL


def handle(kind: str, ports: dict[int, int], environment: dict[str, str] | None = None, **definition: Any) -> Any:
    harmed: list[int] = []
    control = handles.Control(FakeEngine(), "net", lambda: harmed.append(1), lambda *_: None)  # type: ignore[arg-type]
    made = (load(kind) if kind else handles.Backend)("b", "p-b", ports, environment or {}, definition, ("b",), control)
    object.__setattr__(made, "harmed", harmed)
    return made


@pytest.mark.parametrize(("environment", "command", "url"), [
    ({"REDISCLI_AUTH": "p/w"}, None, "redis://:p%2Fw@127.0.0.1:20001/0"),
    ({"REDIS_PASSWORD": "x"}, None, "redis://:x@127.0.0.1:20001/0"),
    ({}, ["redis-server", "--requirepass", "y"], "redis://:y@127.0.0.1:20001/0"),
    ({}, ["sh", "-c", "redis-server --requirepass 'z'"], "redis://:z@127.0.0.1:20001/0"),
    ({}, None, "redis://127.0.0.1:20001/0"),
])
def test_redis_url(environment: dict[str, str], command: list[str] | None, url: str) -> None:
    assert handle("redis", {6379: 20001}, environment, command=command).url == url


def test_mongodb_url_reaches_a_single_server_directly() -> None:
    made = handle("mongodb", {27017: 20001}, {"MONGO_INITDB_ROOT_USERNAME": "u", "MONGO_INITDB_ROOT_PASSWORD": "p@"})
    assert made.url == "mongodb://u:p%40@127.0.0.1:20001/?directConnection=true"


def test_minio_has_the_endpoint_and_upstreams_default_keys() -> None:
    made = handle("minio", {9000: 20001, 9001: 20002})
    assert (made.url, made.access_key, made.secret_key) == ("http://127.0.0.1:20001", "minioadmin", "minioadmin")


def test_kafka_options_are_those_of_the_listener() -> None:
    made = handle("kafka", {9092: 20001}, SASL)
    assert made.options == {
        "bootstrap_servers": "127.0.0.1:20001", "security_protocol": "SASL_PLAINTEXT", "sasl_mechanism": "PLAIN",
        "sasl_plain_username": "caas", "sasl_plain_password": "p=w",
    }


def test_credentials_that_cannot_be_seen_can_be_said() -> None:
    extension = {"username": "me", "password": "said"}
    assert handle("redis", {6379: 1}, **{"x-devenv": extension}).url == "redis://me:said@127.0.0.1:1/0"


def test_port_can_be_said() -> None:
    assert handle("redis", {7000: 5, 6379: 6}, **{"x-devenv": {"port": 7000}}).port == 5


def test_backend_of_no_kind_with_several_ports_asks_which() -> None:
    assert handle("", {5432: 20001}).address == "127.0.0.1:20001"
    with pytest.raises(DevenvError, match="`b` has no single port; inside the container it has: 1, 2"):
        _ = handle("", {1: 3, 2: 4}).port


def test_secrets_are_not_in_the_representation() -> None:
    assert "p=w" not in repr(handle("kafka", {9092: 1}, SASL))


def test_missing_client_library_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    made = handle("redis", {6379: 1})
    monkeypatch.setattr(type(made), "library", "not_installed_anywhere")
    with pytest.raises(DevenvError, match="a client for `b` needs `redis`") as caught:
        made.client()
    assert caught.value.hint == "pip install redis"


def test_harm_is_announced_first_and_undone_at_the_end_of_the_block() -> None:
    made = handle("redis", {6379: 1})
    with made.pause():
        assert made.harmed == [1]
        assert made.control.engine.calls[-1][:2] == ("POST", "/containers/p-b/pause")
    assert made.control.engine.calls[-1][:2] == ("POST", "/containers/p-b/unpause")


def test_disconnection_gives_the_names_back() -> None:
    made = handle("redis", {6379: 1})
    with made.disconnect():
        pass
    assert [call[1] for call in made.control.engine.calls] == ["/networks/net/disconnect", "/networks/net/connect"]


@pytest.mark.parametrize(("local", "expected"), [
    ({"localhost/devenv/redis:8.1": "i1"}, True),
    ({"localhost/devenv/redis:8.1": "i2"}, False),  # built anew
    ({"localhost/devenv/redis:8.1": "i1", "redis:8": "i3"}, False),  # the real one has come
    ({}, False),
])
def test_record_holds_while_its_image_is_what_the_name_stands_for(local: dict[str, str], expected: bool) -> None:
    record = Record("r", "c", "id", "h", "redis:8", "localhost/devenv/redis:8.1", "i1", {}, "run")
    assert is_still(record, local) is expected


@pytest.mark.parametrize(("refusals", "is_paused"), [(0, True), (4, True), (5, False)])
def test_pause_that_the_kernel_did_not_manage_is_tried_again(refusals: int, is_paused: bool) -> None:
    made = handle("redis", {6379: 20001})
    calls = made.control.engine.calls
    record = made.control.engine.post

    def refuse(path: str, **options: Any) -> None:
        record(path, **options)
        if len(calls) <= refusals:
            raise EngineError(500, "unable to freeze")

    made.control.engine.post = refuse
    if is_paused:
        with made.pause():
            pass
        tries = ["/containers/p-b/pause"] * (refusals + 1)
        assert [path for _, path, _ in calls] == [*tries, "/containers/p-b/unpause"]
    else:
        with pytest.raises(EngineError, match="unable to freeze"):
            made.pause()
