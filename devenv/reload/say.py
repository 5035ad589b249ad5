"""What the reloader tells the person: one marked line on stderr for each thing that happened."""

from __future__ import annotations

import sys
from collections.abc import Sequence

_SHOWN = 3


def say(text: str) -> None:
    """Print marked lines in one piece, so that the service's own output does not come between."""
    sys.stderr.write("".join(f"devenv: {line}\n" for line in text.splitlines()))
    sys.stderr.flush()


def names(paths: Sequence[str], roots: Sequence[str]) -> str:
    """Changed files as a person knows them: relative to their source, and only a few of many."""
    shown = []
    for path in paths[:_SHOWN]:
        root = next((root for root in roots if path.startswith(root.rstrip("/") + "/")), "")
        shown.append(path[len(root):].lstrip("/") if root else path)
    more = len(paths) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more > 0 else "")


def quoted(text: str) -> str:
    """Somebody else's lines, set apart from ours."""
    return "\n".join(f"  | {line}" for line in text.rstrip().splitlines())
