"""Who uses a set, and who may end it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from devenv.engine import Engine
from devenv.testing.leases import Terms, alone, share, was_abandoned
from devenv.testing.opening import take
from devenv.testing.reaper import end_sets, is_over, sweep
from devenv.testing.turns import Turns
from tests.unit.fakes import FakeEngine
from tests.unit.test_testing_plan import DATA
from tests.unit.test_testing_plan import plan as make_plan


class EmptyEngine(FakeEngine):
    """An engine without anything."""

    def get(self, path: str, **query: object) -> object:
        super().get(path, **query)
        return {"Volumes": None} if path == "/volumes" else []


def engine() -> Engine:
    return EmptyEngine()  # type: ignore[return-value]


def terms(reuse: bool = False, idle_limit_s: float = 60, run: str = "r1") -> Terms:
    return Terms("p-test-x", run, reuse, idle_limit_s, "unix:///x")


def test_nobody_else_is_alone_while_a_lease_is_held(tmp_path: Path) -> None:
    lease = share(tmp_path / "set")
    with alone(tmp_path / "set") as is_alone:
        assert not is_alone
    assert lease.release()
    with alone(tmp_path / "set") as is_alone:
        assert is_alone


def test_only_the_last_user_is_told_so(tmp_path: Path) -> None:
    first, second = share(tmp_path / "set"), share(tmp_path / "set")
    assert not first.release()
    assert second.release()


def test_lease_on_a_removed_set_is_taken_on_the_new_one(tmp_path: Path) -> None:
    directory = tmp_path / "set"
    share(directory).release()
    (directory / "lease").unlink()
    lease = share(directory)
    assert (directory / "lease").exists()
    lease.release()


def test_killed_user_frees_the_lock_and_leaves_its_mark(tmp_path: Path) -> None:
    directory = tmp_path / "set"
    code = ("import os, signal, sys; from pathlib import Path; from devenv.testing.leases import share; "
            "share(Path(sys.argv[1])); os.kill(os.getpid(), signal.SIGKILL)")
    subprocess.run([sys.executable, "-c", code, str(directory)], check=False)
    with alone(directory) as is_alone:
        assert is_alone
    assert was_abandoned(directory)


def test_set_of_one_run_is_over_when_nobody_uses_it(tmp_path: Path) -> None:
    share(tmp_path).release()
    assert is_over(tmp_path, terms())
    assert not is_over(tmp_path, terms(reuse=True))


def test_warm_set_is_over_at_its_idle_limit(tmp_path: Path) -> None:
    share(tmp_path).release()
    os.utime(tmp_path / "lease", (1, 1))
    assert is_over(tmp_path, terms(reuse=True))


def test_warm_set_that_a_killed_run_left_is_over(tmp_path: Path) -> None:
    lease = share(tmp_path)
    assert is_over(tmp_path, terms(reuse=True))
    lease.release()


def test_warm_set_is_given_to_one_run_at_a_time(tmp_path: Path) -> None:
    plan = make_project_plan(tmp_path)
    first, first_is_kept = take(plan, engine(), "r1", True, 60)
    other, other_is_kept = take(plan, engine(), "r2", True, 60)
    again, _ = take(plan, engine(), "r1", True, 60)
    assert (first_is_kept, other_is_kept) == (True, False)
    assert first.directory == again.directory
    assert other.directory.name == "r2"
    for lease in (first, other, again):
        lease.release()
    after, after_is_kept = take(plan, engine(), "r3", True, 60)
    assert (after.directory, after_is_kept) == (first.directory, True)
    after.release()


def test_end_sets_leaves_those_in_use(tmp_path: Path) -> None:
    plan = make_project_plan(tmp_path)
    used, _ = take(plan, engine(), "r1", False, 60)
    idle, _ = take(plan, engine(), "r2", True, 60)
    idle.release()
    ended, in_use = end_sets(plan.project, engine())
    assert ended == [f"{plan.project.name}-test-warm-{plan.hash}"]
    assert in_use == [f"{plan.project.name}-test-r1"]
    assert used.directory.is_dir() and not idle.directory.exists()
    used.release()


def test_sweep_removes_sets_of_changed_definitions_and_keeps_the_warm_one(tmp_path: Path) -> None:
    plan = make_project_plan(tmp_path)
    warm, _ = take(plan, engine(), "r1", True, 60)
    warm.release()
    old = warm.directory.with_name("warm-00000000")
    share(old).release()
    own, _ = take(plan, engine(), "r2", False, 60)
    sweep(plan.project, engine(), own=own.directory, warm=warm.directory)
    assert warm.directory.is_dir() and own.directory.is_dir() and not old.exists()
    own.release()


def test_turns_let_readers_in_together_and_a_writer_alone(tmp_path: Path) -> None:
    first, second = Turns(tmp_path), Turns(tmp_path)
    first.enter()
    second.enter()
    second.leave()
    first.alone()
    probe = ("import fcntl, sys\nf = open(sys.argv[1])\n"
             "try: fcntl.flock(f, fcntl.LOCK_SH | fcntl.LOCK_NB); print('in')\nexcept BlockingIOError: print('out')")
    seen = [subprocess.run([sys.executable, "-c", probe, str(tmp_path / "room")], capture_output=True, text=True,
                           check=True).stdout.strip()]
    first.leave()
    seen.append(subprocess.run([sys.executable, "-c", probe, str(tmp_path / "room")], capture_output=True, text=True,
                               check=True).stdout.strip())
    assert seen == ["out", "in"]
    first.close()
    second.close()


def make_project_plan(root: Path):  # type: ignore[no-untyped-def]
    from dataclasses import replace

    from devenv.project import Project

    (root / "compose.yaml").write_text("services: {}\n")
    return replace(make_plan(DATA), project=Project(root, root / "compose.yaml"))
