"""A project that is not this one: a Compose file, a few tests, and pytest run in it the way a person would."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from textwrap import dedent
from time import monotonic, sleep

from devenv.engine import Engine
from devenv.project import find
from devenv.testing.labels import PROJECT, SET
from devenv.testing.reaper import end_sets

CACHE = """
services:
  cache:
    image: redis:8
    command: [redis-server, --requirepass, s3cret, --appendonly, "yes"]
    healthcheck: {test: [CMD-SHELL, "redis-cli -a s3cret ping | grep PONG"]}
    volumes: [cache-data:/data]
volumes:
  cache-data:
"""

# Ours, so that the suite needs no plugin for it; a project's own conftest, as a person would have one.
SHUFFLE = (Path(__file__).parents[1] / "shuffle.py").read_text()

DEADLINE_S = 60


class OtherProject:
    """A directory with a Compose file and tests."""

    def __init__(self, root: Path, compose: str = CACHE) -> None:
        self.root = root
        root.mkdir(parents=True, exist_ok=True)
        self.write("compose.yaml", compose)
        self.write("conftest.py", SHUFFLE)
        self.write("pytest.ini", "[pytest]\nfilterwarnings = error\n")

    def write(self, name: str, text: str) -> None:
        """Put a file there."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text))

    def pytest(self, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run pytest to its end."""
        return subprocess.run(self.argv(*words), cwd=self.root, env=self.environment(environment), text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300, check=False)

    def start(self, *words: str) -> subprocess.Popen[str]:
        """Start pytest in a process group of its own."""
        return subprocess.Popen(self.argv(*words), cwd=self.root, env=self.environment({}), text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)

    @staticmethod
    def argv(*words: str) -> list[str]:
        """The command; only the plugins that it names are loaded."""
        return [sys.executable, "-m", "pytest", "-q", "-rA", "-p", "no:cacheprovider", "-p", "devenv.testing.plugin",
                *words]

    @staticmethod
    def environment(more: dict[str, str]) -> dict[str, str]:
        """Ours, without what the surrounding pytest has added."""
        added = ("COMPOSE_", "DEVENV_TEST_", "PYTEST_")
        kept = {key: value for key, value in os.environ.items() if not key.startswith(added)}
        return {**kept, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", **more}

    @property
    def name(self) -> str:
        """What its containers are labelled with."""
        return find(self.root).name

    def containers(self) -> list[dict[str, object]]:
        """All containers of its sets, as the engine lists them."""
        listed: list[dict[str, object]] = Engine(timeout_s=60).get(
            "/containers/json", all=1, filters={"label": [f"{PROJECT}={self.name}"]})
        return listed

    def sets(self) -> set[str]:
        """The ids of its sets that have a container."""
        return {str(one["Labels"][SET]) for one in self.containers()}  # type: ignore[index]

    def leftovers(self) -> list[str]:
        """Whatever of its sets is at the engine: containers, networks, volumes."""
        filters = {"label": [f"{PROJECT}={self.name}"]}
        engine = Engine(timeout_s=60)
        return [*(str(one["Id"]) for one in self.containers()),
                *(one["Name"] for one in engine.get("/networks", filters=filters)),
                *(one["Name"] for one in engine.get("/volumes", filters=filters)["Volumes"] or ())]

    def wait_until_gone(self) -> None:
        """Return when nothing is left; fails after a minute, which is the promise."""
        deadline = monotonic() + DEADLINE_S
        while left := self.leftovers():
            assert monotonic() < deadline, f"still there after {DEADLINE_S} s: {left}"
            sleep(0.1)

    def noted(self, name: str) -> list[str]:
        """Lines that its tests wrote into a file."""
        path = self.root / name
        return path.read_text().splitlines() if path.exists() else []

    def end(self) -> None:
        """End its sets, as `devenv down` does."""
        end_sets(find(self.root), Engine(timeout_s=60))


def kill(process: subprocess.Popen[str]) -> None:
    """kill -9 for pytest and its workers."""
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def counts(done: subprocess.CompletedProcess[str]) -> dict[str, int]:
    """`3 passed, 1 failed` as a mapping."""
    last = next(line for line in reversed(done.stdout.splitlines()) if " in " in line)
    words = last.split(" in ")[0].replace("=", "").replace(",", "").split()
    return {word.rstrip("s") if word == "errors" else word: int(number)
            for number, word in zip(words[::2], words[1::2], strict=True)}


def load(line: str) -> dict[str, str]:
    """A line that a test noted as JSON."""
    data: dict[str, str] = json.loads(line)
    return data
