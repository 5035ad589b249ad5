"""The kernel's word on what happens in the sources: inotify(7) through ctypes."""

from __future__ import annotations

import ctypes
import errno
import os
import struct
from collections.abc import Iterable
from pathlib import Path
from stat import S_ISLNK

from .snapshot import is_ignored

_CLOSE_WRITE, _MOVED_FROM, _MOVED_TO, _CREATE, _DELETE = 0x8, 0x40, 0x80, 0x100, 0x200
_OVERFLOW, _IGNORED, _IS_DIRECTORY = 0x4000, 0x8000, 0x40000000
_ONLY_DIRECTORY, _NO_LINKS = 0x01000000, 0x02000000
# Not IN_MODIFY: a file that is being written is looked at when its writer closes it, so never half.
_MASK = _CLOSE_WRITE | _MOVED_FROM | _MOVED_TO | _CREATE | _DELETE | _ONLY_DIRECTORY | _NO_LINKS
_EVENT = struct.Struct("iIII")


class Inotify:
    """Watches directories, each by itself; raises OSError where the kernel refuses."""

    def __init__(self, roots: Iterable[str]) -> None:
        self._roots = tuple(roots)
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._fd = self._check(self._libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC))
        self._directories: dict[int, str] = {}

    def fileno(self) -> int:
        return self._fd

    def close(self) -> None:
        os.close(self._fd)

    def add(self, directory: str) -> None:
        """Watch a directory from now on; doing it twice does no harm."""
        number = self._libc.inotify_add_watch(self._fd, os.fsencode(directory), _MASK)
        if number < 0 and ctypes.get_errno() in (errno.ENOENT, errno.ENOTDIR, errno.EACCES, errno.ELOOP):
            return  # gone again, or none of ours
        self._directories[self._check(number)] = directory

    def read(self) -> set[str]:
        """Paths of files and directories that something happened to since the last call."""
        touched: set[str] = set()
        while True:
            try:
                data = os.read(self._fd, 1 << 16)
            except BlockingIOError:
                return touched
            offset = 0
            while offset < len(data):
                number, mask, _, length = _EVENT.unpack_from(data, offset)
                offset += _EVENT.size
                name = os.fsdecode(data[offset:offset + length].rstrip(b"\0"))
                offset += length
                if mask & _OVERFLOW:
                    touched.update(self._roots)
                elif mask & _IGNORED:
                    self._directories.pop(number, None)
                elif number in self._directories and name and not is_ignored(name):
                    path = f"{self._directories[number]}/{name}"
                    if not mask & _CREATE or mask & _IS_DIRECTORY or _is_complete(path):
                        touched.add(path)

    @staticmethod
    def _check(result: int) -> int:
        if result < 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))
        return result


def _is_complete(path: str) -> bool:
    """Whether a file that was just created has its content: a link has, any other will be closed by its writer."""
    try:
        stat = Path(path).lstat()
    except OSError:
        return False
    return S_ISLNK(stat.st_mode) or stat.st_nlink > 1
