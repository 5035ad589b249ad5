"""The project around the current directory: its Compose files, its name, its settings."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from devenv.errors import UsageError, naming

if TYPE_CHECKING:
    from devenv.config import Config

# In Compose's own order of preference (compose-spec, "Compose file").
COMPOSE_NAMES = ("compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml")


@dataclass(frozen=True)
class Checkout:
    """What makes this working copy different from another of the same project."""

    name: str
    port_offset: int


@dataclass(frozen=True)
class Project:
    """A directory with a Compose file; everything devenv keeps for it lives under `.devenv/`."""

    root: Path
    compose_file: Path

    @property
    def state(self) -> Path:
        """The git-ignored directory of machine-written files."""
        return self.root / ".devenv"

    @property
    def name(self) -> str:
        """The Compose project name of this checkout."""
        return self.checkout.name

    @property
    def title(self) -> str:
        """The name in the Compose file, or else the directory's: the same in every checkout of one name."""
        return _title(self.root, self.compose_file)

    @cached_property
    def checkout(self) -> Checkout:
        """Name and ports of this checkout; remembered, so that moving the directory keeps its data."""
        remembered = self._remembered()
        if remembered:
            return remembered
        derived = Checkout(_derive_name(self.root, self.compose_file), _derive_offset(self.root))
        self.remember(derived)
        return derived

    @cached_property
    def config(self) -> Config:
        """The settings of `devenv.toml`, or the defaults where there is none."""
        # Most commands need none of it, and TOML and dates take a while to import.
        from devenv.config import load_config

        return load_config(self.root / "devenv.toml")

    def remember(self, checkout: Checkout) -> None:
        """Write the checkout's identity, and a `.gitignore` that keeps the directory out of commits."""
        self.state.mkdir(exist_ok=True)
        ignore = self.state / ".gitignore"
        if not ignore.exists():
            write_whole(ignore, "# written by devenv\n*\n")
        write_whole(
            self.state / "checkout.json",
            json.dumps({"path": str(self.root), "name": checkout.name, "port_offset": checkout.port_offset}),
        )

    def _remembered(self) -> Checkout | None:
        try:
            data = json.loads((self.state / "checkout.json").read_text())
            path, found = Path(data["path"]), Checkout(str(data["name"]), int(data["port_offset"]))
        except (OSError, ValueError, KeyError, TypeError):
            return None
        if path == self.root:
            return found
        # The directory was moved if its old place is empty, and copied if it is not: a copy is another checkout.
        if (path / ".devenv" / "checkout.json").exists():
            return None
        self.remember(found)
        return found


def find(start: Path) -> Project:
    """The project in `start` or the nearest directory above it; raises UsageError outside of one."""
    for directory in (start, *start.parents):
        for name in COMPOSE_NAMES:
            if (directory / name).is_file():
                return Project(directory, directory / name)
    raise UsageError(
        f"no project here: neither `{start}` nor a directory above it has a Compose file",
        f"go to a directory with one of {', '.join(COMPOSE_NAMES)}, or give --project-directory",
    )


def write_whole(path: Path, text: str, mode: int = 0o644) -> None:
    """Replace a file in one instant: a crash or a full disk leaves the old one whole."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
        with naming(path), os.fdopen(descriptor, "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _title(root: Path, compose_file: Path) -> str:
    """A project name that is legal for Compose."""
    match = re.search(r"^name:\s*[\"']?([A-Za-z0-9][\w.-]*)", compose_file.read_text(errors="replace"), re.MULTILINE)
    return re.sub(r"[^a-z0-9_-]", "", (match[1] if match else root.name).lower()).strip("-_") or "project"


def _derive_name(root: Path, compose_file: Path) -> str:
    """`<name>-<hash of the path>`: readable, legal for Compose, and different in every checkout."""
    return f"{_title(root, compose_file)}-{sha256(str(root).encode()).hexdigest()[:6]}"


def _derive_offset(root: Path) -> int:
    """0 for an ordinary clone; a linked git worktree gets ports of its own, derived from its path."""
    if not (root / ".git").is_file():
        return 0
    return 100 * (1 + int(sha256(str(root).encode()).hexdigest(), 16) % 90)
