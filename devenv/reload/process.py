"""Kind `process`: any command, ended and started again for each edit."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterable
from contextlib import suppress
from typing import Optional

from .processes import fork, tell, verdict
from .ready import answers
from .say import names, say
from .settings import Settings
from .supervisor import Supervisor

# A failure so soon after an edit is the edit's: another edit is waited for, instead of ending the container.
_SETTLED_S = 5.0
_ASK_EVERY_S = 0.1


class ProcessSupervisor(Supervisor):
    """Ends the command's whole process group before it starts the command again."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self._pid: Optional[int] = None
        self._began = 0.0
        self._changed: list[str] = []
        self._is_ending = False
        self._kill_at: Optional[float] = None
        self._ask_at: Optional[float] = None

    def start(self) -> None:
        self._began = time.monotonic()
        pid = fork(self.forget)
        if pid == 0:
            self._exec()
        self._set_group(pid)
        self._pid = pid
        if self._changed and self.settings.ready:
            self._ask_at = self._began
        elif self._changed:
            self._report("started again")

    def edited(self, changed: list[str]) -> None:
        self._changed = sorted({*self._changed, *changed}) if self._is_ending else changed
        self._ask_at = None
        if self._pid is None:
            self.start()
        elif not self._is_ending:
            self._is_ending = True
            self._kill_at = time.monotonic() + self.settings.grace_s
            tell(-self._pid, signal.SIGTERM)

    def child_ended(self, pid: int, code: int) -> None:
        if pid != self._pid:
            return  # an orphan of the command's that came to us as process 1
        tell(-pid, signal.SIGKILL)  # what the command has started and left behind
        follows_edit = bool(self._changed) and time.monotonic() - self._began < _SETTLED_S
        self._pid = self._kill_at = self._ask_at = None
        if self.is_stopping:
            self.exit_code = code
        elif self._is_ending:
            self._is_ending = False
            self.start()
        elif code and follows_edit:
            say(f"the command failed right after the edit ({verdict(code)}); it is started again at the next one")
        else:
            self.exit_code = code

    def forward(self, number: int) -> None:
        if self._pid:
            tell(-self._pid, number)
        elif self.is_stopping:
            self.exit_code = 128 + number

    def tick(self, now: float) -> None:
        if self._kill_at is not None and now >= self._kill_at and self._pid:
            say(f"the command did not end within {self.settings.grace_s:g} s of SIGTERM: it is killed")
            self._kill_at = None
            tell(-self._pid, signal.SIGKILL)
        if self._ask_at is not None and now >= self._ask_at:
            self._ask_at = now + _ASK_EVERY_S
            if answers(self.settings.ready):
                self._ask_at = None
                self._report("ready again")

    def due(self) -> Iterable[float]:
        return [moment for moment in (self._kill_at, self._ask_at) if moment is not None]

    def _report(self, what: str) -> None:
        took_ms = round((time.monotonic() - self.watch.noticed_at) * 1000)
        say(f"{what} in {took_ms} ms: {names(self._changed, self.settings.sources)}")

    @staticmethod
    def _set_group(pid: int) -> None:
        # Done on both sides of the fork: whoever comes second is refused, or not needed.
        with suppress(OSError):
            os.setpgid(pid, 0)

    def _exec(self) -> None:
        command = self.settings.command
        try:
            self._set_group(0)
            os.execvp(command[0], command)
        except OSError as cause:
            say(f"cannot run `{command[0]}`: {cause.strerror}")
            os._exit(127 if isinstance(cause, FileNotFoundError) else 126)
