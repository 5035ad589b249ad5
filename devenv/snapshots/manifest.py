"""What a snapshot says of itself: `manifest.json` beside its archives."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from hashlib import file_digest, sha256
from pathlib import Path

from devenv.engine import Engine
from devenv.environment import read_env
from devenv.errors import DevenvError
from devenv.images.resolve import look
from devenv.project import Project
from devenv.runtimes.data import product_of

FILE, VERSION = "manifest.json", 1


@dataclass(frozen=True)
class Part:
    """One archive: what one backend keeps at one path."""

    backend: str
    image: str  # as the project's files named it
    product: str  # what wrote the data, with its major version
    path: str
    file: str
    sha256: str
    size_bytes: int


@dataclass(frozen=True)
class Snapshot:
    """The data of all backends of one moment."""

    name: str
    made_at: str  # UTC, ISO 8601
    project: str
    runtime: str
    secrets: Mapping[str, str]  # secret -> hash: some backends keep their password in their data
    parts: tuple[Part, ...]
    version: int = VERSION

    @property
    def size_bytes(self) -> int:
        """All archives together."""
        return sum(one.size_bytes for one in self.parts)

    def to_json(self) -> str:
        """What `manifest.json` holds."""
        return json.dumps(asdict(self), indent=1) + "\n"


def read(folder: Path) -> Snapshot:
    """The snapshot in a folder; raises DevenvError for a manifest that cannot be read."""
    path = folder / FILE
    try:
        data = json.loads(path.read_text())
        if data["version"] != VERSION:
            raise DevenvError(f"`{path}` has version {data['version']}, and this devenv knows {VERSION}",
                              "use the devenv that made it, or make the snapshot again")
        return Snapshot(**{**data, "parts": tuple(Part(**one) for one in data["parts"])})
    except (OSError, ValueError, KeyError, TypeError) as problem:
        raise DevenvError(f"the snapshot `{folder.name}` cannot be read: `{path}`: {problem}",
                          f"devenv snapshot delete {folder.name}") from None


def digest(path: Path) -> str:
    """The SHA-256 of a file."""
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


def verify(folder: Path, part: Part) -> Path:
    """The archive of a part; raises DevenvError unless it is what was saved, byte for byte."""
    path = folder / part.file
    try:
        found = digest(path)
    except FileNotFoundError:
        found = "no file"
    if found != part.sha256:
        raise DevenvError(f"`{path}` is not what was saved: its SHA-256 is {found}, and should be {part.sha256}",
                          f"nothing was changed; devenv snapshot delete {folder.name}")
    return path


def product(image: str, engine: Engine) -> str:
    """What reads and writes the data behind an image's name, with its major version: `redis 8`."""
    found = look(image, engine)
    name = product_of(found)
    major = re.match(r"v?(\d+)", image.rpartition("/")[2].partition("@")[0].partition(":")[2])
    return f"{name} {major[1]}" if major and found.same_product else name


def secret_hashes(project: Project) -> dict[str, str]:
    """A hash for each secret of this checkout; the secrets are random, so their hashes tell nothing."""
    known = read_env(project.state / "secrets.env")
    return {name: sha256(value.encode()).hexdigest()[:16] for name, value in sorted(known.items())}
