"""From `pytest` to the first test body with MongoDB, Kafka, Redis and MinIO usable: the plugin, and testcontainers.

testcontainers-python's own modules bring images of their own, so its `DockerCompose` runs our file, on our images.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.table import Row
from devenv.engine import Engine
from devenv.images.resolve import resolve
from devenv.shell import Runner
from devenv.testing.plan import load

ROOT = Path(__file__).parents[1]
BACKENDS = ("mongodb", "kafka", "redis", "minio")
# Health checks as most files have them: an interval, no `start_interval`.
STOCK = "services:\n" + "".join(f"  {name}: {{healthcheck: {{start_interval: 10s}}}}\n" for name in BACKENDS)
TUNED, UNTUNED = "testcontainers DockerCompose, our file", "testcontainers DockerCompose, stock healthchecks"
SECRETS = {"MONGODB_PASSWORD": "bench", "KAFKA_PASSWORD": "bench", "REDIS_PASSWORD": "bench",
           "MINIO_PASSWORD": "bench-bench", "MINIO_PORT": "19500", "MINIO_CONSOLE_PORT": "19501"}

NOTE = "    open({at!r}, 'w').write(repr(time.time()))\n"
OURS = "import time\n\n\ndef test_first(mongodb, kafka, redis, minio):\n" + NOTE
THEIRS = """import time

import pytest
from testcontainers.compose import DockerCompose


@pytest.fixture(scope="session")
def platform():
    with DockerCompose(".", compose_file_name={files!r}, wait=True) as running:
        yield running


def test_first(platform):
""" + NOTE


def measure(n: int, dockers: Mapping[str, str]) -> list[Row]:
    """All rows of this module; `n` warm runs, a fifth of it for what starts containers."""
    taken: dict[str, list[float]] = {"warm": [], "cold": [], TUNED: [], UNTUNED: []}
    with TemporaryDirectory(prefix="devenv-bench-") as scratch:
        # testcontainers calls the `docker` that is installed, and no other.
        bench = _Bench(Path(scratch, "tests"), dockers[""])
        try:
            bench.run("ours", "--devenv-reuse")
            for _ in range(max(3, n // 5)):
                taken["warm"] += [bench.run("ours", "--devenv-reuse") for _ in range(5)]
                taken["cold"].append(bench.run("ours"))
                taken[TUNED].append(bench.run("tuned"))
                taken[UNTUNED].append(bench.run("stock"))
        finally:
            bench.remove()
    rivals = {UNTUNED: taken[UNTUNED], TUNED: taken[TUNED]}
    return [Row("first test body, warm", "ms", taken["warm"], rivals, {UNTUNED: 0.03, TUNED: 0.08}),
            Row("first test body, cold", "ms", taken["cold"], rivals)]


class _Bench:
    """A folder with the backends' Compose file and one test for each tool."""

    def __init__(self, root: Path, docker: str) -> None:
        self.root, self.docker = root, docker
        self.at = str(root / "at")
        (root / "compose").mkdir(parents=True)
        shutil.copy2(ROOT / "compose" / "backends.yml", root / "compose")
        files = ["docker-compose.yml"]
        (root / files[0]).write_text("name: first-test\ninclude: [compose/backends.yml]\n")
        (root / "stock.yml").write_text(STOCK)
        (root / "pytest.ini").write_text("[pytest]\n")
        self._write_env({})
        images = self._images()
        self._write_env({f"DEVENV_IMAGE_{name.upper()}": image for name, image in images.items()})
        for name, text in {
            "ours": OURS.format(at=self.at), "tuned": THEIRS.format(at=self.at, files=files),
            "stock": THEIRS.format(at=self.at, files=[*files, "stock.yml"]),
        }.items():
            (root / f"test_{name}.py").write_text(text)

    def run(self, tool: str, *words: str) -> float:
        """Milliseconds from the start of pytest to the first line of the test."""
        plugin = ["-p", "devenv.testing.plugin"] if tool == "ours" else []
        argv = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *plugin, *words, f"test_{tool}.py"]
        environment = {name: value for name, value in os.environ.items() if not name.startswith("COMPOSE_")}
        # Ryuk's image may be out of reach; without it the rival starts one container less.
        environment |= {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "TESTCONTAINERS_RYUK_DISABLED": "true"}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        began = time.time()
        done = subprocess.run(argv, cwd=self.root, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"{' '.join(argv)} exited with {done.returncode}:\n{done.stdout[-3000:]}")
        if tool != "ours":
            # `DockerCompose` stops its containers; volumes would make the next run a different one.
            subprocess.run([self.docker, "compose", "down", "-v"], cwd=self.root, capture_output=True, check=True)
        return (float(Path(self.at).read_text()) - began) * 1000

    def remove(self) -> None:
        """The warm set, as `devenv down` ends it."""
        from devenv.project import find
        from devenv.testing.reaper import end_sets

        end_sets(find(self.root), Engine(timeout_s=60))

    def _images(self) -> dict[str, str]:
        from devenv.project import find

        engine = Engine()
        plan = load(find(self.root), engine)
        wanted = {name: str(plan.definition(name)["image"]) for name in BACKENDS}
        found = resolve(wanted.values(), engine=engine, runner=Runner(), offline=False, logs=self.root / "logs")
        return {name: found[image].reference for name, image in wanted.items()}

    def _write_env(self, more: dict[str, str]) -> None:
        text = "".join(f"{name}={value}\n" for name, value in {**SECRETS, **more}.items())
        (self.root / ".env").write_text(text)
