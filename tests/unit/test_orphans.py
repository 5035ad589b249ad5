from devenv.runtimes.orphans import heal
from tests.unit.fakes import FakeEngine, container


def test_a_renamed_container_gets_its_name_back():
    engine = FakeEngine(containers=[container("db", name="0123456789ab_p-db-1")])
    assert heal(engine, "p") == ["renamed `0123456789ab_p-db-1` back to `p-db-1`"]
    assert engine.calls == [("POST", "/containers/id-db/rename", {"name": "p-db-1"})]


def test_a_renamed_container_that_was_replaced_is_removed_with_its_volumes_kept():
    engine = FakeEngine(containers=[container("db", name="0123456789ab_p-db-1", identity="old"), container("db")])
    heal(engine, "p")
    assert engine.calls == [("DELETE", "/containers/old", {"force": 1})]


def test_ordinary_containers_are_left_alone():
    engine = FakeEngine(containers=[container("db"), container("web", name="abc_p-web-1")])
    assert heal(engine, "p") == []
    assert engine.calls == []
