"""Kind `asgi`: generations of forked children behind one set of listeners, the newest that works in front."""

from __future__ import annotations

import select
import signal
import socket
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Optional

from . import child, fresh
from .channel import Channel
from .generation import Generation
from .placeholder import Placeholder
from .processes import fork, verdict
from .say import names, quoted, say
from .settings import Settings
from .supervisor import Supervisor
from .warming import Warming

# For the lifespan's shutdown after the drain, and for a child told to hurry: more than it gives itself.
_SHUTDOWN_S, _HURRIED_S = 10.0, 12.0
# When a start is worth a word because it lasts; it goes on.
_SLOW_START_S = 5.0
_FIRST_RETRY_S, _LONGEST_RETRY_S = 1.0, 30.0


class AsgiSupervisor(Supervisor):
    """Forks a child for each edit and lets it take over once it serves."""

    def __init__(self, settings: Settings, options: Mapping[str, Any], listeners: Sequence[socket.socket],
                 address: str) -> None:
        super().__init__(settings)
        self._options = options
        self._listeners = list(listeners)
        self._address = address
        self._names: set[str] = set()
        self._generations: dict[int, Generation] = {}
        self._serving: Optional[Generation] = None
        self._starting: Optional[Generation] = None
        self._warming = Warming(settings, options.get("app_dir") or "", self._forget)
        # Without any code that works, starting is tried again: what is missing may be a backend.
        self._retry_at: Optional[float] = None
        self._retry_s = _FIRST_RETRY_S
        self._complaint = ""
        self._final_code = 0

    def start(self) -> None:
        self._spawn([])

    # What happens

    def edited(self, changed: list[str]) -> None:
        self._retry_at, self._retry_s = None, _FIRST_RETRY_S
        newer = self._starting
        if newer:
            self._supersede(newer)
            changed = sorted({*changed, *newer.changed})
        self._spawn(changed)

    def hear(self) -> None:
        self._warming.hear()
        for generation in list(self._generations.values()):
            self._hear(generation)

    def child_ended(self, pid: int, code: int) -> None:
        if self._warming.ended(pid):
            return
        generation = self._generations.pop(pid, None)
        if generation is None:
            return  # an orphan of the service's that came to us as process 1
        self._hear(generation)
        generation.channel.close()
        if self.is_stopping:
            if generation in (self._serving, self._starting):
                self._final_code = code
            self.exit_code = None if self._generations else self._final_code
        elif generation is self._serving:
            say(f"the service ended by itself ({verdict(code)})")
            self._leave(code)
        elif generation is self._starting:
            self._starting = None
            self._failed(generation, code)
        elif generation.successor:
            self._announce(generation.successor)

    def forward(self, number: int) -> None:
        if not self.is_stopping:
            if self._serving:
                self._serving.signal(number)
            return
        self._warming.stop()
        # On a terminal, Ctrl-C reaches every process by itself, and a second one would be an order to hurry.
        if number != signal.SIGINT or not (sys.stdin and sys.stdin.isatty()):
            for generation in self._generations.values():
                generation.signal(number)
        if not self._generations:
            self.exit_code = 128 + number

    def tick(self, now: float) -> None:
        for generation in self._generations.values():
            generation.channel.flush()
            if generation.kill_at is not None and now >= generation.kill_at:
                say(f"the old code did not end: process {generation.pid} is killed")
                generation.kill_at = None
                generation.signal(signal.SIGKILL)
        if self.is_stopping:
            return
        if self._starting:
            if not self._starting.is_slow and now >= self._starting.began + _SLOW_START_S:
                self._starting.is_slow = True
                say(f"the new code has been starting for {_SLOW_START_S:.0f} s; what served before still does")
        elif self._retry_at is not None and now >= self._retry_at:
            self._retry_at = None
            self._spawn([])
        else:
            self._warming.tick(now, self._names)

    def due(self) -> Iterable[float]:
        yield from (one.kill_at for one in self._generations.values() if one.kill_at is not None)
        if self.is_stopping:
            return
        if self._starting:
            if not self._starting.is_slow:
                yield self._starting.began + _SLOW_START_S
        elif self._retry_at is not None:
            yield self._retry_at
        else:
            yield from self._warming.due()

    def listening(self) -> dict[int, int]:
        wanted = {one.channel.fileno(): select.POLLIN | (0 if one.channel.flush() else select.POLLOUT)
                  for one in self._generations.values() if one.channel.is_open}
        return {**wanted, **self._warming.listening()}

    # What is done about it

    def _spawn(self, changed: Sequence[str], placeholder: Optional[Placeholder] = None) -> None:
        self._names |= fresh.module_names(self.settings.sources, self.watch.paths())
        is_first = not self._generations
        ours, theirs = Channel.pair()
        pid = fork(self._forget)
        if pid == 0:
            ours.close()
            # Out of the loop by its own way: the interpreter ends as it would for the plain command.
            raise SystemExit(child.serve(self.settings, self._options, self._listeners, theirs, self._names,
                                         is_first=is_first, stand_in=placeholder))
        theirs.close()
        self._starting = Generation(pid, ours, changed, self.watch.noticed_at, bool(placeholder))
        self._generations[pid] = self._starting

    def _forget(self) -> None:
        self.forget()
        self._warming.forget()
        for generation in self._generations.values():
            generation.channel.close()

    def _supersede(self, generation: Generation) -> None:
        self._starting = None
        if generation.is_loaded:
            # Its lifespan may hold something that wants to be given back: it starts, and is drained at once.
            generation.drain(_SLOW_START_S + self.settings.drain_s + _SHUTDOWN_S)
        else:
            generation.signal(signal.SIGKILL)

    def _hear(self, generation: Generation) -> None:
        for message in generation.channel.receive():
            if message.kind == "loaded":
                generation.is_loaded = True
            elif message.kind == "missing":
                self._warming.learn(message.fields["modules"], message.fields["files"])
            elif message.kind == "failed":
                generation.failure = (message.fields["headline"], message.fields["details"])
            elif message.kind == "stopped" and generation.successor:
                self._announce(generation.successor)
                generation.successor = None
            elif message.kind == "ready" and generation is self._starting:
                self._take_over(generation)
            elif message.kind == "connection" and message.fd is not None:
                assert self._serving
                self._serving.channel.post("connection", message.fd)

    def _take_over(self, generation: Generation) -> None:
        before, self._serving, self._starting = self._serving, generation, None
        for older in self._generations.values():
            if older not in (before, generation):
                older.hurry(_HURRIED_S)
        if before:
            before.drain(self.settings.drain_s + _SHUTDOWN_S, generation)
        else:
            self._announce(generation)
        if not generation.is_placeholder:
            self._complaint, self._retry_at, self._retry_s = "", None, _FIRST_RETRY_S
            self._warming.start_after(self.settings.warm_after_s)

    def _announce(self, generation: Generation) -> None:
        if generation.is_placeholder:
            return
        if generation.changed:
            say(f"reloaded in {generation.took_ms()} ms: {names(generation.changed, self.settings.sources)}")
        else:
            say(f"serving on {self._address}, edits of {', '.join(self.settings.sources)} are served at once")

    def _failed(self, generation: Generation, code: int) -> None:
        headline, details = generation.reason(code)
        if self._serving and not self._serving.is_placeholder:
            say(f"not reloaded, the code from before the edit still serves: "
                f"{names(generation.changed, self.settings.sources)}\n{quoted(details)}")
            return
        if generation.is_placeholder or generation.failure is None:
            say(f"the service does not start: {headline}")
            self._leave(code or 1)
            return
        self._retry_at, self._retry_s = time.monotonic() + self._retry_s, min(2 * self._retry_s, _LONGEST_RETRY_S)
        if details != self._complaint:
            self._complaint = details
            say(f"the service does not start; {self._address} answers 503 until an edit mends it, or a try in "
                f"{_FIRST_RETRY_S:g} to {_LONGEST_RETRY_S:g} s\n{quoted(details)}")
            self._spawn([], Placeholder(headline))

    def _leave(self, code: int) -> None:
        for generation in self._generations.values():
            generation.signal(signal.SIGTERM)
        self.exit_code = code
