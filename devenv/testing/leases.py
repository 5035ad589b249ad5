"""Who uses a set: kernel locks, which the death of their holder frees, however it dies."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from time import time
from uuid import uuid4

FILE = "lease"


@dataclass(frozen=True)
class Terms:
    """What a set is for: the run that has it, and whether it is kept afterwards, for how long unused."""

    set_id: str
    run: str
    reuse: bool
    idle_limit_s: float
    engine: str

    def write(self, directory: Path) -> None:
        """Put them down beside the lease."""
        temporary = directory / f".terms.{os.getpid()}"
        temporary.write_text(json.dumps(asdict(self)))
        temporary.replace(directory / "terms.json")

    @classmethod
    def read(cls, directory: Path) -> Terms:
        """As written last; raises OSError or ValueError where there are none."""
        return cls(**json.loads((directory / "terms.json").read_text()))


class Lease:
    """One process's share in a set, until `release` or its death."""

    def __init__(self, directory: Path, descriptor: int) -> None:
        self.directory = directory
        self._descriptor = descriptor
        # Left behind by a process that was killed: its set may be in any state.
        self._mark = directory / "users" / f"{os.getpid()}-{uuid4().hex[:8]}"
        self._mark.parent.mkdir(exist_ok=True)
        self._mark.touch()

    def release(self) -> bool:
        """Give it up; returns whether this was the last user."""
        self._mark.unlink(missing_ok=True)
        os.utime(self._descriptor)
        is_last = not was_abandoned(self.directory)
        os.close(self._descriptor)
        return is_last


def share(directory: Path) -> Lease:
    """A lease on this set, which is made if need be; waits while another process removes it."""
    while True:
        directory.mkdir(parents=True, exist_ok=True)
        try:
            descriptor = os.open(directory / FILE, os.O_RDWR | os.O_CREAT, 0o600)
        except FileNotFoundError:
            continue  # removed at this very moment
        fcntl.flock(descriptor, fcntl.LOCK_SH)
        if _is_current(directory, descriptor):
            os.utime(descriptor)
            return Lease(directory, descriptor)
        os.close(descriptor)


@contextmanager
def alone(directory: Path, wait: bool = False) -> Iterator[bool]:
    """Whether nobody uses the set, and nobody begins to as long as the block lasts; False for a set that is gone."""
    try:
        descriptor = os.open(directory / FILE, os.O_RDWR)
    except FileNotFoundError:
        yield False
        return
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            yield False
            return
        yield _is_current(directory, descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """One process at a time, for a moment's work on what `path` is named after."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def was_abandoned(directory: Path) -> bool:
    """Whether somebody uses it, or was killed while using it."""
    users = directory / "users"
    return users.is_dir() and any(users.iterdir())


def idle_s(directory: Path) -> float:
    """Seconds since a lease was taken or given up."""
    return time() - (directory / FILE).stat().st_mtime


def _is_current(directory: Path, descriptor: int) -> bool:
    """Whether the file that we hold is still the one at its path: a removed set's lease is worth nothing."""
    try:
        return os.fstat(descriptor).st_ino == (directory / FILE).stat().st_ino
    except FileNotFoundError:
        return False
