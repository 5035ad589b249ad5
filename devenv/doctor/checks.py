"""The checks: each says what was found, whether that will do, and what to type if not."""

from __future__ import annotations

import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from devenv.engine import Engine
from devenv.errors import CommandError, DevenvError
from devenv.shell import Runner

# `start_interval` came with Engine 25, and with Compose 2.26 the `include` that can be overridden.
MIN_ENGINE, MIN_COMPOSE, MIN_BUILDX = (25, 0), (2, 26), (0, 13)
MIN_FREE_GB = 10
# kind and editors together need more than the kernel's old defaults (kind's known issues name the same figures).
MIN_INOTIFY = {"max_user_watches": 65536, "max_user_instances": 512}
COMPOSE_HELP = "install the Compose plugin: https://docs.docker.com/compose/install/linux/"
BUILDX_HELP = "install the Buildx plugin: https://docs.docker.com/build/install-buildx/"


@dataclass(frozen=True)
class Check:
    """One thing that was looked at."""

    name: str
    ok: bool
    found: str
    next: str = ""  # what a person types or installs
    required: bool = True
    repair: str = ""  # the repair of `devenv.doctor.repairs` that mends it, if there is one


def run_checks(runner: Runner) -> list[Check]:
    """Look at everything; changes nothing."""
    cli = _docker_cli()
    engine = _engine() if cli.ok else Check("engine", False, "no Docker", "see `docker`", repair="engine")
    plugins = [
        _plugin(runner, "compose", MIN_COMPOSE, COMPOSE_HELP), _plugin(runner, "buildx", MIN_BUILDX, BUILDX_HELP),
    ] if cli.ok else []
    return [cli, *plugins, engine, _mmdebstrap(), _ssh_keygen(), inotify(), _disk()]


def _docker_cli() -> Check:
    path = shutil.which("docker")
    return Check("docker", bool(path), path or "not installed",
                 "" if path else "install Docker Engine: https://docs.docker.com/engine/install/", repair="packages")


def _plugin(runner: Runner, name: str, minimum: tuple[int, int], help_: str) -> Check:
    words = ("docker", name, "version", "--short") if name == "compose" else ("docker", name, "version")
    try:
        text = runner.read(*words)
    except CommandError:
        return Check(name, False, "not installed", help_, repair="packages")
    found = version_in(text)
    wanted = ".".join(map(str, minimum))
    ok = found >= minimum
    return Check(name, ok, ".".join(map(str, found)) or text.strip(), "" if ok else f"{help_} ({wanted} or newer)",
                 repair="packages")


def _engine() -> Check:
    if not shutil.which("dockerd") and not Path("/var/run/docker.sock").exists() and "DOCKER_HOST" not in os.environ:
        return Check("engine", False, "not installed", "install Docker Engine", repair="packages")
    try:
        version = Engine().get("/version")
    except DevenvError as problem:
        return Check("engine", False, problem.message, problem.hint or "", repair="engine")
    found = version_in(version["Version"])
    ok = found >= MIN_ENGINE
    return Check("engine", ok, version["Version"], "" if ok else f"update it to {MIN_ENGINE[0]} or newer",
                 repair="packages")


def _mmdebstrap() -> Check:
    path = shutil.which("mmdebstrap")
    return Check("mmdebstrap", bool(path), path or "not installed",
                 "" if path else "apt-get install mmdebstrap (only for building images where no registry is reached)",
                 required=_is_debian(), repair="mmdebstrap" if _is_debian() else "")


def _ssh_keygen() -> Check:
    path = shutil.which("ssh-keygen")
    return Check("ssh-keygen", bool(path), path or "not installed",
                 "" if path else "apt-get install openssh-client (only for signing receipts)",
                 required=False, repair="openssh-client" if _is_debian() else "")


def inotify() -> Check:
    """The kernel's limits on watched files, which a node's pods and this machine's editors share."""
    low = []
    for name, wanted in MIN_INOTIFY.items():
        try:
            value = int(Path("/proc/sys/fs/inotify", name).read_text())
        except OSError:
            return Check("inotify", True, "not a Linux kernel of ours")
        if value < wanted:
            low.append(f"fs.inotify.{name} is {value}, {wanted} wanted")
    return Check("inotify", not low, "; ".join(low) or "enough", " ".join(
        ["sysctl -w", *(f"fs.inotify.{name}={wanted}" for name, wanted in MIN_INOTIFY.items())]) if low else "",
        required=False, repair="inotify")


def _disk() -> Check:
    where = Path("/var/lib/docker")
    free_gb = shutil.disk_usage(where if where.exists() else "/").free / 1e9
    ok = free_gb >= MIN_FREE_GB
    return Check("disk", ok, f"{free_gb:.0f} GB free", "" if ok else f"free some: {MIN_FREE_GB} GB are wanted",
                 required=False)


def _is_debian() -> bool:
    return shutil.which("apt-get") is not None


def version_in(text: str) -> tuple[int, ...]:
    """The first dotted number in a text."""
    match = re.search(r"(\d+)\.(\d+)(?:\.(\d+))?", text)
    return tuple(int(part) for part in match.groups() if part is not None) if match else ()
