"""What people see: progress on standard error, data on standard output."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from time import monotonic
from typing import Any

_CODES = {"red": "31", "green": "32", "yellow": "33", "cyan": "36", "dim": "2", "bold": "1"}


def colour(stream: Any = None) -> bool:
    """Whether `stream` (default: standard error) may be coloured; honours NO_COLOR and TERM=dumb."""
    stream = stream or sys.stderr
    return stream.isatty() and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"


def paint(text: str, *styles: str, stream: Any = None) -> str:
    """`text` in the given styles, or plain where colour is not wanted."""
    if not colour(stream):
        return text
    return f"\033[{';'.join(_CODES[style] for style in styles)}m{text}\033[0m"


def say(text: str) -> None:
    """A line of progress; a spinner that turns at the moment makes room for it."""
    sys.stderr.write(("\r\033[2K" if _spinning else "") + text + "\n")
    sys.stderr.flush()


def warn(text: str) -> None:
    """A line that wants attention but stops nothing."""
    say(paint("warning: ", "yellow") + text)


@contextmanager
def step(title: str) -> Iterator[None]:
    """Report one piece of work: a spinner on a terminal, a line when it ends everywhere."""
    began = monotonic()
    try:
        with _spinner(title):
            yield
    except BaseException:
        say(f"{paint('✗', 'red')} {title}")
        raise
    say(f"{paint('✓', 'green')} {title} {paint(f'{monotonic() - began:.1f} s', 'dim')}")


_spinning: list[str] = []


@contextmanager
def _spinner(title: str) -> Iterator[None]:
    # One spinner at a time: rich refuses a second one.
    if not colour() or _spinning:
        yield
        return
    from rich.console import Console

    _spinning.append(title)
    try:
        with Console(stderr=True).status(title):
            yield
    finally:
        _spinning.pop()


def short(text: str, most: int) -> str:
    """`text` in one line of at most so many characters."""
    line = " ".join(text.split())
    return line if len(line) <= most else f"{line[:most - 3]}..."


def table(rows: Sequence[Sequence[str]], headings: Sequence[str]) -> None:
    """Write an aligned table to standard output."""
    everything = [headings, *rows]
    widths = [max(len(row[i]) for row in everything) for i in range(len(headings))]
    for number, row in enumerate(everything):
        line = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        sys.stdout.write((paint(line, "bold", stream=sys.stdout) if number == 0 else line) + "\n")


def emit(kind: str, data: Any) -> None:
    """Write `data` for programs: JSON with a `version` that grows when a key changes its meaning."""
    json.dump({"version": 1, "kind": kind, **data}, sys.stdout, indent=2, sort_keys=False)
    sys.stdout.write("\n")
