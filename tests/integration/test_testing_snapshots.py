"""A set begins with the data of a snapshot, and goes back to it where a test destroys it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.integration.other_project import OtherProject, counts

READS = """
    import os
    from pathlib import Path

    def test_finds_it_and_destroys_it(redis):
        with Path(__file__).with_name("ids").open("a") as ids:
            ids.write(redis.control.engine.container(redis.container)["Id"] + "\\n")
        with redis.client() as client:
            assert client.get("greeting") == "hello"
            if os.environ.get("DESTROY"):
                client.flushall()

    def test_finds_it_again(redis):
        with redis.client() as client:
            assert client.get("greeting") == "hello"
"""


def devenv(project: OtherProject, *words: str) -> None:
    done = subprocess.run([sys.executable, "-m", "devenv", *words], cwd=project.root, text=True, capture_output=True,
                          env=project.environment({}), timeout=300, check=False)
    assert done.returncode == 0, done.stderr


def redis_cli(project: OtherProject, *words: str) -> None:
    devenv(project, "exec", "cache", "--", "redis-cli", "--no-auth-warning", "-a", "s3cret", *words)


@pytest.fixture
def seeded(fresh_project: OtherProject) -> Iterator[OtherProject]:
    """A project with a snapshot in which there is a greeting; its own platform has gone on since."""
    fresh_project.write("test_reads.py", READS)
    try:
        devenv(fresh_project, "up")
        redis_cli(fresh_project, "set", "greeting", "hello")
        devenv(fresh_project, "snapshot", "save", "seeded")
        redis_cli(fresh_project, "set", "greeting", "goodbye")
        yield fresh_project
    finally:
        devenv(fresh_project, "reset", "--data", "--yes")
        devenv(fresh_project, "down")


def test_set_begins_with_a_snapshot(seeded: OtherProject) -> None:
    # Destroyed by a test, it is there again for the next one.
    done = seeded.pytest("test_reads.py", "--devenv-snapshot", "seeded", DESTROY="1")
    assert counts(done) == {"passed": 2}, done.stdout
    assert "started anew" in done.stdout
    # As a setting; and the snapshot belongs to what a warm set is known by.
    seeded.write("pytest.ini", "[pytest]\nfilterwarnings = error\ndevenv_snapshot = seeded\n")
    for _ in range(2):
        done = seeded.pytest("test_reads.py", "--devenv-reuse")
        assert counts(done) == {"passed": 2}, done.stdout
    assert len(set(seeded.noted("ids")[-2:])) == 1
    devenv(seeded, "snapshot", "delete", "seeded")
    devenv(seeded, "snapshot", "save", "seeded")
    done = seeded.pytest("test_reads.py", "--devenv-reuse")
    assert counts(done) == {"failed": 2} and "'goodbye'" in done.stdout
    assert len(set(seeded.noted("ids")[-2:])) == 2


def test_snapshot_that_is_not_there(fresh_project: OtherProject) -> None:
    fresh_project.write("test_reads.py", READS)
    done = fresh_project.pytest("test_reads.py", "--devenv-snapshot", "seeded")
    assert counts(done) == {"error": 2}, done.stdout
    assert "devenv: no snapshot is named `seeded`" in done.stdout and "Traceback" not in done.stdout
