"""Mend what the checks found missing: packages from Debian, a running engine, kernel limits."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep

from devenv.doctor.checks import MIN_INOTIFY, Check
from devenv.doctor.debian import EXTRAS, install, install_extras, plan_install
from devenv.engine import Engine
from devenv.errors import DevenvError
from devenv.shell import Runner

LOG = Path("/var/log/devenv-dockerd.log")
START_S = 60


@dataclass(frozen=True)
class Repair:
    """One thing to do: what it will change, in words, and the doing."""

    name: str
    says: str
    apply: Callable[[Runner], None]


def plan(checks: Iterable[Check], runner: Runner) -> list[Repair]:
    """What would mend the failed checks; raises DevenvError, before anything changes, where that cannot be done."""
    failed = [check for check in checks if not check.ok and (check.required or check.repair)]
    needed = {check.repair for check in failed}
    by_hand = [check for check in failed if check.required and not check.repair]
    if by_hand:
        raise DevenvError("\n".join(f"{check.name}: {check.found}" for check in by_hand), by_hand[0].next)
    if failed and os.geteuid() != 0:
        wanted = [check for check in failed if check.required]
        if wanted:
            raise DevenvError(
                "; ".join(f"{check.name}: {check.found}" for check in wanted) + " (mending that takes root)",
                "run `sudo devenv doctor --fix` once, or do by hand: "
                + "; ".join(check.next for check in wanted if check.next),
            )
        return []
    repairs = []
    if "packages" in needed:
        steps = plan_install(runner)
        repairs.append(Repair("packages", steps.says, lambda runner: install(runner, steps)))
    elif extras := [name for name in EXTRAS if name in needed]:
        repairs.append(Repair("extras", f"install Debian packages: {' '.join(extras)}",
                              lambda runner: install_extras(runner, extras)))
    if needed & {"engine", "packages"}:
        how = "`systemctl start docker`" if _has_systemd() else f"`dockerd`, detached; its log: {LOG}"
        repairs.append(Repair("engine", f"start the Docker engine: {how}", start_engine))
    if "inotify" in needed:
        limits = ", ".join(f"fs.inotify.{name}={value}" for name, value in MIN_INOTIFY.items())
        repairs.append(Repair("inotify", f"raise {limits} until the next boot", raise_inotify))
    return repairs


def start_engine(runner: Runner) -> None:
    """Start the engine and wait until it answers; raises DevenvError that quotes its log."""
    if _answers():
        return
    if _has_systemd():
        runner.run("systemctl", "start", "docker")
    elif shutil.which("dockerd"):
        runner.detach("dockerd", log=LOG)
    else:
        raise DevenvError("`dockerd` is not installed", "install Docker Engine: https://docs.docker.com/engine/install/")
    deadline = monotonic() + START_S
    while not _answers():
        if monotonic() > deadline:
            tail = LOG.read_text(errors="replace")[-1500:] if LOG.exists() else ""
            raise DevenvError(f"the Docker engine does not answer {START_S} s after its start\n{tail}",
                              f"look at `{LOG}`" if tail else "look at `journalctl -u docker`")
        sleep(0.1)


def raise_inotify(runner: Runner) -> None:
    """Raise the kernel's limits on file watches."""
    for name, value in MIN_INOTIFY.items():
        path = Path("/proc/sys/fs/inotify", name)
        if int(path.read_text()) < value:
            path.write_text(str(value))


def _answers() -> bool:
    try:
        Engine(timeout_s=5).ping()
    except DevenvError:
        return False
    return True


def _has_systemd() -> bool:
    return Path("/run/systemd/system").is_dir()
