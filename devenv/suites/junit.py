"""JUnit XML: what pytest wrote, and the same for commands that write none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree


@dataclass(frozen=True)
class Case:
    """One test and how long it took."""

    name: str
    seconds: float


@dataclass(frozen=True)
class Report:
    """What a JUnit file says."""

    passed: int
    failed: int
    skips: tuple[str, ...]  # a reason each
    cases: tuple[Case, ...]  # the slowest first


def read(file: Path) -> Report | None:
    """The report in `file`; None where there is none that can be read."""
    try:
        root = ElementTree.parse(file).getroot()
    except (OSError, ElementTree.ParseError):
        return None
    total, bad, skipped = 0, 0, 0
    for one in root.iter("testsuite"):
        total += int(one.get("tests", 0))
        bad += int(one.get("failures", 0)) + int(one.get("errors", 0))
        skipped += int(one.get("skipped", 0))
    # As many reasons as skips, whatever the elements say.
    reasons = [f"{one.get('message') or ''} {one.text or ''}" for one in root.iter("skipped")]
    reasons += [""] * (skipped - len(reasons))
    cases = [Case("::".join(filter(None, (one.get("classname"), one.get("name")))), float(one.get("time") or 0))
             for one in root.iter("testcase")]
    return Report(total - bad - skipped, bad, tuple(reasons), tuple(sorted(cases, key=lambda one: -one.seconds)))


def write(file: Path, suite: str, words: Sequence[str], exit_code: int, seconds: float) -> None:
    """A report of one test: that the command ends well."""
    root = ElementTree.Element("testsuites")
    counts = {"tests": "1", "failures": str(int(exit_code != 0)), "errors": "0", "skipped": "0"}
    element = ElementTree.SubElement(root, "testsuite", {"name": suite, **counts, "time": f"{seconds:.3f}"})
    case = ElementTree.SubElement(element, "testcase", {"name": " ".join(words), "time": f"{seconds:.3f}"})
    if exit_code:
        ElementTree.SubElement(case, "failure", {"message": f"exit code {exit_code}"})
    ElementTree.ElementTree(root).write(file, encoding="utf-8", xml_declaration=True)
