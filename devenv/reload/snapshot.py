"""What lies in the sources, so that a change can be told from mere activity."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple, Optional

# Editors' swap and backup files, and what Python and other tools leave behind.
_IGNORED_NAMES = {"__pycache__", "node_modules", "4913"}
_IGNORED_ENDINGS = ("~", ".swp", ".swo", ".swx", ".tmp", ".pyc", ".pyo", ".egg-info", "___jb_tmp___", "___jb_old___")
# Larger files, and the first versions of those beyond this number, are compared by their metadata.
_DIGEST_LIMIT_BYTES = 1 << 20
_DIGEST_LIMIT_FILES = 5_000
# A file this young may change again without any trace in its metadata: clocks of file systems tick slowly.
_SETTLED_NS = 2_000_000_000


def is_ignored(name: str) -> bool:
    """Whether a file or directory of this name never matters: hidden (but for `.env`), temporary or generated."""
    hidden = name.startswith(".") and not name.startswith(".env")
    return hidden or name.startswith("#") or name in _IGNORED_NAMES or name.endswith(_IGNORED_ENDINGS)


class Signature(NamedTuple):
    """One file as it was read last."""

    metadata: tuple[int, int, int, int]
    digest: bytes
    settled: bool


class Snapshot:
    """The files below some roots; `refresh` says which of them differ from the time before."""

    def __init__(self) -> None:
        self.files: dict[str, Signature] = {}
        self.directories: set[str] = set()

    def refresh(self, places: Iterable[str], *, enter: Callable[[str], None] = lambda directory: None,
                by_metadata: bool = False) -> list[str]:
        """Look at some files and whole directories again; returns the paths whose content changed, sorted.

        `enter` is called with each directory before it is listed. `by_metadata` spares reading a file whose
        times and size are as before.
        """
        changed = set()
        for place in places:
            found = dict(self._walk(place, enter))
            for path in self._known(place) - found.keys():
                del self.files[path]
                changed.add(path)
            for path, stat in found.items():
                before = self.files.get(path)
                metadata = (stat.st_mtime_ns, stat.st_ctime_ns, stat.st_size, stat.st_ino)
                if by_metadata and before and before.settled and before.metadata == metadata:
                    continue
                after = _signature(path, metadata, with_digest=bool(before) or len(self.files) < _DIGEST_LIMIT_FILES)
                if after is None:
                    continue  # it vanished meanwhile; its own event, or the next look, tells
                self.files[path] = after
                if before is None or not _same(before, after):
                    changed.add(path)
        return sorted(changed)

    def _known(self, place: str) -> set[str]:
        if place in self.files:
            return {place}
        if place not in self.directories:
            return set()
        prefix = place.rstrip("/") + "/"
        if not Path(place).is_dir():
            self.directories = {one for one in self.directories if one != place and not one.startswith(prefix)}
        return {path for path in self.files if path.startswith(prefix)}

    def _walk(self, place: str, enter: Callable[[str], None]) -> Iterator[tuple[str, os.stat_result]]:
        try:
            stat = Path(place).stat()
        except OSError:
            return
        if not Path(place).is_dir():
            yield place, stat
            return
        waiting = [place]
        while waiting:
            directory = waiting.pop()
            self.directories.add(directory)
            enter(directory)
            try:
                entries = list(os.scandir(directory))
            except OSError:
                continue
            for entry in entries:
                if is_ignored(entry.name):
                    continue
                try:
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
                    elif entry.is_file():
                        yield entry.path, entry.stat()
                except OSError:
                    continue


def _same(before: Signature, after: Signature) -> bool:
    if before.digest and after.digest:
        return before.digest == after.digest
    return before.metadata == after.metadata


def _signature(path: str, metadata: tuple[int, int, int, int], with_digest: bool) -> Optional[Signature]:
    digest = b""
    if with_digest and metadata[2] <= _DIGEST_LIMIT_BYTES:
        try:
            digest = hashlib.blake2b(Path(path).read_bytes(), digest_size=16).digest()
        except OSError:
            return None
    return Signature(metadata, digest, settled=time.time_ns() - metadata[0] > _SETTLED_NS)
