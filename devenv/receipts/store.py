"""Receipts on disk: one file each under `.devenv/receipts/`, never changed once written."""

from __future__ import annotations

from pathlib import Path

from devenv import output
from devenv.project import Project, write_whole
from devenv.receipts import signing
from devenv.receipts.receipt import Receipt, parse
from devenv.shell import Runner

DIRECTORY = "receipts"


def write(project: Project, receipt: Receipt, runner: Runner) -> Path:
    """Sign the receipt if a key is configured, and put it down; returns its file."""
    key = signing.key_of(project)
    if key:
        receipt = receipt.signed(signing.sign(receipt.text, key, runner))
    directory = project.state / DIRECTORY
    directory.mkdir(parents=True, exist_ok=True)
    stamp = receipt.made_at.replace("-", "").replace(":", "").replace("+0000", "Z")
    path = directory / f"{stamp}-{receipt.id[:8]}.json"
    write_whole(path, receipt.to_json())
    return path


def load(project: Project) -> tuple[Receipt, ...]:
    """All receipts, newest first; a warning names each file that is none."""
    found = []
    for path in (project.state / DIRECTORY).glob("*.json"):
        try:
            found.append(parse(path.read_text()))
        except (OSError, ValueError) as cause:
            output.warn(f"`{path}` does not count: {cause}")
    return tuple(sorted(found, key=lambda one: one.made_at, reverse=True))
