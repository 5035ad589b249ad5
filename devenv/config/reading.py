"""Read tables of TOML strictly: what is wrong is collected, each with the key it stands at."""

from __future__ import annotations

from typing import Any

from devenv.errors import nearest


def section(data: dict[str, Any], key: str, problems: list[str]) -> dict[str, Any]:
    """The table of this name, empty where it is left out."""
    value = data.get(key, {})
    if isinstance(value, dict):
        return value
    problems.append(f"{key}\0`{key}` must be a table")
    return {}


def refuse_unknown(table: dict[str, Any], known: set[str], prefix: str, problems: list[str]) -> None:
    """Collect each key that means nothing, with the nearest one that does."""
    for key in table:
        if key not in known:
            hint = nearest(key, known, prefix)
            problems.append(f"{key}\0unknown key `{prefix}{key}`" + (f", {hint}" if hint else ""))
