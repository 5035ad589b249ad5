"""The parent's view of signals and child processes; a fork that is safe with both."""

from __future__ import annotations

import os
import signal
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

# Sent on to the command, which may give them a meaning; SIGCHLD is for the parent itself.
FORWARDED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2)
ENDING = (signal.SIGTERM, signal.SIGINT)
_HANDLED = (*FORWARDED, signal.SIGCHLD)
_PR_SET_PDEATHSIG = 1


class Signals:
    """Turns signals into something to wait for: `fileno` becomes readable."""

    def __init__(self) -> None:
        self._ours, self._theirs = socket.socketpair()
        self._ours.setblocking(False)
        self._theirs.setblocking(False)
        signal.set_wakeup_fd(self._theirs.fileno(), warn_on_full_buffer=False)
        for number in _HANDLED:
            signal.signal(number, lambda *_: None)

    def fileno(self) -> int:
        return self._ours.fileno()

    def read(self) -> list[int]:
        """The signals that came since the last call."""
        try:
            return list(self._ours.recv(4096))
        except BlockingIOError:
            return []

    def forget(self) -> None:
        """In a child: give every signal its usual meaning again."""
        signal.set_wakeup_fd(-1)
        for number in _HANDLED:
            signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
        self._ours.close()
        self._theirs.close()


def fork(forget_parent: Callable[[], None]) -> int:
    """`os.fork`; in the child, `forget_parent` has run before any signal arrives."""
    sys.stdout.flush()
    sys.stderr.flush()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _HANDLED)
    try:
        pid = os.fork()
        if pid == 0:
            _die_with_parent()
            forget_parent()
        return pid
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _die_with_parent() -> None:
    with suppress(OSError, AttributeError, ImportError):
        import ctypes

        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def prefer_as_victim(is_preferred: bool) -> None:
    """Whether this process, rather than another of the container's, should go when memory runs out."""
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000" if is_preferred else _OWN_OOM_SCORE)


def _oom_score() -> str:
    with suppress(OSError):
        return Path("/proc/self/oom_score_adj").read_text()
    return "0"


_OWN_OOM_SCORE = _oom_score()


def ended() -> list[tuple[int, int]]:
    """(process id, exit code) of each child that ended, orphans included; 128 + n means killed by signal n."""
    found: list[tuple[int, int]] = []
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return found
        if pid == 0:
            return found
        code = os.waitstatus_to_exitcode(status)
        found.append((pid, code if code >= 0 else 128 - code))


def tell(pid: int, number: int) -> None:
    """Send a signal to a child that may be gone."""
    with suppress(ProcessLookupError):
        os.kill(pid, number)


def verdict(code: int) -> str:
    """An exit code in words."""
    if code <= 128:
        return f"exit code {code}"
    try:
        name = signal.Signals(code - 128).name
    except ValueError:
        return f"exit code {code}"
    return f"killed by {name}" + (" (out of memory?)" if name == "SIGKILL" else "")
