"""uvicorn's server in a child: on the parent's listeners, and with a hand-over instead of a cut."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Coroutine, Sequence
from typing import Any, Optional, cast

from uvicorn.config import Config
from uvicorn.server import Server

from .channel import Channel, Message
from .fresh import missing_ahead
from .handover import can_move, move
from .journal import Journal
from .processes import prefer_as_victim
from .ready import wait_until_ready
from .settings import Settings
from .traffic import Application, Traffic

# A connection may have been accepted and not be known to uvicorn yet; with TLS, for as long as its handshake.
_ACCEPTED_S, _ACCEPTED_TLS_S = 0.05, 1.0
# After so long, clients whose connection could not be moved are asked to take a new one.
_TURN_AWAY_S = 1.0
# What is left to a child whose successor is to be drained too.
_HURRY_S = 1.0
# Requests that outlive the deadline are cancelled, and have this long to clean up.
_CANCELLED_S = 1
# Names of modules in one message.
_CHUNK = 500


class ServingServer(Server):
    """Tells the parent when it serves, and drains when the parent says so."""

    def __init__(self, config: Config, listeners: Sequence[socket.socket], channel: Channel, settings: Settings,
                 journal: Journal, inherited: frozenset[str]) -> None:
        super().__init__(config)
        self._journal = journal
        self._inherited = inherited
        self._listeners = list(listeners)
        self._channel = channel
        self._settings = settings
        self._deadline: Optional[float] = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def startup(self, *_: Any, **__: Any) -> None:
        self._loop = asyncio.get_running_loop()
        # Before 0.21, uvicorn's protocols take other arguments.
        self._moves = (can_move(self.config.http_protocol_class) and not self.config.is_ssl
                       and hasattr(self.lifespan, "state"))
        self._traffic = Traffic(cast(Application, self.config.loaded_app), self._responded)
        self.config.loaded_app = cast(Any, self._traffic)
        self._channel.send("loaded")
        if self._settings.ready:
            wait_until_ready(self.lifespan, self._traffic, self._settings.ready)
        await super().startup(sockets=self._listeners)
        self._loop.add_reader(self._channel.fileno(), self._hear)
        self._journal.is_serving = True
        self._channel.send("ready")
        prefer_as_victim(False)
        self._tell_missing()

    def _hear(self) -> None:
        for message in self._channel.receive():
            if message.kind == "connection":
                self._spawn(self._adopt(message))
            elif message.kind == "drain" and self._deadline is None:
                self._journal.is_quiet = True
                prefer_as_victim(True)
                self._tell_missing()
                self._deadline = self._loop.time() + self._settings.drain_s
                self._spawn(self._drain())
            elif message.kind == "hurry" and self._deadline is not None:
                self._deadline = min(self._deadline, self._loop.time() + _HURRY_S)
        if not self._channel.is_open:  # the parent is gone
            self._loop.remove_reader(self._channel.fileno())
            self.should_exit = True

    def _tell_missing(self) -> None:
        modules, files = missing_ahead(self._inherited)
        for start in range(0, max(len(modules), len(files)), _CHUNK):
            part = slice(start, start + _CHUNK)
            self._channel.send("missing", modules=modules[part], files=files[part])

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _adopt(self, message: Message) -> None:
        connection = socket.socket(fileno=message.fd)
        connection.setblocking(False)
        make: Any = self.config.http_protocol_class
        await self._loop.connect_accepted_socket(
            lambda: make(config=self.config, server_state=self.server_state, app_state=self.lifespan.state),
            connection)

    async def _drain(self) -> None:
        began = self._loop.time()
        await self._stop_accepting()
        self._move_waiting()
        # From here on every new request is the new code's.
        self._channel.send("stopped")
        accepted_s = _ACCEPTED_TLS_S if self.config.is_ssl else _ACCEPTED_S
        while self._deadline is not None and self._loop.time() < self._deadline:
            self._move_waiting()
            passed_s = self._loop.time() - began
            if passed_s >= accepted_s and not (self.server_state.connections or self.server_state.tasks):
                break
            if passed_s >= self._settings.websocket_drain_s and not self._traffic.closes_websockets:
                self._spawn(self._traffic.close_websockets())
            self._traffic.turns_away = not self._moves or passed_s >= _TURN_AWAY_S
            await asyncio.sleep(0.01)
        limit_s = getattr(self.config, "timeout_graceful_shutdown", None)
        self.config.timeout_graceful_shutdown = _CANCELLED_S if limit_s is None else min(limit_s, _CANCELLED_S)
        self.should_exit = True

    async def _stop_accepting(self) -> None:
        # asyncio forgets a connection that it has accepted one turn before `Server.close`, without closing it.
        for listener in self._listeners:
            self._loop.remove_reader(listener)
        await asyncio.sleep(0)
        for server in self.servers:
            server.close()

    def _responded(self) -> None:
        if self._deadline is not None:
            # Comes before the next look at the network, so before the client's next request is read.
            self._loop.call_soon(self._move_waiting)

    def _move_waiting(self) -> None:
        if self._moves:
            for protocol in list(self.server_state.connections):
                move(protocol, lambda fd: self._channel.offer("connection", fd))
