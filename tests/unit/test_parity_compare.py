import pytest

from devenv.parity.compare import compare
from devenv.parity.facts import UNKNOWN, Difference, Platform, Workload, addresses, ports_in, secrets_in


def side(managed=None, /, **workloads):
    return Platform({one.name: one for one in workloads.values()}, managed or {})


def web(**facts):
    return Workload("web", facts)


def db(**facts):
    return Workload("db", facts, is_backend=True)


def test_equal_facts_are_no_difference():
    facts = {"limits": {"memory": "512Mi"}, "order": {"db": "healthy"}}
    assert compare(side(web=web(**facts)), side(web=web(**facts))) == []


def test_a_missing_and_an_extra_field_are_differences_of_their_class():
    assert compare(side(web=web(volumes={"/a": "data"})), side(web=web(volumes={"/b": "data"}))) == [
        Difference("volumes", "web", "/a", "data", None),
        Difference("volumes", "web", "/b", None, "data"),
    ]


def test_a_service_on_one_side_only_is_a_difference_unless_it_is_optional():
    assert compare(side(web=web()), side()) == [Difference("services", "web", "service", "there", None)]
    assert compare(side(), side(web=web())) == [Difference("services", "web", "service", None, "there")]
    assert compare(side(seed=Workload("seed", {}, is_optional=True)), side()) == []


def test_what_a_side_cannot_know_is_no_difference():
    ours, theirs = web(security={"user": UNKNOWN}), web(security={"user": "1000"})
    assert compare(side(web=ours), side(web=theirs)) == []


def test_a_service_keeps_its_keys_and_a_backend_its_values_too():
    one, two = {"environment": {"LEVEL": "info"}}, {"environment": {"LEVEL": "debug"}}
    assert compare(side(web=web(**one)), side(web=web(**two))) == []
    assert compare(side(db=db(**one)), side(db=db(**two))) == [
        Difference("environment", "db", "LEVEL", "info", "debug")
    ]


def test_a_service_addresses_the_same_others_on_both_sides():
    ours, theirs = web(environment={"DB": "pg://db:5432"}), web(environment={"DB": "pg://db:5433"})
    assert compare(side(web=ours, db=db()), side(web=theirs, db=db())) == [
        Difference("environment", "web", "DB", "pg://db:5432", "pg://db:5433")
    ]


def test_parts_of_other_variables_are_not_compared():
    facts = {"environment": {"PART": "x"}, "secrets": {"PART": "PART"}}
    theirs = Workload("web", facts, ingredients=frozenset({"PART"}))
    assert compare(side(web=web()), side(web=theirs)) == []


def test_the_name_of_a_service_image_is_what_stands_last_and_that_of_a_backend_is_all_of_it():
    ours, theirs = {"images": {"image": "web"}}, {"images": {"image": "registry.example/shop/web"}}
    assert compare(side(web=web(**ours)), side(web=web(**theirs))) == []
    assert [one.field for one in compare(side(db=db(**ours)), side(db=db(**theirs)))] == ["image"]


@pytest.mark.parametrize(("left", "right", "same"), [
    ("8", "8.1", True), ("4.1.1", "4.1", True), ("8.0", "5.0", False), ("4.1", "4.10", False), ("8", "80", False),
])
def test_versions_are_compared_as_far_as_both_say_them(left, right, same):
    found = compare(side(db=db(versions={"version": left})), side(db=db(versions={"version": right})))
    assert (found == []) is same


def test_a_managed_backend_is_elsewhere_in_the_same_version():
    ours = side(db=db(versions={"version": "8.0"}), web=web(environment={"DB": "pg://db:5432"}))
    elsewhere = web(environment={"DB": "pg://db.example:5432"})
    assert compare(ours, side({"db": "8"}, web=elsewhere)) == []
    assert compare(ours, side({"db": "5"}, web=elsewhere)) == [Difference("versions", "db", "version", "8.0", "5")]
    here = web(environment={"DB": "pg://db:5432"})
    assert [one.field for one in compare(ours, side({"db": "8"}, web=here))] == ["DB"]
    both = compare(ours, side({"db": "8"}, web=elsewhere, db=db()))
    assert both == [Difference("services", "db", "service", "there", "there, though it is managed elsewhere")]


def test_a_plain_password_is_not_shown():
    ours, theirs = db(environment={"DB_PASSWORD": "${DB_PASSWORD}"}), db(environment={"DB_PASSWORD": "hunter2"})
    (found,) = compare(side(db=ours), side(db=theirs))
    assert (found.compose, found.kubernetes) == ("${DB_PASSWORD}", "a value")


def test_differences_come_in_the_order_of_the_classes():
    ours = web(security={"user": "1"}, images={"image": "a"}, limits={"cpu": "1"})
    theirs = web(security={"user": "2"}, images={"image": "b"}, limits={"cpu": "2"})
    assert [one.category for one in compare(side(web=ours), side(web=theirs))] == ["images", "limits", "security"]


@pytest.mark.parametrize(("value", "found"), [
    ("db:5432", {("db", "5432")}),
    ("pg://user:pw@db:5432/x", {("db", "5432")}),
    ("a.example:1,db:2", {("db", "2")}),
    ("http://db.example:80", set()),
    ("CLIENT://db:9,LOCAL://127.0.0.1:8", {("db", "9")}),
    ("mydb:5432", set()),
])
def test_addresses_are_found_in_values(value, found):
    assert addresses(value, {"db"}) == found


def test_ports_are_those_that_anybody_addresses():
    assert ports_in({"web": {"A": "db:1", "B": "other:2"}, "job": {"A": "x://db:3"}}, "db") == {"1", "3"}


def test_the_secrets_of_a_value_are_named_once():
    assert secrets_in("x://${USER_PW}:${TOKEN}@h/${TOKEN}") == "TOKEN USER_PW"
