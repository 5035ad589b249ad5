"""Import of the mounted sources: ahead of everything else, and always from the text as it is now.

Python trusts compiled code whose source has the same size and was changed in the same second, so two quick
edits could serve the first one. Here nothing compiled is read from disk. The parent keeps compiled code
beside the very bytes it was made from, and forked children inherit it: only edited files are compiled again.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterable, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import (
    EXTENSION_SUFFIXES,
    SOURCE_SUFFIXES,
    ExtensionFileLoader,
    FileFinder,
    ModuleSpec,
    PathFinder,
    SourceFileLoader,
)
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any, Optional

# What the parent has compiled, and the files that this process had to compile itself.
_compiled: dict[str, tuple[bytes, CodeType]] = {}
_missed: list[str] = []


class FreshLoader(SourceFileLoader):
    """Compiles what the file holds now, unless the parent has compiled the same bytes."""

    def get_code(self, fullname: str) -> CodeType:
        path = self.get_filename(fullname)
        data = self.get_data(path)
        known = _compiled.get(path)
        if known and known[0] == data:
            return known[1]
        _missed.append(path)
        code: CodeType = self.source_to_code(data, path)
        return code


class SourceFinder(MetaPathFinder):
    """Finds the sources' own top-level modules nowhere else: not in the copy that the image holds."""

    def __init__(self, roots: Sequence[str], names: Iterable[str]) -> None:
        self._roots = list(roots)
        self._names = frozenset(names)

    def find_spec(self, fullname: str, path: Any = None, target: Optional[ModuleType] = None) -> Optional[ModuleSpec]:
        if path is not None or fullname not in self._names:
            return None
        spec = PathFinder.find_spec(fullname, self._roots, target)
        if spec is None:
            raise ModuleNotFoundError(f"No module named {fullname!r} (any more, in {' or '.join(self._roots)})",
                                      name=fullname)
        return spec


def put_first(roots: Sequence[str], names: Iterable[str], then: Sequence[str] = ()) -> None:
    """Let this process import from `roots` before all else; `names` are the modules they have had so far."""
    sys.path[:] = [*roots, *then, *(entry for entry in sys.path if entry not in roots)]
    below = tuple(root.rstrip("/") + "/" for root in roots)
    make = FileFinder.path_hook((ExtensionFileLoader, EXTENSION_SUFFIXES), (FreshLoader, SOURCE_SUFFIXES))

    def hook(path: str) -> Any:
        if not (path + "/").startswith(below):
            raise ImportError("not one of the sources", path=path)
        return make(path)

    names = frozenset(names)
    sys.path_hooks.insert(0, hook)
    sys.meta_path.insert(0, SourceFinder(roots, names))
    for entry in [entry for entry in sys.path_importer_cache if (entry + "/").startswith(below)]:
        del sys.path_importer_cache[entry]
    # Another package of the same name may have been imported before the sources had one.
    doubtful = names - set(getattr(sys, "stdlib_module_names", ()))
    for name in [name for name in sys.modules if name.partition(".")[0] in doubtful]:
        del sys.modules[name]


def module_names(roots: Sequence[str], paths: Iterable[str]) -> set[str]:
    """The top-level modules and regular packages among the files of the sources."""
    names = set()
    for root in roots:
        prefix = root.rstrip("/") + "/"
        for path in paths:
            parts = path[len(prefix):].split("/") if path.startswith(prefix) else []
            if len(parts) == 1 and parts[0].endswith(".py"):
                names.add(parts[0][:-3])
            elif len(parts) == 2 and parts[1] == "__init__.py":
                names.add(parts[0])
    return names


def compile_ahead(path: str) -> None:
    """Keep the compiled code of one file for the children to come; broken code is theirs to report."""
    try:
        data = Path(path).read_bytes()
        if path not in _compiled or _compiled[path][0] != data:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                _compiled[path] = (data, FreshLoader("", path).source_to_code(data, path))
    except (OSError, SyntaxError, ValueError, RecursionError):
        _compiled.pop(path, None)


def missing_ahead(before: frozenset[str]) -> tuple[list[str], list[str]]:
    """What would have been there already in a better prepared parent.

    These are the names of the modules from elsewhere that are not in `before`, in the order in which their
    imports were completed, and the files of the sources that had to be compiled.
    """
    names = []
    for name, module in list(sys.modules.items()):
        spec = getattr(module, "__spec__", None)
        if name in before or spec is None or name != spec.name or isinstance(spec.loader, FreshLoader):
            continue
        if spec.origin is not None and spec.has_location:
            names.append(name)
    return names, list(_missed)
