"""Which source a run was made from, by git."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from devenv.errors import CommandError
from devenv.shell import Runner


@dataclass(frozen=True)
class Source:
    """A working tree: its commit, whether it differs from it, and a hash that changes with any byte of it."""

    commit: str
    dirty: bool
    tree: str


# Nothing can be promoted from there, as nothing says what it was made from.
OUTSIDE = Source("", True, "")


def source(root: Path, runner: Runner) -> Source:
    """The tree around `root` as it is now, files that git ignores left out."""
    if not any((directory / ".git").exists() for directory in (root, *root.parents)):
        return OUTSIDE
    try:
        commit = runner.read("git", "rev-parse", "--verify", "--quiet", "HEAD", cwd=root).strip()
    except CommandError as failure:
        if failure.status != 1:
            raise
        return OUTSIDE  # a repository without a commit
    top = Path(runner.read("git", "rev-parse", "--show-toplevel", cwd=root).rstrip("\n"))
    changed = runner.read("git", "status", "--porcelain", "-z", "--untracked-files=all", cwd=top)
    if not changed:
        return Source(commit, False, commit)
    names = runner.read("git", "diff", "--name-only", "-z", "HEAD", cwd=top).split("\0")
    names += runner.read("git", "ls-files", "-z", "--others", "--exclude-standard", cwd=top).split("\0")
    content = sha256(commit.encode())
    for name in filter(None, names):
        path = top / name
        content.update(f"\0{name}\0{sha256(path.read_bytes()).hexdigest() if path.is_file() else 'gone'}".encode())
    return Source(commit, True, content.hexdigest())
