"""Docker from Debian's own packages, for machines that have none."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from devenv.doctor.checks import MIN_ENGINE, version_in
from devenv.errors import DevenvError
from devenv.project import write_whole
from devenv.shell import Runner

# Beside a Docker of another origin, such as docker.com's own packages, only these are installed.
EXTRAS = ("mmdebstrap", "openssh-client")
PACKAGES = ("docker.io", "docker-cli", "docker-compose", "docker-buildx", "iptables", *EXTRAS)
# The first release whose Docker is new enough; added with a priority below everything that is installed.
SUITE = "trixie"
SOURCE = Path("/etc/apt/sources.list.d/devenv.sources")
PREFERENCES = Path("/etc/apt/preferences.d/devenv")
LOG = Path("/var/log/devenv-apt.log")
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
HEADER = "# written by devenv: the release that Docker is installed from\n"
# A build on a slow mirror or a lock held by another apt should end in a message, not in a hang.
_LOCK = "DPkg::Lock::Timeout=300"


@dataclass(frozen=True)
class Install:
    """What will be installed, and from where; `mirror` is set when a newer release must be added."""

    says: str
    mirror: str = ""


def plan_install(runner: Runner) -> Install:
    """How to get Docker here; raises DevenvError where it is not Debian."""
    if not shutil.which("apt-get"):
        raise DevenvError("this is no Debian system, and devenv installs Docker only there",
                          "install Docker Engine with Compose and Buildx: https://docs.docker.com/engine/install/")
    packages = " ".join(PACKAGES)
    candidate = _candidate(runner)
    if not candidate:
        # A new machine has never fetched apt's lists: without them apt knows neither packages nor its own mirrors.
        runner.log("apt-get", "-o", _LOCK, "update", "-q", log=LOG)
        candidate = _candidate(runner)
    if candidate >= MIN_ENGINE:
        return Install(f"install Debian packages: {packages}")
    mirror = _mirror(runner)
    return Install(
        f"add Debian {SUITE} with a low priority ({SOURCE}, {PREFERENCES}), then install from it: {packages}", mirror
    )


def install(runner: Runner, steps: Install) -> None:
    """Install the packages; starts nothing, and may run again."""
    release: tuple[str, ...] = ()
    if steps.mirror:
        write_whole(SOURCE, f"{HEADER}Types: deb\nURIs: {steps.mirror}\nSuites: {SUITE}\nComponents: main\n"
                            f"Signed-By: {KEYRING}\n")
        write_whole(PREFERENCES, f"{HEADER}Package: *\nPin: release n={SUITE}\nPin-Priority: 100\n")
        release = ("-t", SUITE)
    environment = {"DEBIAN_FRONTEND": "noninteractive"}
    runner.log("apt-get", "-o", _LOCK, "update", "-q", log=LOG, env=environment)
    runner.log("apt-get", "-o", _LOCK, "install", "-qy", "--no-install-recommends", *release, *PACKAGES,
               log=LOG, env=environment)


def install_extras(runner: Runner, names: Sequence[str]) -> None:
    """Install packages of `EXTRAS` alone; what else is on the machine stays as it is."""
    environment = {"DEBIAN_FRONTEND": "noninteractive"}
    runner.log("apt-get", "-o", _LOCK, "update", "-q", log=LOG, env=environment)
    runner.log("apt-get", "-o", _LOCK, "install", "-qy", "--no-install-recommends", *names, log=LOG, env=environment)


def _candidate(runner: Runner) -> tuple[int, ...]:
    """The version of Docker that apt would install now; empty where its lists were never fetched."""
    for line in runner.read("apt-cache", "policy", "docker.io").splitlines():
        if line.strip().startswith("Candidate:"):
            return version_in(line)
    return ()


def _mirror(runner: Runner) -> str:
    """The address this machine already gets Debian from, so that a company's mirror stays in use."""
    listed = runner.read("apt-get", "indextargets", "--format", "$(CODENAME) $(COMPONENT) $(REPO_URI)",
                         "Created-By: Packages")
    for line in listed.splitlines():
        codename, component, uri = line.split(" ", 2)
        if component == "main" and "-" not in codename and uri.rstrip("/").endswith("/debian"):
            return uri
    raise DevenvError("this machine's package sources name no Debian mirror, and its own Docker is too old",
                      "install Docker Engine with Compose and Buildx: https://docs.docker.com/engine/install/debian/")
