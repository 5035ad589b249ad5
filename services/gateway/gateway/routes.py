"""What the platform offers and who answers it: the routing table, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from starlette.convertors import StringConvertor, register_url_convertor

IDEMPOTENCY_KEY = "idempotency-key"
SAFE = frozenset({"GET", "HEAD"})


class SegmentConvertor(StringConvertor):
    """A path segment of plain characters: what matches may be sent upstream as it is, and leads nowhere else."""

    regex = "[A-Za-z0-9_-]{1,64}"


register_url_convertor("segment", SegmentConvertor())


@dataclass(frozen=True)
class Route:
    """A path that one upstream answers.

    `repeatable` are the methods, besides GET, whose second sending changes nothing; `keyed` those for which the
    upstream sees to that by their `Idempotency-Key`.
    """

    path: str
    methods: tuple[str, ...]
    upstream: str
    repeatable: frozenset[str] = frozenset()
    keyed: frozenset[str] = frozenset()

    @property
    def shown_path(self) -> str:
        """The path as documentation writes it."""
        return self.path.replace(":segment}", "}")

    def may_repeat(self, method: str, headers: Mapping[str, str]) -> bool:
        """Whether a request may be sent again when nobody knows if the upstream got it."""
        return method in SAFE | self.repeatable or (method in self.keyed and IDEMPOTENCY_KEY in headers)


ROUTES = (
    Route("/v1/conversations", ("GET", "POST"), "messaging"),
    Route("/v1/conversations/{id:segment}", ("GET",), "messaging"),
    Route("/v1/conversations/{id:segment}/messages", ("GET",), "messaging"),
    Route("/v1/conversations/{id:segment}/attachments", ("POST",), "messaging"),
    Route("/v1/conversations/{id:segment}/attachments/{attachment_id:segment}", ("GET",), "messaging"),
    Route("/v1/conversations/{id:segment}/presence", ("GET",), "sockets"),
    Route("/v1/messages", ("POST",), "messaging", keyed=frozenset({"POST"})),
    Route("/v1/messages/{id:segment}", ("GET",), "messaging"),
    Route("/v1/usage", ("GET",), "billing"),
    Route("/v1/invoices", ("GET", "POST"), "billing", repeatable=frozenset({"POST"})),
    Route("/v1/invoices/{month:segment}", ("GET",), "billing"),
)
STREAM = Route("/v1/stream", ("GET",), "sockets")
