"""One writer per checkout: a kernel lock, which the death of its holder frees."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import time

from devenv.errors import LockedError, naming
from devenv.output import say


@contextmanager
def locked(directory: Path, command: str, wait: bool = True,
           hint: str = "wait for it, or run without --no-wait") -> Iterator[None]:
    """Hold the checkout's lock; waits for another holder, or raises LockedError that names it."""
    directory.mkdir(exist_ok=True)
    with (directory / "lock").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = _holder(file.fileno())
            if not wait:
                raise LockedError(f"another devenv works on this checkout: {holder}", hint) from None
            say(f"waiting for another devenv on this checkout: {holder}")
            fcntl.flock(file, fcntl.LOCK_EX)
        with naming(directory / "lock"):
            file.truncate(0)
            # Past the buffer: what a full disk refuses must not be tried again when the file is closed.
            os.write(file.fileno(), json.dumps({"pid": os.getpid(), "command": command, "since": time()}).encode())
        try:
            yield
        finally:
            file.truncate(0)


def _holder(descriptor: int) -> str:
    try:
        data = json.loads(os.pread(descriptor, 4096, 0))
        return f"`devenv {data['command']}`, process {data['pid']}, for {time() - data['since']:.0f} s"
    except (ValueError, KeyError):
        return "it has not said who it is yet"
