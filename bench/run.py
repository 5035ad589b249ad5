"""`make bench`: run every comparison here and now, rivals included, and write down what came out, whatever it is."""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys

from bench import first_test, reload, up
from bench.table import write

MODULES = {"reload": reload, "up": up, "first_test": first_test}


def main() -> None:
    """Measure the named modules (default: all)."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("modules", nargs="*", choices=[*MODULES, []], help="which comparisons (default: all)")
    parser.add_argument("-n", type=int, default=30, help="samples of each short measurement")
    parser.add_argument("--docker", default="docker", help="the docker command whose Compose is the rival")
    options = parser.parse_args()
    busy = os.getloadavg()[0]
    if busy > (os.cpu_count() or 1):
        sys.exit(f"the machine is busy (load {busy:.1f}): figures taken now would mean nothing; try again later")
    rows = []
    for name in options.modules or MODULES:
        print(f"measuring {name} ...", file=sys.stderr)
        rows += MODULES[name].measure(options.n, options.docker)
    write(rows, versions(options.docker))


def versions(docker: str) -> dict[str, str]:
    """What was compared, and on what."""
    def said(*argv: str) -> str:
        return subprocess.run(argv, capture_output=True, text=True, check=True).stdout.strip()

    return {
        "Docker Engine": said(docker, "version", "--format", "{{.Server.Version}}"),
        "Compose": said(docker, "compose", "version", "--short"),
        "Python": platform.python_version(), "kernel": platform.release(), "cores": str(os.cpu_count()),
    }


if __name__ == "__main__":
    main()
