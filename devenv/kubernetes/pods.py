"""From an object to the pods that it makes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

WORKLOADS = ("CronJob", "DaemonSet", "Deployment", "Job", "StatefulSet")


def template_of(one: Mapping[str, Any]) -> dict[str, Any] | None:
    """The template of a workload's pods; None for an object that makes none."""
    if one["kind"] not in WORKLOADS:
        return None
    spec = one["spec"]["jobTemplate"]["spec"] if one["kind"] == "CronJob" else one["spec"]
    template: dict[str, Any] = spec["template"]
    return template
