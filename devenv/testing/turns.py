"""Tests of several workers share a set side by side; a test that hurts a backend has it to itself until its end."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path


class Turns:
    """A lock for readers and writers on two files; a waiting writer is not overtaken by new readers."""

    def __init__(self, directory: Path) -> None:
        self._gate = os.open(directory / "gate", os.O_RDWR | os.O_CREAT, 0o600)
        self._room = os.open(directory / "room", os.O_RDWR | os.O_CREAT, 0o600)
        self._is_alone = False

    def enter(self, alone: bool = False) -> None:
        """A test begins: wait while another has the set to itself, and for the others' end where it will."""
        fcntl.flock(self._gate, fcntl.LOCK_EX)
        fcntl.flock(self._room, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        fcntl.flock(self._gate, fcntl.LOCK_UN)
        self._is_alone = alone

    def alone(self) -> None:
        """The running test is about to hurt something: wait until the others have ended, and keep new ones out."""
        if self._is_alone:
            return
        # Given up first: two tests that each wait for the other's end would wait for ever. So another one may come
        # before us in the middle of our test, which `enter(alone=True)` rules out.
        fcntl.flock(self._room, fcntl.LOCK_UN)
        fcntl.flock(self._gate, fcntl.LOCK_EX)
        fcntl.flock(self._room, fcntl.LOCK_EX)
        fcntl.flock(self._gate, fcntl.LOCK_UN)
        self._is_alone = True

    def leave(self) -> None:
        """The test has ended, and what it hurt is mended."""
        fcntl.flock(self._room, fcntl.LOCK_UN)
        self._is_alone = False

    def close(self) -> None:
        """Let go of everything."""
        os.close(self._gate)
        os.close(self._room)
