"""Edits of the sources, gathered into batches: told by inotify, and looked for where inotify is silent."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Optional

from .inotify import Inotify
from .snapshot import Snapshot

# One save is several events, and a checkout is thousands: a batch ends when nothing has come for `QUIET_S`, and
# at the latest `LONGEST_S` after its first event, so that constant writing starves nobody. While it goes on,
# batches grow up to `STORM_S`, so that it does not keep everybody busy either.
QUIET_S = 0.010
LONGEST_S = 0.200
STORM_S = 2.0


class Watch:
    """Says what changed below some directories; `wait_s` and `fileno` say when to ask."""

    def __init__(self, roots: Sequence[str], say: Callable[[str], None], clock: Callable[[], float] = time.monotonic,
                 notifier: Callable[[Sequence[str]], Inotify] = Inotify) -> None:
        self._roots = tuple(roots)
        self._say = say
        self._clock = clock
        self._touched: set[str] = set()
        self._first = self._last = 0.0
        self._longest_s = LONGEST_S
        # When the changes that were returned last began.
        self.noticed_at = clock()
        self._snapshot = Snapshot()
        self._inotify: Optional[Inotify] = None
        # Whether inotify is known to work on these mounts: on Docker Desktop it may be silent.
        self._told: Optional[bool] = None
        try:
            self._inotify = notifier(self._roots)
        except OSError as cause:
            self._fall_back(f"inotify is not available ({cause})")
        self._snapshot.refresh(self._roots, enter=self._enter)
        self._look_took_s = 0.0
        self._next_look = clock() + self._interval_s()

    def fileno(self) -> Optional[int]:
        return self._inotify.fileno() if self._inotify else None

    def close(self) -> None:
        if self._inotify:
            self._inotify.close()
            self._inotify = None

    def paths(self) -> list[str]:
        """All files there are, sorted."""
        return sorted(self._snapshot.files)

    def wait_s(self) -> float:
        """How long nothing needs to be done unless inotify's descriptor becomes readable."""
        return max(0.0, (self._batch_end() if self._touched else self._next_look) - self._clock())

    def changes(self) -> list[str]:
        """The files that changed, once a batch is complete; else nothing."""
        self._read()
        now = self._clock()
        if self._touched:
            if now < self._batch_end():
                return []
            was_quiet = now - self._last >= QUIET_S
            self._longest_s = LONGEST_S if was_quiet else min(2 * self._longest_s, STORM_S)
            touched, self._touched = self._touched, set()
            changed = self._snapshot.refresh(touched, enter=self._enter)
            self._told = self._told or bool(changed)
            self.noticed_at = self._first
            return changed
        return self._look() if now >= self._next_look else []

    def _read(self) -> None:
        touched = self._inotify.read() if self._inotify else set()
        if touched:
            self._last = self._clock()
            self._first = self._first if self._touched else self._last
            self._touched |= touched

    def _batch_end(self) -> float:
        return min(self._last + QUIET_S, self._first + self._longest_s)

    def _look(self) -> list[str]:
        began = self._clock()
        changed = self._snapshot.refresh(self._roots, enter=self._enter, by_metadata=True)
        self._look_took_s = self._clock() - began
        self.noticed_at = began
        self._read()
        if changed and self._inotify and not self._touched and self._told is None:
            self._told = False
            self._say("inotify tells nothing about these mounts (Docker Desktop?): looking at the files instead")
        self._next_look = self._clock() + self._interval_s()
        return changed

    def _interval_s(self) -> float:
        """Seldom where inotify has proven itself, else as often as a small share of one core allows."""
        if self._told:
            return max(10.0, 100 * self._look_took_s)
        if self._told is None and self._inotify:
            return max(1.0, 100 * self._look_took_s)
        return max(0.25, 20 * self._look_took_s)

    def _enter(self, directory: str) -> None:
        if not self._inotify:
            return
        try:
            self._inotify.add(directory)
        except OSError as cause:
            self.close()
            self._fall_back(f"inotify watches no more directories ({cause}; sysctl fs.inotify.max_user_watches)")

    def _fall_back(self, reason: str) -> None:
        self._say(f"{reason}: looking at the files instead, so an edit is served a little later")
