"""Messages, and open connections, between the parent and one child."""

from __future__ import annotations

import errno
import json
import os
import socket
import struct
from collections import deque
from typing import Any, NamedTuple, Optional

_LARGEST_BYTES = 1 << 17
_FD = struct.Struct("i")
_ROOM_FOR_FD = socket.CMSG_SPACE(_FD.size)


class Message(NamedTuple):
    """What the other side says; `fd` is an open connection that comes with it, now ours to close."""

    kind: str
    fields: dict[str, Any]
    fd: Optional[int] = None


class Channel:
    """One end of a socket pair that keeps messages whole."""

    def __init__(self, end: socket.socket) -> None:
        self._end = end
        self._waiting: deque[tuple[bytes, Optional[int]]] = deque()
        self.is_open = True

    @classmethod
    def pair(cls) -> tuple[Channel, Channel]:
        """Two ends that talk to each other."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        return cls(ours), cls(theirs)

    def fileno(self) -> int:
        return self._end.fileno()

    def close(self) -> None:
        """Close this end, with the connections that were still to be sent."""
        self.is_open = False
        while self._waiting:
            _close(self._waiting.popleft()[1])
        self._end.close()

    def send(self, kind: str, **fields: Any) -> None:
        """Send now, waiting for room; a message to one who is gone is dropped."""
        self._put(_encode(kind, fields), None, 0)

    def post(self, kind: str, fd: Optional[int] = None, **fields: Any) -> None:
        """Send as soon as there is room, without waiting; `fd` is closed once it is sent."""
        self._waiting.append((_encode(kind, fields), fd))
        self.flush()

    def offer(self, kind: str, fd: int) -> bool:
        """Send an open connection if there is room right now; it stays the caller's to close."""
        return self._put(_encode(kind, {}), fd, socket.MSG_DONTWAIT)

    def flush(self) -> bool:
        """Send what was posted; returns whether nothing is left."""
        while self._waiting:
            data, fd = self._waiting[0]
            if not self._put(data, fd, socket.MSG_DONTWAIT) and self.is_open:
                return False
            self._waiting.popleft()
            _close(fd)
        return True

    def receive(self) -> list[Message]:
        """Everything that has come; at the end of the conversation `is_open` becomes false."""
        messages = []
        while self.is_open:
            try:
                data, ancillary, _, _ = self._end.recvmsg(
                    _LARGEST_BYTES, _ROOM_FOR_FD, socket.MSG_DONTWAIT | socket.MSG_CMSG_CLOEXEC)
            except BlockingIOError:
                break
            except OSError:
                data, ancillary = b"", []
            if not data:
                self.is_open = False
                break
            fields = json.loads(data)
            fd = _FD.unpack(ancillary[0][2][:_FD.size])[0] if ancillary else None
            messages.append(Message(fields.pop("kind"), fields, fd))
        return messages

    def _put(self, data: bytes, fd: Optional[int], flags: int) -> bool:
        # Not `socket.send_fds`, which passes its flags on from Python 3.12 only.
        rights = [] if fd is None else [(socket.SOL_SOCKET, socket.SCM_RIGHTS, _FD.pack(fd))]
        try:
            self._end.sendmsg([data], rights, flags | socket.MSG_NOSIGNAL)
        except BlockingIOError:
            return False
        except OSError as cause:
            # Too many connections are under way, or else nobody is there any more.
            self.is_open = self.is_open and cause.errno == errno.ETOOMANYREFS
            return False
        return True


def _encode(kind: str, fields: dict[str, Any]) -> bytes:
    return json.dumps({"kind": kind, **fields}).encode()


def _close(fd: Optional[int]) -> None:
    if fd is not None:
        os.close(fd)
