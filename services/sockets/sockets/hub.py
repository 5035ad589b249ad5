"""Who listens to what on this replica, and the bounded queue between the feed and each of them."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple
from uuid import uuid4

from prometheus_client import Counter, Gauge

CONNECTED = Gauge("sockets_connected_clients", "WebSockets that are open on this replica.")
DROPPED = Counter("sockets_clients_dropped_total", "Clients dropped because they read too slowly.")


class Conversation(NamedTuple):
    """A conversation of a tenant: an id alone would let one tenant listen to another's."""

    tenant_id: str
    id: str


class Subscriber:
    """One WebSocket: what it listens to, and the frames that wait to be sent to it, up to `queue_bytes` of them."""

    def __init__(self, conversations: frozenset[Conversation], queue_bytes: int) -> None:
        self.id = uuid4().hex
        self.conversations = conversations
        self.too_slow = asyncio.Event()
        self._queue_bytes = queue_bytes
        self._waiting_bytes = 0
        self._frames: asyncio.Queue[str] = asyncio.Queue()

    def offer(self, frame: str) -> None:
        """Queue a frame; where there is no room left, mark this subscriber as too slow instead."""
        if self._waiting_bytes and self._waiting_bytes + len(frame) > self._queue_bytes:
            self.too_slow.set()
        if not self.too_slow.is_set():
            self._waiting_bytes += len(frame)
            self._frames.put_nowait(frame)

    async def next_frame(self) -> str:
        """The next frame to send, as soon as there is one."""
        frame = await self._frames.get()
        self._waiting_bytes -= len(frame)
        return frame


class Hub:
    """The subscribers of this replica; publishing never waits for any of them."""

    def __init__(self, queue_bytes: int) -> None:
        self._queue_bytes = queue_bytes
        self.count = 0
        self._members: defaultdict[Conversation, set[Subscriber]] = defaultdict(set)

    def join(self, conversations: Iterable[Conversation]) -> Subscriber:
        """Start to collect frames for a new subscriber."""
        subscriber = Subscriber(frozenset(conversations), self._queue_bytes)
        for conversation in subscriber.conversations:
            self._members[conversation].add(subscriber)
        self.count += 1
        CONNECTED.inc()
        return subscriber

    def leave(self, subscriber: Subscriber) -> None:
        """Forget a subscriber and every conversation that nobody listens to any more."""
        self.count -= 1
        CONNECTED.dec()
        for conversation in subscriber.conversations:
            self._members[conversation].discard(subscriber)
            if not self._members[conversation]:
                del self._members[conversation]

    def publish(self, conversation: Conversation, frame: str) -> int:
        """Offer a frame to everyone who listens to `conversation`; how many that were."""
        members = self._members.get(conversation, set())
        for subscriber in members:
            subscriber.offer(frame)
        return len(members)

    def online(self) -> dict[Conversation, list[str]]:
        """The ids of the subscribers of each conversation."""
        return {conversation: [one.id for one in members] for conversation, members in self._members.items()}
