"""Warm and no-op `up`, `status`, and the start of the command line, on this repository's own platform."""

from __future__ import annotations

import shutil
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
TUNED, UNTUNED = "docker compose up -d --wait, our file", "docker compose up -d --wait, stock healthchecks"


def measure(n: int, docker: str = "docker") -> list[Row]:
    """All rows of this module; `n` runs of what takes under two seconds, a third of it for the rest."""
    with TemporaryDirectory(prefix="devenv-bench-") as scratch:
        project = Project(ROOT, Path(scratch, "platform"))
        (project.root / "stock.yml").write_text(STOCK)
        try:
            project.devenv("up", "--port-offset", str(OFFSET), "--as-built")
            warm = _warm(project, max(3, n // 3), docker)
            project.devenv("up", "--as-built")
            project.compose("up", "-d", "--wait", *_long_running(), docker=docker)
            project.devenv("up", "--as-built")
            noop, status = _noop(project, n, docker)
        finally:
            project.remove()
    return [
        Row("warm up to usable", "ms", warm["devenv"], {UNTUNED: warm[UNTUNED], TUNED: warm[TUNED]},
            {UNTUNED: 0.3, TUNED: 0.65}),
        Row("no-op up", "ms", noop["devenv"], {TUNED: noop[TUNED]}, {TUNED: 0.15}),
        Row("status", "ms", status["devenv"], {"docker compose ps": status["ps"]}, {"docker compose ps": 0.6}),
        *_start(n),
    ]


def _long_running() -> list[str]:
    """The services to name: without names, `--wait` fails on the one-shot that ends well (docker/compose#10596)."""
    return ["gateway", "messaging", "sockets", "billing"]


def _warm(project: Project, n: int, docker: str) -> dict[str, list[float]]:
    """Images built, containers absent, volumes present."""
    taken: dict[str, list[float]] = {"devenv": [], TUNED: [], UNTUNED: []}
    for _ in range(n):
        for tool in taken:
            project.compose("down")
            if tool == "devenv":
                taken[tool].append(project.devenv("up", "--as-built") * 1000)
            else:
                files = ("stock.yml",) if tool == UNTUNED else ()
                took = project.compose("up", "-d", "--wait", "--no-build", *_long_running(), files=files, docker=docker)
                taken[tool].append(took * 1000)
    return taken


def _noop(project: Project, n: int, docker: str) -> tuple[dict[str, list[float]], dict[str, list[float]]]:
    noop: dict[str, list[float]] = {"devenv": [], TUNED: []}
    status: dict[str, list[float]] = {"devenv": [], "ps": []}
    for _ in range(n):
        noop["devenv"].append(project.devenv("up", "--as-built") * 1000)
        noop[TUNED].append(
            project.compose("up", "-d", "--wait", "--no-build", *_long_running(), docker=docker) * 1000)
        status["devenv"].append(project.devenv("status") * 1000)
        status["ps"].append(project.compose("ps", docker=docker) * 1000)
    return noop, status


def _start(n: int) -> list[Row]:
    """The command line's own start."""
    devenv = str(Path(shutil.which("devenv") or ROOT / ".venv" / "bin" / "devenv"))
    rivals = {"docker compose --help": ["docker", "compose", "--help"]}
    if shutil.which("kubectl"):
        rivals["kubectl version --client"] = ["kubectl", "version", "--client"]
    ours: list[float] = []
    theirs: dict[str, list[float]] = {name: [] for name in rivals}
    for _ in range(n):
        ours.append(timed([devenv, "--help"], ROOT) * 1000)
        for name, argv in rivals.items():
            theirs[name].append(timed(argv, ROOT) * 1000)
    return [Row("devenv --help", "ms", ours, theirs, {"kubectl version --client": 1.0})]
