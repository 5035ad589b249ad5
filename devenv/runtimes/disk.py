"""A full disk says so in many voices: is it what a failed step suffered from?"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from devenv.engine import Engine
from devenv.errors import DevenvError

LITTLE_MB = 500
NEXT = "free some space (`docker system df` shows what takes it), then run the same command again"


def blame_disk(engine: Engine, failure: DevenvError,
               free_bytes: Callable[[Path], int] = lambda path: shutil.disk_usage(path).free) -> DevenvError:
    """`failure`, with the disk named where the engine's is full; otherwise `failure` itself."""
    if failure.exit_code != 1 or failure.details.get("cause") == "disk":
        return failure
    try:
        root = Path(engine.get("/info")["DockerRootDir"])
        # In a virtual machine (Docker Desktop) the folder is not here to be measured.
        left_mb = free_bytes(root) // 2**20 if root.is_dir() else None
    except (DevenvError, OSError, KeyError):
        return failure
    # The kernel's own sentence, passed on by whichever tool met it: no tool has an exit code for it.
    said = "no space left on device" in failure.message.lower()
    if not said and (left_mb is None or left_mb >= LITTLE_MB):
        return failure
    measured = "" if left_mb is None else f": {left_mb} MB are left in `{root}`"
    return DevenvError(f"{failure.message}\nthe engine's disk is full{measured}", NEXT,
                       {**failure.details, "cause": "disk"})
