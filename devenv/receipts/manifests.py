"""The hash of an overlay's files: those that people write, wherever the checkout lies."""

from __future__ import annotations

import os
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

from devenv.errors import UsageError
from devenv.parity.tree import kustomization, load

# The first line of each file that devenv writes.
MACHINE_WRITTEN = (b"# written by devenv", b"# written by `devenv")
_LONGEST_NAME = 255


def manifest_hash(root: Path, overlay: str) -> str:
    """`sha256:...` over the path and content of every file that `k8s/overlays/<overlay>` is made of.

    Left out is what differs between machines and releases: hidden files (local secrets), and files that devenv writes.
    Raises UsageError where there is no such overlay.
    """
    directory = root / "k8s" / "overlays" / overlay
    if kustomization(directory) is None:
        raise UsageError(f"there is no overlay `{overlay}`: `{directory}` has no kustomization.yaml")
    hashes = {
        os.path.relpath(path, root.resolve()): sha256(content).hexdigest()
        for path in _closure(directory.resolve())
        if not path.name.startswith(".") and not (content := path.read_bytes()).startswith(MACHINE_WRITTEN)
    }
    # One line a file, as sha256sum writes it.
    lines = (f"{hashes[name]}  {name}\n" for name in sorted(hashes))
    return f"sha256:{sha256(''.join(lines).encode()).hexdigest()}"


def _closure(directory: Path) -> set[Path]:
    """The kustomization, and what it and the ones it names are made of."""
    found: set[Path] = set()

    def visit(directory: Path) -> None:
        file = kustomization(directory)
        if file is None or file in found:
            return
        found.add(file)
        for content in load(file):
            for text in _texts(content):
                # kustomize has some twenty keys that name a file, alone or as `key=file`; a file that is there counts.
                for name in dict.fromkeys((text, text.rpartition("=")[2])):
                    path = (directory / name).resolve()
                    if path.is_dir():
                        visit(path)
                    elif path.is_file():
                        found.add(path)

    visit(directory)
    return found


def _texts(value: Any) -> Iterator[str]:
    """Every text that may be a file's name."""
    if isinstance(value, dict):
        for one in value.values():
            yield from _texts(one)
    elif isinstance(value, list):
        for one in value:
            yield from _texts(one)
    elif isinstance(value, str) and value and "\n" not in value and len(value) <= _LONGEST_NAME:
        yield value
