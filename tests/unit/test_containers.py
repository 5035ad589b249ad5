import pytest

from devenv.runtimes.containers import observe, summary
from tests.unit.fakes import FakeEngine, container


@pytest.mark.parametrize(("state", "status", "expected"), [
    ("running", "Up 2 seconds", "usable"),
    ("running", "Up 2 seconds (healthy)", "usable"),
    ("running", "Up 2 seconds (health: starting)", "starting"),
    ("running", "Up 2 minutes (unhealthy)", "unhealthy"),
    ("restarting", "Restarting (1) 2 seconds ago", "starting"),
    ("exited", "Exited (0) 2 seconds ago", "done"),
    ("exited", "Exited (3) 2 seconds ago", "failed"),
    ("exited", "Exited (137) 2 seconds ago", "stopped"),
    ("created", "Created", "stopped"),
    ("paused", "Up 3 minutes (Paused)", "stopped"),
])
def test_the_engines_words_become_one_condition(state, status, expected):
    seen = observe(FakeEngine(containers=[container("a", state=state, status=status)]), "p")
    assert summary(seen["a"]) == expected


def test_a_service_is_as_good_as_its_worst_container():
    seen = observe(FakeEngine(containers=[
        container("a", identity="1"), container("a", identity="2", state="exited", status="Exited (1) now"),
    ]), "p")
    assert summary(seen["a"]) == "failed"


def test_a_service_without_containers_is_absent():
    assert summary([]) == "absent"
