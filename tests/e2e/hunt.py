"""Look for secrets where none may be: files, images, command lines, printed text."""

from __future__ import annotations

import base64
import gzip
import os
import subprocess
import tarfile
import threading
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import quote

CHUNK, GZIP = 1 << 20, b"\x1f\x8b"


class Hunt:
    """Values to look for, by name; each in the forms in which tools write them down."""

    def __init__(self, values: Mapping[str, str]) -> None:
        assert values and all(len(value) >= 12 for value in values.values()), "too short to be told from other text"
        self.forms = {form: name for name, value in values.items() for form in forms(value)}
        self.longest = max(map(len, self.forms))

    def text(self, data: bytes | str) -> set[str]:
        """Names of the values in a text."""
        raw = data.encode() if isinstance(data, str) else data
        return {name for form, name in self.forms.items() if form in raw}

    def stream(self, source: Iterator[bytes]) -> set[str]:
        """Names of the values in a stream, also across the borders of its pieces."""
        found: set[str] = set()
        rest = b""
        for piece in source:
            rest += piece
            found |= self.text(rest)
            rest = rest[-self.longest:]
        return found

    def files(self, root: Path, leave_out: set[Path]) -> dict[str, set[str]]:
        """Relative path -> names, for every file below `root` that holds one."""
        found = {}
        for path in sorted(root.rglob("*")):
            if path.is_file() and not path.is_symlink() and path not in leave_out:
                seen = set().union(*map(self.text, unpacked(path)))
                if seen:
                    found[str(path.relative_to(root))] = seen
        return found

    def images(self, *references: str) -> dict[str, set[str]]:
        """File of the saved images -> names: layers, configuration and history, each once."""
        found = {}
        with (subprocess.Popen(["docker", "save", *references], stdout=subprocess.PIPE) as saved,
              tarfile.open(fileobj=saved.stdout, mode="r|") as archive):
            for member in archive:
                content = archive.extractfile(member) if member.isfile() else None
                if content and (seen := self.stream(plain(content))):
                    found[member.name] = seen
        assert saved.returncode == 0, f"docker save {references} failed"
        return found


class Arguments:
    """Reads the command line of every process on this machine, containers' included, as often as it can."""

    def __init__(self, hunt: Hunt) -> None:
        self.hunt = hunt
        self.found: dict[str, set[str]] = {}
        self.looks = 0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Arguments:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._ended.wait(0.005):
            self.looks += 1
            for entry in os.scandir("/proc"):
                if entry.name.isdigit():
                    try:
                        line = Path(entry.path, "cmdline").read_bytes()
                    except OSError:  # it has ended
                        continue
                    if seen := self.hunt.text(line):
                        self.found[line.replace(b"\0", b" ").decode(errors="replace")[:120]] = seen


def forms(value: str) -> set[bytes]:
    """A value as it is, escaped for a URL, and in Base64 at each of the three places where it can begin."""
    raw = value.encode()
    encoded = {base64.b64encode(b"\0" * shift + raw)[4 if shift else 0:-4] for shift in range(3)}
    return {raw, quote(value, safe="").encode(), *(one for one in encoded if len(one) >= 12)}


def unpacked(path: Path) -> Iterator[bytes]:
    """What a file holds: of a packed one (a chart, a saved plan) what is in it."""
    data = path.read_bytes()
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            yield from map(archive.read, archive.namelist())
    yield gzip.decompress(data) if data[:2] == GZIP else data


def plain(content: object) -> Iterator[bytes]:
    """The bytes of a file in an archive, unpacked if it is a packed layer."""
    head = content.read(2)  # type: ignore[attr-defined]
    rest = iter(lambda: content.read(CHUNK), b"")  # type: ignore[attr-defined]
    if head != GZIP:
        yield head
        yield from rest
        return
    yield gzip.decompress(head + b"".join(rest))
