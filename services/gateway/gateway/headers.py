"""Which headers pass through the gateway."""

from __future__ import annotations

from collections.abc import Iterable

Headers = list[tuple[bytes, bytes]]

# RFC 9110, section 7.6.1: these belong to one connection, as do those that `Connection` names.
HOP_BY_HOP = frozenset({
    b"connection", b"keep-alive", b"proxy-authenticate", b"proxy-authorization", b"proxy-connection", b"te",
    b"trailer", b"transfer-encoding", b"upgrade",
})  # fmt: skip
# What the gateway says itself, and the client's key, which is no service's business.
SAID_TO_UPSTREAM = frozenset({b"authorization", b"content-length", b"expect", b"host", b"x-request-id", b"x-tenant-id"})
SAID_TO_CLIENT = frozenset({b"date", b"server", b"x-request-id"})


def to_upstream(headers: Iterable[tuple[bytes, bytes]]) -> Headers:
    """The client's headers that a service may see."""
    return _end_to_end(headers, SAID_TO_UPSTREAM)


def to_client(headers: Iterable[tuple[bytes, bytes]]) -> Headers:
    """A service's headers that the client may see."""
    return _end_to_end(headers, SAID_TO_CLIENT)


def _end_to_end(headers: Iterable[tuple[bytes, bytes]], without: frozenset[bytes]) -> Headers:
    lowered = [(name.lower(), value) for name, value in headers]
    named = {word.strip().lower() for name, value in lowered if name == b"connection" for word in value.split(b",")}
    return [(name, value) for name, value in lowered if name not in HOP_BY_HOP | without | named]
