"""Waivers: what a check finds and is put up with, for a reason and until a day."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, datetime
from typing import Any, Generic, Protocol, TypeVar

from devenv.config.reading import refuse_unknown


class Dated(Protocol):
    """What every waiver has."""

    @property
    def reason(self) -> str:
        """Why it is put up with."""

    @property
    def until(self) -> date:
        """The last day on which it counts."""


W = TypeVar("W", bound=Dated)


class Waivers(Generic[W]):
    """All waivers of a check; remembers which of them were written for something that was found."""

    def __init__(self, waivers: Iterable[W], today: date) -> None:
        self._all, self._today = tuple(waivers), today
        self._used: set[W] = set()

    def find(self, fits: Callable[[W], bool]) -> tuple[W | None, bool]:
        """The waiver for a finding, one whose day has not passed before others, and whether its day has not passed."""
        fitting = [one for one in self._all if fits(one)]
        self._used.update(fitting)
        valid = [one for one in fitting if one.until >= self._today]
        return next(iter([*valid, *fitting]), None), bool(valid)

    def unused(self) -> tuple[tuple[W, ...], tuple[W, ...]]:
        """Those that nothing was found for: the expired ones, and the others."""
        left = [one for one in self._all if one not in self._used]
        return (tuple(one for one in left if one.until < self._today),
                tuple(one for one in left if one.until >= self._today))


def waiver_tables(table: dict[str, Any], name: str, needed: tuple[str, Callable[[Any], bool], str],
                  texts: tuple[str, ...], problems: list[str]) -> list[dict[str, Any]]:
    """The tables of [[NAME.waivers]] that are right; adds to the problems.

    Each has a `reason`, a day `until`, and the key that `needed` names, tests and explains; `texts` are optional.
    """
    listed = table.get("waivers", [])
    if not (isinstance(listed, list) and all(isinstance(one, dict) for one in listed)):
        problems.append(f"waivers\0`{name}.waivers` must be written as [[{name}.waivers]], one table for each")
        return []
    key, is_right, meaning = needed
    right = []
    for number, waiver in enumerate(listed, 1):
        before, what = len(problems), f"waiver {number} in `{name}.waivers`"
        refuse_unknown(waiver, {key, "reason", "until", *texts}, f"{name}.waivers.", problems)
        if not is_right(waiver.get(key)):
            problems.append(f"waivers\0{what} needs {meaning}")
        if not isinstance(waiver.get("until"), date) or isinstance(waiver["until"], datetime):
            problems.append(f"waivers\0{what} needs `until`: a date without quotes, such as 2027-01-31")
        if not waiver.get("reason"):
            problems.append(f"waivers\0{what} needs a `reason`")
        problems += [f"waivers\0{what}: `{one}` must be a text"
                     for one in ("reason", *texts) if not isinstance(waiver.get(one, ""), str)]
        if len(problems) == before:
            right.append(waiver)
    return right
