"""Calendar months in UTC, written YYYY-MM."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from servicekit.problems import Problem

MONTH = re.compile(r"(\d{4})-(0[1-9]|1[0-2])", re.ASCII)


def month_of(moment: datetime) -> str:
    """The month that a moment lies in."""
    return f"{moment.astimezone(UTC):%Y-%m}"


def parse(text: str, now: datetime) -> str:
    """The month that `text` names; raises a 422 `Problem` where it names none, or one to come."""
    if not MONTH.fullmatch(text) or text.startswith("0000"):
        raise Problem(422, "month must look like 2026-11.")
    if text > month_of(now):
        raise Problem(422, f"{text} has not begun.")
    return text


def is_closed(month: str, now: datetime, grace_s: float) -> bool:
    """Whether the month, and the time that late messages are given, is over."""
    return month_of(now - timedelta(seconds=grace_s)) > month
