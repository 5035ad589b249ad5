"""Where to look: the file and the line behind a fact, on each side."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from devenv.compose import input_files
from devenv.kubernetes.pods import WORKLOADS
from devenv.kubernetes.workloads import NEEDS
from devenv.parity.facts import Difference
from devenv.parity.rendered import managed
from devenv.parity.tree import Patch, load, walk
from devenv.project import Project

# Field or class -> the word that its line begins with, in Compose files and in manifests.
_COMPOSE = {
    "entrypoint": "entrypoint", "command": "command", "images": "image", "versions": "image", "ports": "ports",
    "health": "test", "interval": "interval", "timeout": "timeout", "retries": "retries",
    "start period": "start_period", "start interval": "start_interval", "stop grace": "stop_grace_period",
    "order": "depends_on", "limits": "deploy", "user": "user", "group": "user", "read-only root": "read_only",
    "privileged": "privileged", "more rights by exec": "security_opt", "capabilities dropped": "cap_drop",
    "capabilities added": "cap_add",
}
_KUBERNETES = {
    "entrypoint": "command", "command": "args", "images": "image", "versions": "image", "ports": "ports",
    "health": "readinessProbe", "interval": "readinessProbe", "timeout": "readinessProbe",
    "retries": "readinessProbe", "start period": "startupProbe", "start interval": "startupProbe",
    "stop grace": "terminationGracePeriodSeconds", "order": NEEDS, "limits": "limits", "user": "runAsUser",
    "group": "runAsGroup", "read-only root": "readOnlyRootFilesystem", "privileged": "privileged",
    "more rights by exec": "allowPrivilegeEscalation", "capabilities dropped": "capabilities",
    "capabilities added": "capabilities",
}
_SELECTED = re.compile(r"([\w./-]+)\s*(?:=|==|in)\s*\(?([\w.,\s-]+)\)?")


@dataclass(frozen=True)
class ComposeFiles:
    """The Compose files of a project."""

    project: Project

    @cached_property
    def texts(self) -> dict[Path, list[str]]:
        """Their lines, the most special file first."""
        files = [file for file in input_files(self.project) if file.suffix in (".yml", ".yaml")]
        return {file: file.read_text().splitlines() for file in files}

    def find(self, difference: Difference) -> str:
        """`file:line` of what Compose says, or of where it would say it."""
        word = _word(difference, _COMPOSE)
        for file, lines in self.texts.items():
            block = _block(lines, difference.service)
            if block:
                everywhere = [*block, *range(len(lines))] if difference.compose is not None else block
                return _at(self.project, file, _line(lines, everywhere, word) or block[0])
        return _at(self.project, self.project.compose_file, None)


@dataclass(frozen=True)
class Manifests:
    """The files of one overlay."""

    project: Project
    overlay: Path

    @cached_property
    def _read(self) -> tuple[list[tuple[Path, dict[str, Any]]], list[Patch], list[Path]]:
        tree = walk(self.overlay)
        objects = [(file, one) for file in tree.resources for one in load(file)]
        return objects, tree.patches, [*tree.inputs, *tree.kustomizations]

    def find(self, difference: Difference) -> str:
        """`file:line` of what the overlay says, or of where it would say it."""
        objects, patches, others = self._read
        kinds = ("Service", *WORKLOADS) if difference.category == "ports" else WORKLOADS
        defined = [
            (file, one) for kind in kinds for file, one in objects
            if one.get("kind") == kind and (one.get("metadata") or {}).get("name") == difference.service
        ] or [(file, one) for file, one in objects if difference.service in managed(one)]
        if not defined:
            return _at(self.project, self.overlay / "kustomization.yaml", None)
        word = _word(difference, _KUBERNETES)
        aimed = [patch.file for patch in patches if any(_hits(patch, one) for _, one in defined)]
        for file in dict.fromkeys([*(file for file, _ in defined), *aimed, *others]):
            lines = file.read_text().splitlines() if file.exists() else []
            line = _line(lines, range(len(lines)), word)
            if line is not None:
                return _at(self.project, file, line)
        return _at(self.project, defined[0][0], None)


def _word(difference: Difference, table: dict[str, str]) -> str:
    return table.get(difference.field) or table.get(difference.category) or difference.field


def _line(lines: list[str], numbers: Iterable[int], word: str) -> int | None:
    pattern = re.compile(rf"(?<![\w./-]){re.escape(word)}(?![\w/-])")
    code = ((n, "" if lines[n].lstrip().startswith("#") else lines[n].partition(" #")[0]) for n in numbers)
    return next((n for n, text in code if pattern.search(text)), None)


def _block(lines: list[str], service: str) -> list[int]:
    """The numbers of the lines of one entry under `services:`."""
    inside = False
    found: list[int] = []
    for number, line in enumerate(lines):
        if re.match(r"\S", line):
            inside = line.startswith("services:")
            if found:
                break
        elif inside and re.match(r"  [\w\"']", line):
            if found:
                break
            if line.strip().rstrip(":").strip("\"'") == service:
                found.append(number)
        elif found:
            found.append(number)
    return found


def _hits(patch: Patch, one: dict[str, Any]) -> bool:
    """Whether a patch is aimed at an object: by its target, or by its own kind and name."""
    target, metadata = patch.target, one.get("metadata") or {}
    if not target:
        return any(
            own.get("kind") == one.get("kind") and (own.get("metadata") or {}).get("name") == metadata.get("name")
            for own in load(patch.file)
        )
    labels = metadata.get("labels") or {}
    wanted = _SELECTED.findall(str(target.get("labelSelector", "")))
    return (
        re.fullmatch(str(target.get("kind", ".*")), str(one.get("kind"))) is not None
        and re.fullmatch(str(target.get("name", ".*")), str(metadata.get("name"))) is not None
        and all(labels.get(key) in [value.strip() for value in values.split(",")] for key, values in wanted)
    )


def _at(project: Project, file: Path, line: int | None) -> str:
    path = file.resolve()
    shown = path.relative_to(project.root) if path.is_relative_to(project.root) else path
    return f"{shown}" if line is None else f"{shown}:{line + 1}"
