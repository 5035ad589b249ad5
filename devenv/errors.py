"""Every failure a person can cause or mend, as one small tree.

* DevenvError            exit 1: the thing, the cause; `hint` is the next move
  x UsageError           exit 2: the request itself is wrong
  x LockedError          exit 75: another devenv works on this checkout
  x RolledBackError      exit 4: a promotion failed, and everything is as it was before
  x NotRolledBackError   exit 5: a promotion failed, and so did the way back
  x CommandError         exit 1: an outside tool failed; carries what to paste into a shell
"""

from __future__ import annotations

import errno
import shlex
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any


class DevenvError(Exception):
    """A failure with a cause and a next move; rendered once, in `devenv.cli`."""

    exit_code = 1

    def __init__(self, message: str, hint: str | None = None, details: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.details = details or {}


class UsageError(DevenvError):
    """The command line or a file people own asks for something that does not exist."""

    exit_code = 2


class LockedError(DevenvError):
    """Another devenv process holds this checkout."""

    exit_code = 75


class RolledBackError(DevenvError):
    """A promotion failed after it began to change the environment; the release before it runs again."""

    exit_code = 4


class NotRolledBackError(DevenvError):
    """A promotion failed, and the release before it could not be restored."""

    exit_code = 5


class CommandError(DevenvError):
    """An outside tool exited with a failure; `status` is its exit code, `output` its last words."""

    def __init__(self, argv: Sequence[str], status: int, output: str = "", hint: str | None = None) -> None:
        self.argv = tuple(argv)
        self.status = status
        self.output = output.strip()
        tail = "\n".join(self.output.splitlines()[-12:])
        message = f"`{argv[0]}` failed with exit code {status}: {shlex.join(argv)}"
        super().__init__(f"{message}\n{tail}" if tail else message, hint)


def nearest(name: str, known: Iterable[str], prefix: str = "") -> str:
    """``did you mean `x`?``, where something known is near enough to `name`, said after `prefix`; otherwise empty."""
    # Imported here: every command imports this module, and few of them are misspelt.
    from difflib import get_close_matches

    near = get_close_matches(name, list(known), n=1)
    return f"did you mean `{prefix}{near[0]}`?" if near else ""


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Make an OSError name the file, also where the kernel was only given a descriptor: the write on a full disk."""
    try:
        yield
    except OSError as problem:
        problem.filename = problem.filename or str(path)
        raise


def from_os_error(problem: OSError) -> DevenvError:
    """Turn the operating system's refusals into a thing, a cause and a next move."""
    path = f"`{problem.filename}`" if problem.filename else "a file"
    if problem.errno == errno.ENOSPC:
        hint = "free some space, then run the same command again"
        return DevenvError(f"the disk is full: cannot write {path}", hint)
    if problem.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return DevenvError(f"no permission for {path}: {problem.strerror}", "check its owner and mode")
    return DevenvError(f"{path}: {problem.strerror or problem}", "run with --debug for the details")
