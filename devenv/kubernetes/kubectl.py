"""`kubectl` for one cluster: every call names its kubeconfig and its context, so that no other can be reached."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from devenv.shell import Runner

MANAGER = "devenv"
# A server-side apply by itself refuses fields that nobody declared. kubectl's own look at the schemas before it is one
# more thing to fail: it did while metrics-server, whose schema is one of them, started.
FORCE = "--force-conflicts"
_APPLY = ("apply", "--server-side", "--field-manager", MANAGER, "--validate=ignore")


@dataclass(frozen=True)
class Kubectl:
    """The program, bound to a cluster and, if given, to a namespace."""

    runner: Runner
    # None: where kubectl itself looks, $KUBECONFIG and then the home directory.
    kubeconfig: Path | None
    context: str
    namespace: str = ""
    program: str = "kubectl"
    # The most that one request may take; 0: no limit but that of the whole call.
    request_timeout_s: int = 0

    def within(self, namespace: str) -> Kubectl:
        """The same cluster, another namespace."""
        return replace(self, namespace=namespace)

    def argv(self, *words: str) -> tuple[str, ...]:
        """The whole command line, ready to paste."""
        where = ("--namespace", self.namespace) if self.namespace else ()
        file = ("--kubeconfig", str(self.kubeconfig)) if self.kubeconfig else ()
        limit = (f"--request-timeout={self.request_timeout_s}s",) if self.request_timeout_s else ()
        return (self.program, *file, "--context", self.context, *limit, *where, *words)

    def read(self, *words: str, stdin: str | None = None, timeout_s: float = 120) -> str:
        """Run and return the output; raises CommandError."""
        return self.runner.read(*self.argv(*words), stdin=stdin, timeout_s=timeout_s)

    def get(self, *words: str) -> dict[str, Any]:
        """`kubectl get ... --output json`, decoded."""
        found: dict[str, Any] = json.loads(self.read("get", *words, "--output", "json"))
        return found

    def items(self, kinds: str, *words: str) -> list[dict[str, Any]]:
        """All objects of some kinds in the namespace."""
        return list(self.get(kinds, *words)["items"])

    def apply(self, manifests: str, *flags: str) -> str:
        """Server-side apply with a field manager of our own; conflicts are refused unless `flags` has FORCE."""
        return self.read(*_APPLY, *flags, "--filename", "-", stdin=manifests, timeout_s=300)

    def apply_folder(self, folder: Path, take_over: bool = False) -> str:
        """Server-side apply of a kustomization; `take_over` takes fields from others, as Tilt or a person."""
        force = (FORCE,) if take_over else ()
        return self.read(*_APPLY, *force, "--kustomize", str(folder), timeout_s=300)
