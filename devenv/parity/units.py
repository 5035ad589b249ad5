"""Durations, amounts and image names as both sides write them, in one spelling."""

from __future__ import annotations

import re
from math import ceil
from typing import Any

_DURATION = re.compile(r"(\d+(?:\.\d+)?)(h|ms|us|m|s)")
_SECONDS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001, "us": 0.000001}
_AMOUNT = re.compile(r"(\d+(?:\.\d+)?)\s*([a-zA-Z]*)")
_FACTORS = {
    "": 1.0, "b": 1.0, "m": 0.001,
    "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "Ki": 2.0**10, "Mi": 2.0**20, "Gi": 2.0**30, "Ti": 2.0**40,
}


def seconds(value: Any) -> str:
    """`1m30s` or 90 -> `90 s`; up to whole seconds, which is as fine as a probe can be."""
    total = float(value) if isinstance(value, (int, float)) else sum(
        float(number) * _SECONDS[unit] for number, unit in _DURATION.findall(str(value))
    )
    return f"{ceil(round(total, 6))} s"


def amount(value: Any) -> float:
    """A Kubernetes quantity, or a number of bytes or cores."""
    match = _AMOUNT.fullmatch(str(value).strip())
    if not match or match[2] not in _FACTORS:
        return float("nan")
    return float(match[1]) * _FACTORS[match[2]]


def memory(value: Any) -> str:
    """`1073741824` or `1Gi` -> `1024Mi`."""
    return f"{amount(value) / 2**20:g}Mi"


def cores(value: Any) -> str:
    """`500m` or 0.5 -> `0.5`."""
    return f"{amount(value):g}"


def image(reference: str) -> tuple[str, str]:
    """`docker.io/library/mongo:8.0` -> (`mongo`, `8.0`); a digest is the version where there is one."""
    name, _, digest = reference.partition("@")
    head, slash, tail = name.rpartition("/")
    tail, _, tag = tail.partition(":")
    full = f"{head}{slash}{tail}"
    for prefix in ("docker.io/", "index.docker.io/", "library/"):
        full = full.removeprefix(prefix)
    return full, digest or tag or "latest"
