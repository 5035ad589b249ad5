"""The branch that Argo CD follows: a release is a commit that replaces one folder of it.

All is done on objects and refs, so that nobody's working tree, index or branch is touched. Nothing is ever forced: a
push is refused where the branch has moved.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from devenv.errors import CommandError, DevenvError
from devenv.shell import Runner

_ABSENT = 2  # of `git ls-remote --exit-code`
_NETWORK_S = 60
# A server that asks for a password would wait for ever: there is nobody at the other end.
_QUIET = {"GIT_TERMINAL_PROMPT": "0"}


@dataclass(frozen=True)
class Branch:
    """A folder of a branch of a remote repository, through the clone that the project is in."""

    runner: Runner
    root: Path
    state: Path
    remote: str
    name: str
    folder: str

    @property
    def _ref(self) -> str:
        return f"refs/heads/{self.name}"

    def fetch(self) -> str:
        """The branch's newest commit, brought here; empty where there is no such branch yet."""
        try:
            self._git("ls-remote", "--exit-code", self.remote, self._ref)
        except CommandError as failure:
            if failure.status == _ABSENT:
                return ""
            raise
        mine = f"refs/devenv/{self.name}"
        self._git("fetch", "--quiet", "--no-tags", self.remote, f"+{self._ref}:{mine}")
        return self._git("rev-parse", mine)

    def nobody(self) -> str:
        """Why git would make no commit here: it does not know who commits; empty where it does."""
        try:
            self._git("var", "GIT_COMMITTER_IDENT")
        except CommandError as failure:
            return failure.output.splitlines()[-1]
        return ""

    def file(self, commit: str, name: str) -> str | None:
        """A file of the folder at that commit; None where there is none."""
        if not commit or not self._git("ls-tree", commit, "--", f"{self.folder}/{name}"):
            return None
        return self._git("cat-file", "blob", f"{commit}:{self.folder}/{name}", strip=False)

    def files(self, commit: str) -> list[str]:
        """Names of the folder's files at that commit."""
        if not commit:
            return []
        listed = self._git("ls-tree", "-r", "-z", "--name-only", commit, "--", f"{self.folder}/")
        return [one.removeprefix(f"{self.folder}/") for one in listed.split("\0") if one]

    def commit(self, parent: str, files: Mapping[str, str], message: str) -> str:
        """A commit after `parent` in which the folder holds these files and no others; nothing is pushed."""
        index = self.state / "gitops.index"
        index.unlink(missing_ok=True)
        here = {"GIT_INDEX_FILE": str(index)}
        self._git("read-tree", *([parent] if parent else ["--empty"]), env=here)
        listed = self._git("ls-files", "-z", "--", self.folder, env=here)
        lines = [f"0 {'0' * len(parent)}\t{path}" for path in filter(None, listed.split("\0"))]
        for name, text in sorted(files.items()):
            blob = self._git("hash-object", "-w", "--stdin", stdin=text)
            lines.append(f"100644 {blob}\t{self.folder}/{name}")
        self._git("update-index", "--add", "--index-info", stdin="".join(f"{one}\n" for one in lines), env=here)
        tree = self._git("write-tree", env=here)
        index.unlink(missing_ok=True)
        return self._git("commit-tree", tree, *(["-p", parent] if parent else []), "-F", "-", stdin=message)

    def push(self, parent: str, commit: str) -> bool:
        """Move the branch from `parent` to `commit`; False where somebody else has moved it."""
        try:
            self._git("push", "--quiet", self.remote, f"{commit}:{self._ref}")
        except CommandError:
            if self.fetch() == parent:
                raise
            return False
        return True

    def holds(self, revision: str, commit: str) -> bool:
        """Whether `revision` is `commit`, or a later one of the branch in which the folder is still the same."""
        return revision == commit or bool(revision) and self._follows(revision, commit) and (
            self.same_folder(revision, commit))

    def same_folder(self, one: str, other: str) -> bool:
        """Whether the folder is the same at two commits; no commit has none."""
        return self._folder(one) == self._folder(other)

    def _follows(self, revision: str, commit: str, again: bool = True) -> bool:
        try:
            self._git("merge-base", "--is-ancestor", commit, revision)
        except CommandError as failure:
            if failure.status == 1 or not again:
                return False
            # Somebody has pushed it since the last look.
            self.fetch()
            return self._follows(revision, commit, again=False)
        return True

    def _folder(self, commit: str) -> str:
        return self._git("ls-tree", commit, "--", self.folder) if commit else ""

    def _git(self, *words: str, stdin: str | None = None, env: Mapping[str, str] | None = None,
             strip: bool = True) -> str:
        """Git at the top of the working tree, where paths are what they are in a commit."""
        found = self.runner.read("git", "-C", str(self.root), *words, stdin=stdin, env={**_QUIET, **(env or {})},
                                 timeout_s=_NETWORK_S)
        return found.strip() if strip else found


def top(runner: Runner, root: Path) -> Path:
    """The folder whose `.git` the project is in; raises DevenvError where it is in none."""
    try:
        return Path(runner.read("git", "-C", str(root), "rev-parse", "--show-toplevel").rstrip("\n"))
    except CommandError:
        raise DevenvError(f"`{root}` is in no git repository, and releases are committed",
                          "git init, git remote add origin URL") from None
