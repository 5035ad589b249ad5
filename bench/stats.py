"""Medians, 95th percentiles, and the ratio of two medians with a bootstrap interval."""

from __future__ import annotations

import random
from collections.abc import Sequence
from statistics import median, quantiles


def p95(values: Sequence[float]) -> float:
    """The 95th percentile (inclusive method); with fewer than two values, the value."""
    return quantiles(values, n=20, method="inclusive")[18] if len(values) > 1 else values[0]


def ratio(ours: Sequence[float], rival: Sequence[float]) -> float:
    """Median over median; below 1 means that we are faster."""
    return median(ours) / median(rival)


def interval(ours: Sequence[float], rival: Sequence[float], rounds: int = 2000) -> tuple[float, float]:
    """The middle 95 % of the ratio when both samples are drawn again with replacement (fixed seed)."""
    dice = random.Random(1)
    drawn = sorted(
        ratio(dice.choices(ours, k=len(ours)), dice.choices(rival, k=len(rival))) for _ in range(rounds)
    )
    return drawn[int(rounds * 0.025)], drawn[int(rounds * 0.975)]
