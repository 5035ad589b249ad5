"""One forked child of kind `asgi`, as the parent knows it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Optional

from .channel import Channel
from .processes import tell, verdict


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
        self.is_loaded = False
        self.is_slow = False
        self.failure: Optional[tuple[str, str]] = None
        self.kill_at: Optional[float] = None
        # The one that takes over from this one, until that is complete.
        self.successor: Optional[Generation] = None

    def drain(self, within_s: float, successor: Optional[Generation] = None) -> None:
        """Let it finish what it has begun; it says "stopped" when the successor gets all that is new."""
        self.successor = successor
        self.channel.post("drain")
        self.kill_at = time.monotonic() + within_s

    def hurry(self, within_s: float) -> None:
        """Let it finish sooner than it was told before."""
        self.channel.post("hurry")
        self.kill_at = min(self.kill_at or float("inf"), time.monotonic() + within_s)

    def took_ms(self) -> int:
        """Since the edit was noticed."""
        return round((time.monotonic() - self.noticed_at) * 1000)

    def signal(self, number: int) -> None:
        tell(self.pid, number)

    def reason(self, code: int) -> tuple[str, str]:
        """Why it never served: in a line, and in full."""
        word = f"it ended while it started ({verdict(code)})"
        return self.failure or (word, word)
