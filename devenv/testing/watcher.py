"""`python -m devenv.testing.watcher DIRECTORY`: one process that waits for the end of a set, and removes it.

It costs nothing meanwhile: the kernel wakes it when the last user of the set lets go, or is killed.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import sys
from pathlib import Path
from time import sleep

from devenv.engine import Engine
from devenv.errors import DevenvError
from devenv.shell import Runner
from devenv.testing.leases import Terms, alone, idle_s
from devenv.testing.reaper import is_over, remove

LOCK = "watcher"
LOOK_S = 5.0  # while a warm set is idle: how soon its removal by others is noticed
PATIENCE = 30  # attempts, LOOK_S apart, at an engine that does not answer


def ensure(directory: Path) -> None:
    """Start one for this set, unless one runs."""
    with (directory / LOCK).open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return
    Runner().detach(sys.executable, "-m", __name__, str(directory), log=directory / "watcher.log")


def watch(directory: Path) -> None:
    """Return once the set is gone, removed by us or by another."""
    while directory.is_dir():
        with alone(directory, wait=True) as is_alone:
            if not is_alone:
                return
            terms = Terms.read(directory)
            if is_over(directory, terms):
                _remove(Engine(terms.engine, timeout_s=60), terms.set_id)
                shutil.rmtree(directory, ignore_errors=True)
                return
            left_s = terms.idle_limit_s - idle_s(directory)
        sleep(max(0.01, min(left_s, LOOK_S)))


def main() -> None:
    """Watch the set in the directory that the command line names."""
    directory = Path(sys.argv[1])
    try:
        lock = os.open(directory / LOCK, os.O_RDWR | os.O_CREAT)
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, FileNotFoundError):
        return  # another one watches, or there is nothing left to watch
    watch(directory)


def _remove(engine: Engine, set_id: str) -> None:
    for attempt in range(PATIENCE):
        try:
            remove(engine, set_id, settle_s=1)
            return
        except DevenvError:
            if attempt == PATIENCE - 1:
                raise
            sleep(LOOK_S)


if __name__ == "__main__":
    main()
