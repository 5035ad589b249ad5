"""Programs that a killed `up` left at work: each would come between what the next one does.

`kind create`, when it fails, deletes every node of the cluster's name, also those made since; Tilt keeps its port.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence
from pathlib import Path

PROCESSES = Path("/proc")


def end(argv: Sequence[str], processes: Path = PROCESSES) -> list[int]:
    """Kill what runs with exactly these words, which name this checkout's files or ports; returns the process ids.

    The caller holds the checkout's lock, so none of them belongs to an `up` that is alive.
    """
    wanted = [word.encode() for word in argv[1:]]
    ended = []
    for path in processes.glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().split(b"\0")[:-1]
            if words[1:] == wanted and words[0].rpartition(b"/")[2] == argv[0].encode():
                os.kill(int(path.parent.name), signal.SIGKILL)
                ended.append(int(path.parent.name))
        except OSError:
            continue  # it ended by itself, or is another user's
    return ended
