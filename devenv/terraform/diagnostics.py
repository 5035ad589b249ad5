"""What Terraform says is wrong, from its machine-readable output."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from devenv.errors import CommandError, DevenvError, LockedError


def explain(failure: CommandError, folder: Path, now: datetime | None = None) -> DevenvError:
    """The failure as an error with its causes; LockedError where somebody holds the state."""
    found = _errors(failure.output)
    if not found:
        return failure
    for one in found:
        # A held lock has no code of its own; what it is known by is the lock that is printed with it.
        if held := _lock(one.get("detail", "")):
            return _locked(held, folder, now or datetime.now(UTC))
    lines = [_line(one) for one in found]
    return DevenvError(f"Terraform cannot go on in `{folder}`:\n" + "\n".join(lines),
                       f"try it alone: {' '.join(failure.argv)}")


def _errors(output: str) -> list[dict[str, Any]]:
    found = []
    for line in output.splitlines():
        try:
            message = json.loads(line)
        except ValueError:
            continue
        if isinstance(message, dict) and message.get("@level") == "error" and "diagnostic" in message:
            found.append(message["diagnostic"])
    return found


def _line(one: dict[str, Any]) -> str:
    where = one.get("address") or ""
    if not where and "range" in one:
        where = f"{one['range']['filename']}:{one['range']['start']['line']}"
    detail = " ".join(one.get("detail", "").split())
    return f"  - {f'{where}: ' if where else ''}{one['summary']}{f': {detail}' if detail else ''}"


def _lock(detail: str) -> dict[str, str]:
    _, found, info = detail.partition("Lock Info:")
    if not found:
        return {}
    return {key: value.strip() for key, value in re.findall(r"^ *(\w+): +(\S.*)$", info, re.MULTILINE)}


def _locked(held: dict[str, str], folder: Path, now: datetime) -> LockedError:
    since = ""
    if made := re.match(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)", held.get("Created", "")):
        then = datetime.fromisoformat(made[1]).replace(tzinfo=UTC)
        since = f" for {_age((now - then).total_seconds())}"
    return LockedError(
        f"the Terraform state of `{folder}` is locked by {held.get('Who', 'somebody')}{since} "
        f"({held.get('Operation', 'unknown operation')})",
        f"wait until it ends; only if that process is dead: "
        f"terraform -chdir={folder} force-unlock {held.get('ID', 'ID')}",
        {"holder": held},
    )


def _age(seconds: float) -> str:
    for unit, size in (("days", 86400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{max(seconds, 0):.0f} seconds"
