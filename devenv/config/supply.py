"""`[supply]` of devenv.toml: who may vouch for an image."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from devenv.config.reading import refuse_unknown


@dataclass(frozen=True)
class Supply:
    """Who may vouch for an image: CI's workflow, by what its certificate says, and holders of keys."""

    identity: str = ""  # a regular expression over the workflow's whole name
    issuer: str = "https://token.actions.githubusercontent.com"
    keys: tuple[str, ...] = ()  # paths of public keys
    registry: str = ""  # where CI pushes and signs; empty: where the environment's images are


def supply_from(table: dict[str, Any], problems: list[str]) -> Supply:
    """What the table says; adds to the problems."""
    refuse_unknown(table, {"identity", "issuer", "keys", "registry"}, "supply.", problems)
    identity, issuer, keys, registry = (table.get(key, default) for key, default in (
        ("identity", ""), ("issuer", Supply.issuer), ("keys", []), ("registry", "")))
    for key, value in (("identity", identity), ("issuer", issuer), ("registry", registry)):
        if not isinstance(value, str):
            problems.append(f"{key}\0`supply.{key}` must be a text")
    try:
        re.compile(str(identity))
    except re.error as cause:
        problems.append(f"identity\0`supply.identity` is no regular expression: {cause}")
    if not (isinstance(keys, list) and all(isinstance(one, str) for one in keys)):
        problems.append("keys\0`supply.keys` must be a list of texts: paths of public keys")
        keys = []
    return Supply(str(identity), str(issuer), tuple(keys), str(registry).rstrip("/"))
