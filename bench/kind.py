"""Cold and warm `up --k8s`, edit to served in kind, and what an idle platform takes; the rival is bench/kind_rival."""

from __future__ import annotations

import os
import shutil
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from http.client import HTTPException, HTTPSConnection
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.kind_rival import OFFSET as RIVAL_OFFSET
from bench.kind_rival import Rival
from bench.project import Project
from bench.table import Row
from devenv.doctor.programs import use_folder
from devenv.engine import Engine

ROOT = Path(__file__).parents[1]
OFFSET = 5400
SCRIPT, LIVE = "kind + registry script + tilt ci", "Tilt live_update (sync) + uvicorn --reload"
SETTLE_S, IDLE_S, DEADLINE_S = 20, 20, 60


def measure(n: int, dockers: Mapping[str, str]) -> list[Row]:
    """All rows of this module; `n` edits, a tenth of it for what makes or starts clusters. Needs Tilt on PATH.

    One tool after the other, not turn about: two clusters at once would each slow the other down.
    """
    use_folder()
    tilt = shutil.which("tilt")
    if tilt is None:
        print("kind: Tilt is not on PATH, so there is no rival: nothing measured", file=sys.stderr)
        return []
    few = max(2, n // 10)
    with TemporaryDirectory(prefix="devenv-bench-") as scratch:
        ours, theirs = (Project(ROOT, Path(scratch, name)) for name in ("ours", "rival"))
        try:
            with _without(tilt):
                cold, warm, edits, idle = _ours(ours, n, few)
                ours.devenv("down", "--delete")
            with closing(Rival(theirs)) as rival:
                cold_rival = [rival.cold() * 1000 for _ in range(few)]
                warm_rival = [rival.warm() * 1000 for _ in range(few)]
                rival.watch()
                edits_rival = _edits(theirs, 8443 + RIVAL_OFFSET, n)
                idle_rival = _idle(rival.name, rival.tilt)
        finally:
            for project in (ours, theirs):
                project.devenv("down", "--delete")
                project.remove()
    return [
        Row("cold up --k8s", "ms", cold, {SCRIPT: cold_rival}, {SCRIPT: 0.5}),
        Row("up --k8s of a stopped cluster", "ms", warm, {SCRIPT: warm_rival}),
        Row("edit to served, kind", "ms", edits, {LIVE: edits_rival}, {LIVE: 0.15}),
        Row("idle platform on kind, % of a core", "%", idle, {LIVE: idle_rival}),
    ]


def _ours(project: Project, n: int, few: int) -> tuple[list[float], ...]:
    """Cold, warm, edits, idle."""
    cold, warm = [], []
    for _ in range(few):
        project.devenv("down", "--delete")
        cold.append(project.devenv("up", "--k8s", "--port-offset", str(OFFSET)) * 1000)
    for _ in range(few):
        project.devenv("down")
        warm.append(project.devenv("up", "--k8s") * 1000)
    return cold, warm, _edits(project, 8443 + OFFSET, n), _idle(project.name, None)


def _edits(project: Project, port: int, n: int) -> list[float]:
    """Milliseconds from an edit of the gateway to the first answer that shows it, asked for through the ingress."""
    path = project.root / "services" / "gateway" / "gateway" / "index.py"
    original = path.read_text()
    # What is measured is the edit: the rival's controller has a certificate of its own.
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    taken = []
    for number in range(n):
        token = f"caas-{number}"
        fresh = path.with_name(".index.py.new")
        fresh.write_text(original.replace('"name": "caas"', f'"name": "{token}"'))
        began = time.perf_counter()
        fresh.replace(path)
        while token not in _ask(port, context):
            if time.perf_counter() - began > DEADLINE_S:
                raise RuntimeError(f"port {port} did not serve {token} within {DEADLINE_S} s")
            time.sleep(0.005)
        taken.append((time.perf_counter() - began) * 1000)
        time.sleep(0.5 + 0.07 * (number % 5))  # so that no tool's timer is always met in the same phase
    return taken


def _ask(port: int, context: ssl.SSLContext) -> str:
    connection = HTTPSConnection("localhost", port, timeout=5, context=context)
    try:
        connection.request("GET", "/")
        return connection.getresponse().read().decode(errors="replace")
    except (OSError, HTTPException):
        return ""
    finally:
        connection.close()


def _idle(name: str, tilt: subprocess.Popen[bytes] | None) -> list[float]:
    """Per cent of one core that node, registry and (the rival's) Tilt take while nobody does anything."""
    time.sleep(SETTLE_S)

    def used_s() -> float:
        engine = Engine()
        found = sum(engine.get(f"/containers/{name}-{part}/stats", stream=0, **{"one-shot": 1})
                    ["cpu_stats"]["cpu_usage"]["total_usage"] for part in ("control-plane", "registry")) / 1e9
        if tilt:
            user, system = Path("/proc", str(tilt.pid), "stat").read_text().rpartition(")")[2].split()[11:13]
            found += (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")
        return float(found)

    taken = []
    for _ in range(3):
        before, began = used_s(), time.perf_counter()
        time.sleep(IDLE_S / 3)
        taken.append((used_s() - before) / (time.perf_counter() - began) * 100)
    return taken


@contextmanager
def _without(program: str) -> Iterator[None]:
    """A PATH on which the folder of `program` is not."""
    before = os.environ["PATH"]
    os.environ["PATH"] = os.pathsep.join(one for one in before.split(os.pathsep) if one != str(Path(program).parent))
    try:
        yield
    finally:
        os.environ["PATH"] = before
