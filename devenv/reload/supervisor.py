"""The parent's loop: signals, ended children and edits, one after the other, in one thread."""

from __future__ import annotations

import select
import signal
import time
from collections.abc import Iterable
from typing import Optional

from .processes import ENDING, Signals, ended
from .say import say
from .settings import Settings
from .watch import Watch


class Supervisor:
    """Waits for what happens and calls the method that is named after it."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.is_stopping = False
        self.exit_code: Optional[int] = None
        self.signals = Signals()
        # Before the first child reads the sources, so that no edit goes unseen.
        self.watch = Watch(settings.sources, say)

    def run(self) -> int:
        """Run until the command ends by itself or is told to; returns the exit code to leave with."""
        self.start()
        while self.exit_code is None:
            self._wait()
            for number in self.signals.read():
                if number != signal.SIGCHLD:
                    self.signalled(number)
            self.hear()
            for pid, code in ended():
                self.child_ended(pid, code)
            if self.exit_code is None and not self.is_stopping:
                changed = self.watch.changes()
                if changed:
                    self.edited(changed)
            if self.exit_code is None:
                self.tick(time.monotonic())
        return self.exit_code

    def signalled(self, number: int) -> None:
        """Pass a signal on; the ones that end a command are the beginning of our end too."""
        self.is_stopping = self.is_stopping or number in ENDING
        self.forward(number)

    def start(self) -> None:
        raise NotImplementedError

    def edited(self, changed: list[str]) -> None:
        raise NotImplementedError

    def child_ended(self, pid: int, code: int) -> None:
        raise NotImplementedError

    def forward(self, number: int) -> None:
        raise NotImplementedError

    def tick(self, now: float) -> None:
        """Do what has come due."""

    def hear(self) -> None:
        """Read what children say."""

    def due(self) -> Iterable[float]:
        """Times by `time.monotonic` at which `tick` has something to do."""
        return ()

    def listening(self) -> dict[int, int]:
        """Descriptors to wait for, with the poll(2) events."""
        return {}

    def forget(self) -> None:
        """In a child: close what is the parent's."""
        self.signals.forget()
        self.watch.close()

    def _wait(self) -> None:
        poll = select.poll()
        poll.register(self.signals.fileno(), select.POLLIN)
        edits = self.watch.fileno()
        if edits is not None and not self.is_stopping:
            poll.register(edits, select.POLLIN)
        for fd, events in self.listening().items():
            poll.register(fd, events)
        now = time.monotonic()
        waits = [moment - now for moment in self.due()]
        if not self.is_stopping:
            waits.append(self.watch.wait_s())
        # Rounded up, or the last millisecond before a deadline would be spent spinning.
        poll.poll(max(0, int(min(waits) * 1000) + 1) if waits else None)
