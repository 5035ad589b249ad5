"""What the plugin makes of a project's definitions: kinds, names, hashes."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest

from devenv.errors import UsageError
from devenv.model import Model
from devenv.project import Project
from devenv.testing.kinds import IMAGES, kind_of, load
from devenv.testing.plan import Plan, _unescaped

DATA: dict[str, Any] = {"services": {
    "db": {"image": "mongo:8.0", "environment": {"A": "1", "B": None}},
    "cache": {"image": "redis:8"},
    "web": {"build": {"context": "."}, "depends_on": {"db": {"condition": "service_healthy"}}},
}}


def plan(data: dict[str, Any]) -> Plan:
    model = Model(data)
    kinds = {name: kind_of(name, model.services[name].definition) for name in model.backends}
    return Plan(Project(Path("/p"), Path("/p/compose.yaml")), model, kinds)


@pytest.mark.parametrize(("image", "kind"), [
    ("mongo:8.0", "mongodb"), ("docker.io/library/mongo", "mongodb"), ("apache/kafka:4.1.1", "kafka"),
    ("confluentinc/cp-kafka:7.6.0", "kafka"), ("valkey/valkey:8", "redis"), ("localhost/devenv/redis:8.1", "redis"),
    ("quay.io/minio/minio@sha256:0", "minio"), ("postgres:17", ""), ("nobody/kafka", ""),
])
def test_kind_is_known_by_the_image(image: str, kind: str) -> None:
    assert kind_of("x", {"image": image}) == kind


def test_kind_can_be_said() -> None:
    assert kind_of("x", {"image": "registry.local/our-cache", "x-devenv": {"kind": "redis"}}) == "redis"
    with pytest.raises(UsageError, match="`x` is of kind `sql`, which devenv does not know"):
        kind_of("x", {"image": "y", "x-devenv": {"kind": "sql"}})


def test_each_kind_has_its_handle() -> None:
    assert [load(kind).kind for kind in IMAGES] == list(IMAGES)


def test_backend_is_found_by_kind_and_by_name() -> None:
    made = plan(DATA)
    assert (made.of_kind("mongodb"), made.of_kind("redis")) == ("db", "cache")
    assert made.backend("db").name == "db"
    assert made.service("web").name == "web"


@pytest.mark.parametrize(("ask", "message", "hint"), [
    (lambda p: p.backend("cahce"), "no backend is named `cahce`", "did you mean `cache`?"),
    (lambda p: p.backend("zzz"), "no backend is named `zzz`", "backends: cache, db"),
    (lambda p: p.backend("web"), "`web` is a service, not a backend", 'devenv_service("web")'),
    (lambda p: p.service("db"), "`db` is a backend, not a service", 'devenv_backend("db")'),
    (lambda p: p.of_kind("kafka"), "`compose.yaml` has no backend of kind `kafka`", "x-devenv: {kind: kafka}"),
])
def test_wrong_name_gets_a_next_move(ask: Any, message: str, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        ask(plan(DATA))
    assert message in caught.value.message
    assert hint in str(caught.value.hint)


def test_several_backends_of_a_kind_are_a_choice_unless_one_is_named_so() -> None:
    data = {"services": {"a": {"image": "redis:8"}, "b": {"image": "redis:8"}}}
    with pytest.raises(UsageError, match="several backends of kind `redis`: a, b"):
        plan(data).of_kind("redis")
    assert plan({"services": {"redis": {"image": "redis:8"}, **data["services"]}}).of_kind("redis") == "redis"


def test_hash_changes_with_a_backends_definition_and_not_with_a_services() -> None:
    before = plan(DATA)
    backend, service = copy.deepcopy(DATA), copy.deepcopy(DATA)
    backend["services"]["cache"]["command"] = ["x"]
    service["services"]["web"]["environment"] = {"LOG": "debug"}
    assert plan(copy.deepcopy(DATA)).hash == before.hash
    assert plan(backend).hash != before.hash
    assert plan(service).hash == before.hash
    assert plan(service).hash_of("web") != before.hash_of("web")


def test_hash_ignores_how_a_service_is_built() -> None:
    changed = copy.deepcopy(DATA)
    changed["services"]["web"]["build"]["dockerfile"] = "Other"
    assert plan(changed).hash_of("web") == plan(DATA).hash_of("web")


def test_unset_variables_are_left_out() -> None:
    assert plan(DATA).environment("db") == {"A": "1"}


def test_dollars_that_compose_doubles_are_single_again() -> None:
    assert _unescaped({"command": ["echo $$A"], "n": 1}) == {"command": ["echo $A"], "n": 1}
