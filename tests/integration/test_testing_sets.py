"""How long a set lives: kept and found again, changed, idle, ended, killed, and side by side with another."""

from __future__ import annotations

import os
import random
from time import sleep

import pytest

from tests.integration.other_project import CACHE, OtherProject, kill

# `make test-faults` asks for more.
ROUNDS = int(os.environ.get("DEVENV_FAULT_ROUNDS", "3"))

NOTES_ITS_CONTAINER = """
    from pathlib import Path

    def test_notes(redis):
        with Path(__file__).with_name("ids").open("a") as ids:
            ids.write(redis.control.engine.container(redis.container)["Id"] + "\\n")
"""


def run(project: OtherProject, *words: str) -> str:
    """Run the test that notes its container; returns what it noted."""
    project.write("test_notes.py", NOTES_ITS_CONTAINER)
    done = project.pytest(*words, "test_notes.py")
    assert done.returncode == 0, done.stdout
    return project.noted("ids")[-1]


def test_warm_set_is_found_again_until_its_definition_changes_or_it_is_ended(fresh_project: OtherProject) -> None:
    first = run(fresh_project, "--devenv-reuse")
    assert run(fresh_project, "--devenv-reuse") == first
    # A run without the option has its own, and leaves the warm one.
    assert run(fresh_project) != first
    assert [one["Id"] for one in fresh_project.containers()] == [first]

    fresh_project.write("compose.yaml", CACHE.replace("s3cret", "changed"))
    changed = run(fresh_project, "--devenv-reuse")
    assert [one["Id"] for one in fresh_project.containers()] == [changed] != [first]

    fresh_project.end()
    assert fresh_project.leftovers() == []
    assert run(fresh_project, "--devenv-reuse") not in (first, changed)


def test_warm_set_ends_itself_at_its_idle_limit(fresh_project: OtherProject) -> None:
    run(fresh_project, "--devenv-reuse", "-o", "devenv_idle_limit_s=1")
    fresh_project.wait_until_gone()


WAITS = """
    from pathlib import Path
    from time import sleep

    def test_waits(redis):
        Path(__file__).with_name("waiting").touch()
        sleep(600)
"""


@pytest.mark.parametrize("words", [(), ("--devenv-reuse",), ("-p", "xdist", "-n", "2")])
def test_kill_leaves_nothing(fresh_project: OtherProject, words: tuple[str, ...]) -> None:
    fresh_project.write("test_waits.py", WAITS)
    process = fresh_project.start(*words, "test_waits.py")
    while not (fresh_project.root / "waiting").exists():
        assert process.poll() is None, process.communicate()[0]
        sleep(0.05)
    assert fresh_project.leftovers() != []
    kill(process)
    fresh_project.wait_until_gone()


def test_kill_at_any_moment_leaves_nothing(fresh_project: OtherProject) -> None:
    fresh_project.write("test_waits.py", WAITS)
    for _ in range(ROUNDS):
        after_s = random.uniform(0.3, 4)
        process = fresh_project.start("test_waits.py")
        sleep(after_s)  # not for readiness: to hit any step of starting
        kill(process)
        print(f"killed after {after_s:.2f} s")
        fresh_project.wait_until_gone()


def test_two_runs_at_once_do_not_touch_each_other(fresh_project: OtherProject) -> None:
    fresh_project.write("test_both.py", """
        from pathlib import Path
        from time import monotonic, sleep
        from uuid import uuid4

        HERE = Path(__file__).parent

        def test_both(redis):
            (HERE / "met" / uuid4().hex).mkdir(parents=True)
            deadline = monotonic() + 60
            while len(list((HERE / "met").iterdir())) < 2:
                assert monotonic() < deadline, "the other run has not come"
                sleep(0.05)
            with (HERE / "ids").open("a") as ids:
                ids.write(redis.control.engine.container(redis.container)["Id"] + "\\n")
            redis.kill()

        def test_after(redis):
            with redis.client() as client:
                assert client.ping()
    """)
    runs = [fresh_project.start("--devenv-reuse", "test_both.py") for _ in range(2)]
    said = [run.communicate(timeout=120)[0] for run in runs]
    assert [run.returncode for run in runs] == [0, 0], "\n".join(said)
    assert len(set(fresh_project.noted("ids"))) == 2
    # The one that came first had the warm set; the other one's own has gone with it.
    assert len(fresh_project.sets()) == 1
