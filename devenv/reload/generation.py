"""The forked children of kind `asgi`, as the parent knows them."""

from __future__ import annotations

import os
import select
import signal
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import Optional

from .channel import Channel
from .processes import tell, verdict
from .say import say

# For the lifespan's shutdown after a drain, and for a child that is told to hurry: more than it gives itself.
_SHUTDOWN_S, _HURRIED_S = 10.0, 12.0


class Generation:
    """A child, what made it, and how far it has come."""

    def __init__(self, pid: int, channel: Channel, changed: Sequence[str], noticed_at: float,
                 is_placeholder: bool) -> None:
        self.pid = pid
        self.channel = channel
        self.changed = list(changed)
        self.is_placeholder = is_placeholder
        self.noticed_at = noticed_at
        self.began = time.monotonic()
        # It has imported the application, and may have started its lifespan; it serves.
        self.is_loaded = self.is_ready = False
        self.is_slow = False
        self.failure: Optional[tuple[str, str]] = None
        self.kill_at: Optional[float] = None
        # The one that takes over from this one, until that is complete.
        self.successor: Optional[Generation] = None

    def drain(self, within_s: float, successor: Optional[Generation] = None) -> None:
        """Let it finish what it has begun; it says "stopped" when the successor gets all that is new."""
        self.successor = successor
        self.channel.post("drain")
        self.kill_at = time.monotonic() + within_s + _SHUTDOWN_S

    def hurry(self) -> None:
        """Let it finish sooner than it was told before."""
        self.channel.post("hurry")
        self.kill_at = min(self.kill_at or float("inf"), time.monotonic() + _HURRIED_S)

    def took_ms(self) -> int:
        """Since the edit was noticed."""
        return round((time.monotonic() - self.noticed_at) * 1000)

    def signal(self, number: int) -> None:
        tell(self.pid, number)

    def reason(self, code: int) -> tuple[str, str]:
        """Why it never served: in a line, and in full."""
        word = f"it ended while it started ({verdict(code)})"
        return self.failure or (word, word)


class Generations:
    """Those that have not ended: one serves, one may be starting, the others are on their way out."""

    def __init__(self) -> None:
        self._by_pid: dict[int, Generation] = {}
        self.serving: Optional[Generation] = None
        self.starting: Optional[Generation] = None
        # Open connections that were given back while nobody served.
        self._connections: list[int] = []

    def __bool__(self) -> bool:
        return bool(self._by_pid)

    def __iter__(self) -> Iterator[Generation]:
        return iter(list(self._by_pid.values()))

    def add(self, generation: Generation) -> None:
        self._by_pid[generation.pid] = self.starting = generation

    def remove(self, pid: int) -> Optional[Generation]:
        return self._by_pid.pop(pid, None)

    def supersede(self, drain_s: float) -> list[str]:
        """Let the one that is starting go; returns the edits that it stood for."""
        superseded, self.starting = self.starting, None
        for one in self._leaving():
            if not one.is_ready and one is not superseded:
                one.signal(signal.SIGKILL)
        if superseded is None:
            return []
        if superseded.is_loaded:
            # Its lifespan may hold something that wants to be given back: it starts, and is drained at once.
            superseded.drain(drain_s)
        else:
            superseded.signal(signal.SIGKILL)
        return superseded.changed

    def take_over(self, drain_s: float) -> Optional[Generation]:
        """Put the one that was starting in front; returns the one that was there, if any."""
        before, self.serving, self.starting = self.serving, self.starting, None
        self._pass_on()
        for older in self._leaving():
            if older is not before:
                older.hurry()
        if before:
            before.drain(drain_s, self.serving)
        return before

    def adopt(self, connection: int) -> None:
        """Give an open connection to the one that serves, as soon as there is one."""
        self._connections.append(connection)
        self._pass_on()

    def signal(self, number: int) -> None:
        for one in self._by_pid.values():
            one.signal(number)

    def tick(self, now: float) -> None:
        """End those that had long enough."""
        for one in self._by_pid.values():
            if one.kill_at is not None and now >= one.kill_at:
                say(f"the old code did not end: process {one.pid} is killed")
                one.kill_at = None
                one.signal(signal.SIGKILL)

    def due(self) -> Iterable[float]:
        return [one.kill_at for one in self._by_pid.values() if one.kill_at is not None]

    def listening(self) -> dict[int, int]:
        """What to wait for: words from any of them, and room for what is still to be sent."""
        return {one.channel.fileno(): select.POLLIN | (0 if one.channel.flush() else select.POLLOUT)
                for one in self._by_pid.values() if one.channel.is_open}

    def close(self) -> None:
        """In a child: close what is the parent's."""
        for connection in self._connections:
            os.close(connection)
        for one in self._by_pid.values():
            one.channel.close()

    def _leaving(self) -> list[Generation]:
        return [one for one in self._by_pid.values() if one not in (self.serving, self.starting)]

    def _pass_on(self) -> None:
        while self._connections and self.serving:
            self.serving.channel.post("connection", self._connections.pop())
