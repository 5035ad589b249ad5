"""Identifiers."""

from __future__ import annotations

import secrets
import time


def time_ordered_id() -> str:
    """32 hexadecimal digits that sort by the time of making: 48 bits of milliseconds, 80 random bits."""
    return f"{time.time_ns() // 1_000_000:012x}{secrets.token_hex(10)}"
