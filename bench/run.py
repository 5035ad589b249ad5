"""`make bench`: run every comparison here and now, rivals included, and write down what came out, whatever it is."""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace

from bench import first_test, kind, newer, promote, reload, up
from bench.table import write

MODULES = {"reload": reload, "up": up, "first_test": first_test, "kind": kind, "promote": promote}

PROGRAMS = {"Terraform": ("version",), "kubectl": ("version", "--client"), "Helm": ("version", "--short")}


def main() -> None:
    """Measure the named modules (default: all)."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("modules", nargs="*", choices=[*MODULES, []], help="which comparisons (default: all)")
    parser.add_argument("-n", type=int, default=30, help="samples of each short measurement")
    parser.add_argument("--only-installed", action="store_true", help="leave out the newer Compose, which is built")
    parser.add_argument("--busy", action="store_true", help="measure on a busy machine too; the page shows the load")
    options = parser.parse_args()
    busy = os.getloadavg()[0]
    if busy > (os.cpu_count() or 1) and not options.busy:
        sys.exit(f"the machine is busy (load {busy:.1f}): figures taken now would mean little; try again later")
    dockers = {"": "docker"}
    if not options.only_installed:
        dockers[f", Compose {newer.VERSION}"] = newer.docker()
    rows = []
    for name in options.modules or MODULES:
        print(f"measuring {name} ...", file=sys.stderr)
        before, measured = os.getloadavg()[0], MODULES[name].measure(options.n, dockers)
        loads = sorted((before, os.getloadavg()[0]))
        rows += [replace(row, load=f"{loads[0]:.0f}-{loads[1]:.0f}") for row in measured]
    write(rows, versions(dockers))


def versions(dockers: Mapping[str, str]) -> dict[str, str]:
    """What was compared, and on what."""
    def said(*argv: str) -> str:
        return subprocess.run(argv, capture_output=True, text=True, check=True).stdout.strip()

    return {
        "Docker Engine": said("docker", "version", "--format", "{{.Server.Version}}"),
        "Compose": " and ".join(said(docker, "compose", "version", "--short") for docker in dockers.values()),
        **{name: said(name.lower(), *words).split("\n")[0].split()[-1] for name, words in PROGRAMS.items()
           if shutil.which(name.lower())},
        "Python": platform.python_version(), "kernel": platform.release(), "cores": str(os.cpu_count()),
    }


if __name__ == "__main__":
    main()
