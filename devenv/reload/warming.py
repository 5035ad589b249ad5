"""When the parent imports third-party modules, and which: `warm` has the how."""

from __future__ import annotations

import os
import select
import signal
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Optional

from . import fresh, warm
from .channel import Channel
from .processes import fork, prefer_as_victim, tell
from .say import say
from .settings import Settings

_CHUNK = 500
_LONGEST_REHEARSAL_S = 60.0


class Warming:
    """Learns from children what they import, and brings it into the parent, bit by bit, while all is quiet."""

    def __init__(self, settings: Settings, app_dir: str, forget: Callable[[], None]) -> None:
        self._settings = settings
        self._app_dir = app_dir
        self._forget = forget
        self._wanted: dict[str, None] = {}
        self._unsafe: set[str] = set()
        self._next_at = float("inf")
        self._rehearsal: Optional[Rehearsal] = None
        self._safe: list[str] = []
        self._to_compile: list[str] = []

    def learn(self, modules: Iterable[str], files: Iterable[str]) -> None:
        """Take note of what a child had to import from elsewhere, and to compile of the sources."""
        self._wanted.update((name, None) for name in modules if name not in sys.modules and name not in self._unsafe)
        self._to_compile.extend(files)

    def start_after(self, delay_s: float) -> None:
        """Begin so much later, to leave the machine to a platform that is still starting; the first call counts."""
        self._next_at = min(self._next_at, time.monotonic() + delay_s)

    def tick(self, now: float, own: set[str]) -> None:
        """Do the next bit."""
        if self._to_compile:
            fresh.compile_ahead(self._to_compile.pop())
        elif self._safe:
            warm.load(self._safe.pop(0), self._unsafe, own, self._app_dir)
            if not self._safe:
                warm.settle()
                if self._settings.debug:
                    say(f"{len(sys.modules)} modules are imported ahead, {len(self._unsafe)} cannot be")
        elif self._rehearsal:
            if now >= self._rehearsal.kill_at:
                self.stop()
        elif self._wanted and now >= self._next_at:
            self._rehearsal = Rehearsal(list(self._wanted), own, self._app_dir, self._forget)
            self._wanted = {}

    def due(self) -> Iterable[float]:
        if self._to_compile or self._safe:
            yield 0.0
        elif self._rehearsal:
            yield self._rehearsal.kill_at
        elif self._wanted:
            yield self._next_at

    def listening(self) -> dict[int, int]:
        return {self._rehearsal.channel.fileno(): select.POLLIN} if self._rehearsal else {}

    def hear(self) -> None:
        """Read what the rehearsal says."""
        if self._rehearsal:
            for message in self._rehearsal.channel.receive():
                self._rehearsal.safe.extend(message.fields["names"])

    def ended(self, pid: int) -> bool:
        """Whether a child that ended was the rehearsal."""
        if not self._rehearsal or self._rehearsal.pid != pid:
            return False
        self.hear()
        self._rehearsal.channel.close()
        # Also after a crash: what nobody has seen to be safe is not.
        self._unsafe |= set(self._rehearsal.names) - set(self._rehearsal.safe)
        self._safe, self._rehearsal = self._rehearsal.safe, None
        return True

    def stop(self) -> None:
        if self._rehearsal:
            tell(self._rehearsal.pid, signal.SIGKILL)

    def forget(self) -> None:
        """In a child: close what is the parent's."""
        if self._rehearsal:
            self._rehearsal.channel.close()


class Rehearsal:
    """A child that imports some modules, says which of them the parent may import, and ends."""

    def __init__(self, names: Sequence[str], own: set[str], app_dir: str, forget: Callable[[], None]) -> None:
        self.names = names
        self.safe: list[str] = []
        self.kill_at = time.monotonic() + _LONGEST_REHEARSAL_S
        self.channel, theirs = Channel.pair()
        self.pid = fork(forget)
        if self.pid == 0:
            _rehearse(names, own, app_dir, theirs)
        theirs.close()


def _rehearse(names: Sequence[str], own: set[str], app_dir: str, channel: Channel) -> None:
    try:
        # What a module prints when it is imported, the service has printed already.
        silence = os.open(os.devnull, os.O_RDWR)
        os.dup2(silence, 1)
        os.dup2(silence, 2)
        os.nice(5)
        # Should memory not suffice for all this once more, then it is not imported ahead.
        prefer_as_victim(True)
        sys.path.insert(0, app_dir)
        safe = warm.rehearse(names, own)
        for start in range(0, len(safe), _CHUNK):
            channel.send("safe", names=safe[start:start + _CHUNK])
    finally:
        os._exit(0)  # threads that an import has started must not keep it
