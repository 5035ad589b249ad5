"""Which set a run gets: the warm one if it is wanted and free, else one of its own."""

from __future__ import annotations

import shutil
from pathlib import Path
from time import sleep

from devenv.engine import Engine
from devenv.testing.leases import Lease, Terms, alone, exclusive, share, was_abandoned
from devenv.testing.plan import Plan
from devenv.testing.reaper import SETS, remove

LOOKS = 3  # the watcher of a warm set has it to itself for an instant now and then


def take(plan: Plan, engine: Engine, run: str, reuse: bool, idle_limit_s: float) -> tuple[Lease, bool]:
    """A lease on the run's set, and whether that set is kept afterwards."""
    root, prefix = plan.project.state / SETS, f"{plan.project.name}-test-"
    if reuse:
        warm = root / f"warm-{plan.hash}"
        lease = _take_warm(warm, Terms(prefix + warm.name, run, True, idle_limit_s, engine.address), engine)
        if lease:
            return lease, True
    own = root / run
    lease = share(own)
    Terms(prefix + run, run, False, 0, engine.address).write(own)
    return lease, False


def _take_warm(directory: Path, terms: Terms, engine: Engine) -> Lease | None:
    """A lease on the warm set, or None while another run has it; one that a killed run left is removed first."""
    with exclusive(directory.with_name(f".{directory.name}.lock")):
        if directory.is_dir() and not _is_free(directory, terms, engine) and _holder(directory) != terms.run:
            return None
        lease = share(directory)
        terms.write(directory)
        return lease


def _is_free(directory: Path, terms: Terms, engine: Engine) -> bool:
    for _ in range(LOOKS):
        with alone(directory) as is_alone:
            if is_alone and was_abandoned(directory):
                remove(engine, terms.set_id)
                shutil.rmtree(directory)
            if is_alone:
                return True
        sleep(0.01)
    return False


def _holder(directory: Path) -> str:
    try:
        return Terms.read(directory).run
    except (OSError, ValueError):
        return ""
