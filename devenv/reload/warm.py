"""Third-party modules, imported once in the parent so that no child has to.

Forked children share what the parent has imported, but a fork copies only one thread. So a list of modules
is first tried in a child that is thrown away: what fails there, or starts a thread, stays out of the parent,
and so does whatever needs it.
"""

from __future__ import annotations

import gc
import importlib
import sys
import threading
from collections.abc import Iterable, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any, Optional


class NotHere(BaseException):
    """An import that must not happen in the parent; no `except ImportError` may take it for an absent package."""


class Barrier(MetaPathFinder):
    """Refuses some modules: single ones, or all of some packages (the sources' own)."""

    def __init__(self, modules: Iterable[str], packages: Iterable[str]) -> None:
        self.modules = set(modules)
        self._packages = frozenset(packages)

    def find_spec(self, fullname: str, path: Any = None, target: Optional[ModuleType] = None) -> Optional[ModuleSpec]:
        if fullname in self.modules or fullname.partition(".")[0] in self._packages:
            raise NotHere(fullname)
        return None


def rehearse(names: Sequence[str], own: Iterable[str]) -> list[str]:
    """Import in a throw-away process; returns the names that are safe to import in the parent, in order."""
    barrier = Barrier((), own)
    sys.meta_path.insert(0, barrier)
    safe = []
    threads = count_threads()
    for name in names:
        loaded = _load(name)
        now = count_threads()
        if loaded and now == threads:
            safe.append(name)
        else:
            # What imports it later on must meet the barrier, as it will in the parent.
            barrier.modules.add(name)
            sys.modules.pop(name, None)
        threads = now
    return safe


def load(name: str, unsafe: Iterable[str], own: Iterable[str], app_dir: str) -> None:
    """Import in the parent what the rehearsal found safe."""
    barrier = Barrier(unsafe, own)
    sys.meta_path.insert(0, barrier)
    sys.path.insert(0, app_dir)
    try:
        _load(name)
    finally:
        sys.path.remove(app_dir)
        sys.meta_path.remove(barrier)


def settle() -> None:
    """Leave what is imported to no collector: children then never copy its pages for one."""
    gc.collect()
    gc.freeze()


def count_threads() -> int:
    """Threads of this process, those that C code started included."""
    try:
        return sum(1 for _ in Path("/proc/self/task").iterdir())
    except OSError:
        return threading.active_count()


def _load(name: str) -> bool:
    before = set(sys.modules)
    try:
        importlib.import_module(name)
    except (KeyboardInterrupt, MemoryError):
        raise
    except BaseException:
        # No half of a package may be left behind: its submodules would miss their parent.
        for added in set(sys.modules) - before:
            del sys.modules[added]
        return False
    return True
