"""The files that an overlay is made of."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from devenv.errors import UsageError

NAMES = ("kustomization.yaml", "kustomization.yml", "Kustomization")


@dataclass(frozen=True)
class Patch:
    """A patch of a kustomization, with what it is aimed at."""

    file: Path
    target: dict[str, Any]


@dataclass
class Tree:
    """Everything below one overlay, in the order in which kustomize reads it."""

    kustomizations: list[Path] = field(default_factory=list)
    resources: list[Path] = field(default_factory=list)
    patches: list[Patch] = field(default_factory=list)
    # Files that ConfigMaps and Secrets are generated from; local ones are git-ignored, and may not be there yet.
    inputs: list[Path] = field(default_factory=list)


def walk(directory: Path) -> Tree:
    """Follow an overlay's resources, components and patches; what is not in a directory of ours is left out."""
    tree = Tree()
    _visit(directory.resolve(), tree)
    return tree


def kustomization(directory: Path) -> Path | None:
    """The directory's kustomization file."""
    return next((directory / name for name in NAMES if (directory / name).is_file()), None)


def documents(text: str) -> list[dict[str, Any]]:
    """All mappings in a YAML stream, by libyaml where it is there."""
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return [one for one in yaml.load_all(text, Loader=loader) if isinstance(one, dict)]


def load(file: Path) -> list[dict[str, Any]]:
    """All mappings in a YAML file; raises UsageError that names the file and the line."""
    import yaml

    try:
        return documents(file.read_text())
    except (yaml.YAMLError, UnicodeDecodeError) as cause:
        mark = getattr(cause, "problem_mark", None)
        where = f"{file}:{mark.line + 1}" if mark else str(file)
        reason = getattr(cause, "problem", None) or cause
        raise UsageError(f"{where}: broken YAML: {reason}", "mend that line, then try again") from None


def _visit(directory: Path, tree: Tree) -> None:
    file = kustomization(directory)
    if file is None or file in tree.kustomizations:
        return
    tree.kustomizations.append(file)
    for content in load(file):
        for entry in (*(content.get("resources") or ()), *(content.get("components") or ())):
            path = (directory / str(entry)).resolve()
            if path.is_dir():
                _visit(path, tree)
            elif path.is_file():
                tree.resources.append(path)
        for patch in content.get("patches") or ():
            if "path" in patch:
                tree.patches.append(Patch(directory / patch["path"], patch.get("target") or {}))
        tree.inputs += _inputs(directory, content)


def _inputs(directory: Path, content: dict[str, Any]) -> Iterator[Path]:
    for generator in (*(content.get("configMapGenerator") or ()), *(content.get("secretGenerator") or ())):
        for name in (*(generator.get("envs") or ()), *(generator.get("files") or ())):
            yield directory / str(name).rpartition("=")[2]
