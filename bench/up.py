"""Warm and no-op `up`, `status`, and the start of the command line, on this repository's own platform."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.project import Project, timed
from bench.table import Row

ROOT = Path(__file__).parents[1]
OFFSET = 5200
# Health checks as most files have them: an interval, no `start_interval`.
STOCK = "services:\n" + "".join(
    f"  {name}: {{healthcheck: {{start_interval: 10s}}}}\n"
    for name in ("mongodb", "kafka", "redis", "minio", "gateway", "messaging", "sockets", "billing")
)
TUNED, UNTUNED, PS = ("docker compose up -d --wait, our file", "docker compose up -d --wait, stock healthchecks",
                      "docker compose ps")


def measure(n: int, dockers: Mapping[str, str]) -> list[Row]:
    """All rows of this module; `n` runs of what takes under two seconds, a third of it for the rest."""
    with TemporaryDirectory(prefix="devenv-bench-") as scratch:
        project = Project(ROOT, Path(scratch, "platform"))
        (project.root / "stock.yml").write_text(STOCK)
        try:
            project.devenv("up", "--port-offset", str(OFFSET), "--as-built")
            warm = _warm(project, max(3, n // 3), dockers)
            project.devenv("up", "--as-built")
            noop, status = _noop(project, n, dockers)
        finally:
            project.remove()
    ours = "devenv"
    return [
        Row("warm up to usable", "ms", warm.pop(ours), warm, {UNTUNED: 0.3, TUNED: 0.65}),
        Row("no-op up", "ms", noop.pop(ours), noop, {TUNED: 0.15}),
        Row("status", "ms", status.pop(ours), status, {PS: 0.6}),
        *_start(n, dockers),
    ]


def _long_running() -> list[str]:
    """The services to name: without names, `--wait` fails on the one-shot that ends well (docker/compose#10596)."""
    return ["gateway", "messaging", "sockets", "billing"]


def _warm(project: Project, n: int, dockers: Mapping[str, str]) -> dict[str, list[float]]:
    """Images built, containers absent, volumes present."""
    taken: dict[str, list[float]] = {"devenv": []}
    for _ in range(n):
        project.compose("down")
        taken["devenv"].append(project.devenv("up", "--as-built") * 1000)
        for name, docker in dockers.items():
            for rival, files in ((TUNED, ()), (UNTUNED, ("stock.yml",))):
                project.compose("down")
                took = project.compose("up", "-d", "--wait", "--no-build", *_long_running(), files=files, docker=docker)
                taken.setdefault(rival + name, []).append(took * 1000)
    return taken


def _noop(project: Project, n: int, dockers: Mapping[str, str]) -> tuple[dict[str, list[float]], ...]:
    noop: dict[str, list[float]] = {"devenv": []}
    status: dict[str, list[float]] = {"devenv": []}
    for name, docker in dockers.items():
        # Each version hashes a service in its own way: what it would create differently, it first makes its own.
        for _ in range(n):
            project.devenv("up", "--as-built")
            noop["devenv"].append(project.devenv("up", "--as-built") * 1000)
            project.compose("up", "-d", "--wait", "--no-build", *_long_running(), docker=docker)
            took = project.compose("up", "-d", "--wait", "--no-build", *_long_running(), docker=docker)
            noop.setdefault(TUNED + name, []).append(took * 1000)
            status["devenv"].append(project.devenv("status") * 1000)
            status.setdefault(PS + name, []).append(project.compose("ps", docker=docker) * 1000)
    return noop, status


def _start(n: int, dockers: Mapping[str, str]) -> list[Row]:
    """The command line's own start."""
    devenv = str(Path(shutil.which("devenv") or ROOT / ".venv" / "bin" / "devenv"))
    rivals = {f"docker compose --help{name}": [docker, "compose", "--help"] for name, docker in dockers.items()}
    if shutil.which("kubectl"):
        rivals["kubectl version --client"] = ["kubectl", "version", "--client"]
    ours: list[float] = []
    theirs: dict[str, list[float]] = {name: [] for name in rivals}
    for _ in range(n):
        ours.append(timed([devenv, "--help"], ROOT) * 1000)
        for name, argv in rivals.items():
            theirs[name].append(timed(argv, ROOT) * 1000)
    return [Row("devenv --help", "ms", ours, theirs, {"kubectl version --client": 1.0})]
