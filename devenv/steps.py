"""Run a command that is a tuple of steps, with a journal that survives a crash."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Sequence
from pathlib import Path
from time import time
from typing import Any, TypeVar

from devenv import output
from devenv.errors import naming

C = TypeVar("C")
Step = Callable[[C], Any]


class Journal:
    """A small fsynced JSON-lines file: which command ran which step, and whether it ended."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def begin(self, command: str) -> None:
        """Start anew for `command`."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.write_text("")
        self.write(command=command, pid=os.getpid())

    def write(self, **entry: Any) -> None:
        """Append one entry and wait until the disk has it."""
        with naming(self.path), self.path.open("a") as file:
            file.write(json.dumps({"at": round(time(), 3), **entry}) + "\n")
            file.flush()
            os.fsync(file.fileno())

    def unfinished(self) -> str | None:
        """The step at which the last command was cut off, if it was."""
        try:
            entries = [json.loads(line) for line in self.path.read_text().splitlines()]
        except (FileNotFoundError, json.JSONDecodeError):
            return None
        if not entries or entries[-1].get("finished"):
            return None
        return str(entries[-1].get("step", "start"))


def run(command: str, steps: Sequence[Step[C]], context: C, journal: Journal) -> None:
    """Run `steps` in order on `context`; a step's title is the first line of its docstring.

    `DEVENV_FAILPOINT=<step>:before|after` kills the process there, as a crash would (for tests).
    """
    journal.begin(command)
    for step in steps:
        name = step.__name__
        journal.write(step=name)
        _failpoint(name, "before")
        title = (step.__doc__ or name).splitlines()[0].rstrip(".")
        with output.step(title):
            step(context)
        _failpoint(name, "after")
    journal.write(finished=True)


def _failpoint(name: str, when: str) -> None:
    if os.environ.get("DEVENV_FAILPOINT") == f"{name}:{when}":
        os.kill(os.getpid(), signal.SIGKILL)
