import pytest

from devenv.errors import UsageError
from devenv.model import Model

DATA = {
    "services": {
        "db": {"image": "db:1", "volumes": [{"type": "volume", "source": "db-data", "target": "/data"}]},
        "init": {"build": {"context": "."}, "depends_on": {"db": {"condition": "service_healthy"}}},
        "api": {"build": {"context": "."}, "depends_on": {"init": {"condition": "service_completed_successfully"}},
                "ports": [{"target": 80, "published": "8080", "host_ip": "127.0.0.1", "protocol": "tcp"},
                          {"target": 81, "published": "9000-9005"}, {"target": 82}]},
        "web": {"build": {"context": "."}, "depends_on": {"api": {"condition": "service_started"}}},
        "seed": {"build": {"context": "."}, "profiles": ["seed"], "x-devenv": {"seed": True}},
    }
}


def test_one_service_brings_just_what_it_needs_in_an_order_that_can_be_started():
    assert Model(DATA).select(["api"]) == ("db", "init", "api")


def test_everything_leaves_out_what_a_profile_keeps_out():
    assert Model(DATA).select([]) == ("db", "init", "api", "web")


def test_an_optional_service_can_be_named():
    assert Model(DATA).select(["seed"]) == ("seed",)


def test_an_unknown_name_is_refused_with_a_suggestion():
    with pytest.raises(UsageError, match="no service or backend is named `app`") as problem:
        Model(DATA).select(["app"])
    assert problem.value.hint == "did you mean `api`?"
    with pytest.raises(UsageError) as problem:
        Model(DATA).select(["zzz"])
    assert problem.value.hint == "there are: api, db, init, seed, web"


def test_services_that_wait_for_each_other_are_refused():
    circle = {"services": {"a": {"depends_on": {"b": {}}}, "b": {"depends_on": {"a": {}}}}}
    with pytest.raises(UsageError, match="a -> b -> a"):
        Model(circle).select([])


def test_a_one_shot_is_what_others_wait_for_to_complete():
    assert Model(DATA).one_shots == {"init"}


def test_a_backend_has_an_image_and_no_build():
    assert Model(DATA).backends == ("db",)


def test_only_fixed_ports_are_listed():
    assert [port.published for port in Model(DATA).services["api"].ports] == [8080]
