"""Kind `asgi`: generations of forked children behind one set of listeners, the newest that works in front."""

from __future__ import annotations

import signal
import socket
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Optional

from . import child, fresh
from .channel import Channel
from .generation import Generation, Generations
from .placeholder import Placeholder
from .processes import fork, verdict
from .say import names, quoted, say
from .settings import Settings
from .supervisor import Supervisor
from .warming import Warming

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
        self._modules: set[str] = set()
        self._generations = Generations()
        self._warming = Warming(settings, options.get("app_dir") or "", self._forget)
        # Without any code that works, starting is tried again: what is missing may be a backend.
        self._retry_at: Optional[float] = None
        self._retry_s = _FIRST_RETRY_S
        self._complaint = ""
        self._has_served = False
        self._final_code = 0

    def start(self) -> None:
        self._modules = fresh.module_names(self.settings.sources, self.watch.paths())
        self._spawn([])

    def edited(self, changed: list[str]) -> None:
        self._is_well()
        before = self._generations.supersede(self.settings.drain_s)
        self._spawn(sorted({*changed, *before}))

    def hear(self) -> None:
        self._warming.hear()
        for generation in self._generations:
            self._hear(generation)

    def child_ended(self, pid: int, code: int) -> None:
        if self._warming.ended(pid):
            return
        generation = self._generations.remove(pid)
        if generation is None:
            return  # an orphan of the service's that came to us as process 1
        self._hear(generation)
        generation.channel.close()
        if self.is_stopping:
            if generation is (self._generations.serving or self._generations.starting):
                self._final_code = code
            self.exit_code = None if self._generations else self._final_code
        elif generation is self._generations.serving:
            say(f"the service ended by itself ({verdict(code)})")
            self._leave(code)
        elif generation is self._generations.starting:
            self._generations.starting = None
            self._failed(generation, code)
        elif generation.successor:
            self._announce(generation.successor)

    def forward(self, number: int) -> None:
        if not self.is_stopping:
            if self._generations.serving:
                self._generations.serving.signal(number)
            return
        self._warming.stop()
        # On a terminal, Ctrl-C reaches every process by itself, and a second one would be an order to hurry.
        if number != signal.SIGINT or not (sys.stdin and sys.stdin.isatty()):
            self._generations.signal(number)
        if not self._generations:
            self.exit_code = 128 + number

    def tick(self, now: float) -> None:
        self._generations.tick(now)
        starting = self._generations.starting
        if self.is_stopping:
            return
        if starting:
            if not starting.is_slow and now >= starting.began + _SLOW_START_S:
                starting.is_slow = True
                say(f"the code has been starting for {_SLOW_START_S:g} s, and goes on")
        elif self._retry_at is not None and now >= self._retry_at:
            self._retry_at = None
            self._spawn([])
        else:
            self._warming.tick(now, self._modules)

    def due(self) -> Iterable[float]:
        yield from self._generations.due()
        starting = self._generations.starting
        if self.is_stopping:
            return
        if starting:
            if not starting.is_slow:
                yield starting.began + _SLOW_START_S
        elif self._retry_at is not None:
            yield self._retry_at
        else:
            yield from self._warming.due()

    def listening(self) -> dict[int, int]:
        return {**self._generations.listening(), **self._warming.listening()}

    def _spawn(self, changed: Sequence[str], placeholder: Optional[Placeholder] = None) -> None:
        self._modules |= fresh.module_names(self.settings.sources, changed)
        is_first = not self._generations
        ours, theirs = Channel.pair()
        pid = fork(self._forget)
        if pid == 0:
            ours.close()
            # Out of the loop by its own way: the interpreter ends as it would for the plain command.
            raise SystemExit(child.serve(self.settings, self._options, self._listeners, theirs, self._modules,
                                         is_first=is_first, stand_in=placeholder))
        theirs.close()
        self._generations.add(Generation(pid, ours, changed, self.watch.noticed_at, bool(placeholder)))

    def _forget(self) -> None:
        self.forget()
        self._warming.forget()
        self._generations.close()

    def _hear(self, generation: Generation) -> None:
        for message in generation.channel.receive():
            if message.kind == "loaded":
                generation.is_loaded = True
            elif message.kind == "ready":
                generation.is_ready = True
                if generation is self._generations.starting:
                    self._take_over(generation)
            elif message.kind == "missing":
                self._warming.learn(message.fields["modules"], message.fields["files"])
            elif message.kind == "failed":
                generation.failure = (message.fields["headline"], message.fields["details"])
            elif message.kind == "connection" and message.fd is not None:
                self._generations.adopt(message.fd)
            elif message.kind == "stopped" and generation.successor:
                self._announce(generation.successor)
                generation.successor = None

    def _take_over(self, generation: Generation) -> None:
        if not self._generations.take_over(self.settings.drain_s):
            self._announce(generation)
        if not generation.is_placeholder:
            self._is_well()
            self._warming.start_after(self.settings.warm_after_s)

    def _announce(self, generation: Generation) -> None:
        if generation.is_placeholder:
            return
        if self._has_served:
            say(f"reloaded in {generation.took_ms()} ms: {names(generation.changed, self.settings.sources)}")
        else:
            say(f"serving on {self._address}, edits of {', '.join(self.settings.sources)} are served at once")
        self._has_served = True

    def _failed(self, generation: Generation, code: int) -> None:
        headline, details = generation.reason(code)
        serving = self._generations.serving
        if serving and not serving.is_placeholder:
            say(f"not reloaded, the code from before the edit still serves: "
                f"{names(generation.changed, self.settings.sources)}\n{quoted(details)}")
            return
        if generation.is_placeholder or not (serving or generation.failure):
            say(f"the service does not start: {headline}")
            self._leave(code or 1)
            return
        self._retry_at, self._retry_s = time.monotonic() + self._retry_s, min(2 * self._retry_s, _LONGEST_RETRY_S)
        if details != self._complaint:
            self._complaint = details
            say(f"the service does not start; {self._address} answers 503 until an edit mends it, or a try in "
                f"{_FIRST_RETRY_S:g} to {_LONGEST_RETRY_S:g} s\n{quoted(details)}")
            self._spawn([], Placeholder(headline))

    def _is_well(self) -> None:
        self._complaint, self._retry_at, self._retry_s = "", None, _FIRST_RETRY_S

    def _leave(self, code: int) -> None:
        self._generations.signal(signal.SIGTERM)
        self.exit_code = code
