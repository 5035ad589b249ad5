"""`[rehearsal]` of devenv.toml: how the rehearsed platform is tried."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from devenv.config.reading import refuse_unknown


@dataclass(frozen=True)
class Rehearsal:
    """The project's own test of a platform that a rehearsal has brought up."""

    command: tuple[str, ...] = ()


def rehearsal_from(table: dict[str, Any], problems: list[str]) -> Rehearsal:
    """What the table says; adds to the problems."""
    refuse_unknown(table, {"command"}, "rehearsal.", problems)
    command = table.get("command", [])
    if not (isinstance(command, list) and all(isinstance(word, str) for word in command)):
        problems.append("command\0`rehearsal.command` must be a list of texts, one for each argument")
        command = []
    return Rehearsal(tuple(command))
