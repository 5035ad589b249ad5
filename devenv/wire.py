"""One HTTP request over a connection of its own; the standard library's client takes longer to import than to use."""

from __future__ import annotations

import socket
from dataclasses import dataclass

_CHUNK = 65536


@dataclass(frozen=True)
class Answer:
    """What came back, whole."""

    status: int
    body: bytes


def connect(address: str, timeout_s: float) -> socket.socket:
    """A connection to `unix:///path` or `tcp://host:port`; raises OSError, and ValueError for another address."""
    scheme, _, rest = address.partition("://")
    if scheme == "unix":
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            sock.settimeout(timeout_s)
            sock.connect(rest)
        except BaseException:
            sock.close()
            raise
        return sock
    host, _, port = rest.rstrip("/").rpartition(":")
    if scheme not in ("tcp", "http") or not port.isdigit():
        raise ValueError(address)
    return socket.create_connection((host.strip("[]"), int(port)), timeout_s)


def ask(sock: socket.socket, method: str, target: str, body: bytes = b"") -> None:
    """Send a request for the quoted path `target`; as HTTP/1.0, the answer has no chunks and ends the connection."""
    announce(sock, method, target, len(body), body)


def announce(sock: socket.socket, method: str, target: str, length: int, body: bytes = b"") -> None:
    """Send the head of a request whose body has `length` bytes, and as much of the body as is given."""
    head = (f"{method} {target} HTTP/1.0\r\nHost: docker\r\n"
            f"Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n")
    sock.sendall(head.encode() + body)


def read_head(sock: socket.socket) -> tuple[int, bytes]:
    """The status of the answer, and what of its body came along; raises OSError where it is no HTTP."""
    received = b""
    while b"\r\n\r\n" not in received:
        chunk = sock.recv(_CHUNK)
        if not chunk:
            raise ConnectionError("it closed the connection before it answered")
        received += chunk
    head, _, rest = received.partition(b"\r\n\r\n")
    words = head.split(None, 2)
    if not head.startswith(b"HTTP/") or len(words) < 2 or not words[1].isdigit():
        raise ConnectionError("what answers there does not speak HTTP")
    return int(words[1]), rest


def request(address: str, method: str, target: str, body: bytes, timeout_s: float) -> Answer:
    """Send one request and read the whole answer; `timeout_s` bounds each wait for more of it."""
    with connect(address, timeout_s) as sock:
        ask(sock, method, target, body)
        status, received = read_head(sock)
        parts = [received]
        while chunk := sock.recv(_CHUNK):
            parts.append(chunk)
    return Answer(status, b"".join(parts))
