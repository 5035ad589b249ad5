"""Which source a run was made from, by git."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from devenv.errors import CommandError
from devenv.receipts.manifests import MACHINE_WRITTEN
from devenv.shell import Runner


@dataclass(frozen=True)
class Source:
    """A working tree: its commit, whether it differs from it, and a hash that changes with any byte of it."""

    commit: str
    dirty: bool
    tree: str
    # Hash of each file that differs from the commit.
    changed: Mapping[str, str] = field(default_factory=dict, compare=False, repr=False)

    def edited_since(self, before: Source) -> list[str]:
        """The files that are not as they were, or HEAD where that is another commit."""
        if self.commit != before.commit:
            return ["HEAD"]
        return sorted(name for name in {*self.changed, *before.changed}
                      if self.changed.get(name) != before.changed.get(name))


# Nothing can be promoted from there, as nothing says what it was made from.
OUTSIDE = Source("", True, "")


def source(root: Path, runner: Runner) -> Source:
    """The tree around `root` as it is now, files that git ignores or devenv writes left out."""
    if not any((directory / ".git").exists() for directory in (root, *root.parents)):
        return OUTSIDE
    try:
        commit = runner.read("git", "rev-parse", "--verify", "--quiet", "HEAD", cwd=root).strip()
    except CommandError as failure:
        if failure.status != 1:
            raise
        return OUTSIDE  # a repository without a commit
    top = Path(runner.read("git", "rev-parse", "--show-toplevel", cwd=root).rstrip("\n"))
    edited = runner.read("git", "diff", "--name-only", "--no-renames", "-z", "HEAD", cwd=top).split("\0")
    others = runner.read("git", "ls-files", "-z", "--others", "--exclude-standard", cwd=top).split("\0")
    names = [*filter(None, edited), *(name for name in others if name and not _is_ours(top, name))]
    changed = {name: sha256((top / name).read_bytes()).hexdigest() if (top / name).is_file() else "gone"
               for name in names}
    if not changed:
        return Source(commit, False, commit)
    lines = [commit, *(f"{changed[name]}  {name}" for name in sorted(changed))]
    return Source(commit, True, sha256("\n".join(lines).encode()).hexdigest(), changed)


def _is_ours(top: Path, name: str) -> bool:
    """Whether devenv wrote this untracked file, such as the `.env` for plain Compose."""
    path = top / name
    return ".devenv" in Path(name).parts or (path.is_file() and path.read_bytes().startswith(MACHINE_WRITTEN))
