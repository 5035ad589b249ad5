"""Open connections that wait for their next request move to the process that runs the new code.

HTTP's keep-alive leaves no safe moment for a server to close a connection: the next request may be under way.
Between two requests a plain connection has no state in the server, though, so its descriptor can be passed on,
and whatever the client sends meanwhile waits in the kernel for the new owner. Nothing is lost, and the next
answer is the new code's. Connections with TLS have state; they are ended with `Connection: close`.
"""

from __future__ import annotations

from asyncio import Transport
from collections.abc import Callable
from typing import Any


def _h11_waits(protocol: Any) -> bool:
    done = protocol.cycle is None or protocol.cycle.response_complete
    return bool(done and protocol.conn.trailing_data == (b"", False)
                and str(protocol.conn.their_state) == str(protocol.conn.our_state) == "IDLE")


def _httptools_waits(protocol: Any) -> bool:
    if protocol.cycle is None:
        return protocol.scope is None  # not even the beginning of a request has come
    return bool(protocol.cycle.response_complete and not protocol.cycle.more_body
                and protocol.cycle.scope is protocol.scope and not protocol.pipeline)


_WAITS: dict[str, Callable[[Any], bool]] = {
    "uvicorn.protocols.http.h11_impl": _h11_waits,
    "uvicorn.protocols.http.httptools_impl": _httptools_waits,
}


def _waits(protocol: Any) -> bool:
    try:
        return _WAITS[type(protocol).__module__](protocol)
    except (KeyError, AttributeError):  # a WebSocket, or another uvicorn's protocol: it is not known to wait
        return False


def can_move(protocol_class: type) -> bool:
    """Whether connections of this protocol can be told to be between two requests."""
    return protocol_class.__module__ in _WAITS


def move(protocol: Any, offer: Callable[[int], bool]) -> None:
    """Pass the connection on if it waits for a request and `offer` takes its descriptor; else leave it as it is."""
    transport: Transport = protocol.transport
    if transport.is_closing() or transport.get_write_buffer_size() or not _waits(protocol):
        return
    # From here on what arrives stays in the kernel, until one of the two processes reads on.
    transport.pause_reading()
    if offer(transport.get_extra_info("socket").fileno()):
        transport.close()
    else:
        transport.resume_reading()
