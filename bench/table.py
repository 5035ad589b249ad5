"""The rows of a run as JSON, as a table in docs/performance.md, and as a picture."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from bench.stats import interval, p95, ratio

DOCS = Path(__file__).parents[1] / "docs"
PAGE, PICTURE = DOCS / "performance.md", DOCS / "pictures" / "bench.svg"
RESULTS = Path(__file__).parent / "results.json"
BEGIN, END = "<!-- measured: written by `make bench` -->", "<!-- end of what was measured -->"


@dataclass
class Row:
    """One comparison: samples of ours and of each rival, in the same unit, taken turn about."""

    name: str
    unit: str
    ours: list[float]
    rivals: dict[str, list[float]]
    goals: dict[str, float] = field(default_factory=dict)  # rival -> ratio to reach
    load: str = ""  # the machine's load average while it was measured; 0 to the number of cores is quiet

    def lines(self) -> list[str]:
        """One line of the table for each rival."""
        lines = []
        for rival, theirs in self.rivals.items():
            goal = self.goals.get(rival)
            if self.unit == "requests lost":
                wanted, said, ok = "0 lost", "-", sum(self.ours) == 0
                figures = (f"{sum(self.ours):.0f}", f"{sum(theirs):.0f}")
            else:
                low, high = interval(self.ours, theirs)
                value = ratio(self.ours, theirs)
                wanted = f"<= {goal}" if goal else "-"
                said, ok = f"**{value:.3f}** ({low:.3f}-{high:.3f})", goal is None or value <= goal
                figures = (_figures(self.ours), _figures(theirs))
            lines.append(f"| {self.name} | {rival} | {figures[0]} | {figures[1]} | {len(self.ours)} / {len(theirs)} "
                         f"| {said} | {wanted} | {'yes' if ok else 'no'} | {self.load or '< 2'} |")
        return lines


def _figures(values: list[float]) -> str:
    return f"{median(values):.0f} / {p95(values):.0f}"


def write(rows: list[Row], versions: dict[str, str]) -> None:
    """Replace the measured part of the page, the raw data, and the picture; rows not measured now are kept.

    So are the versions of what was not asked now.
    """
    known = _load()
    versions = {**known.get("versions", {}), **versions}
    kept = {row["name"]: Row(**row) for row in known.get("rows", [])}
    kept.update({row.name: row for row in rows})
    data = {"versions": versions, "rows": [asdict(row) for row in kept.values()]}
    RESULTS.write_text(json.dumps(data, indent=1) + "\n")
    head = ("| what | against | devenv (median / p95) | rival (median / p95) | n | ratio (95 % interval) | goal "
            "| reached | load |\n|---|---|---|---|---|---|---|---|---|")
    body = "\n".join(line for row in kept.values() for line in row.lines())
    said = ", ".join(f"{name} {version}" for name, version in versions.items())
    text = PAGE.read_text()
    before, after = text.split(BEGIN)[0], text.split(END)[1]
    PAGE.write_text(f"{before}{BEGIN}\n\n{head}\n{body}\n\nMeasured with: {said}.\n\n{END}{after}")
    draw(list(kept.values()))


def draw(rows: list[Row]) -> None:
    """Ratios as bars on a logarithmic axis: shorter is faster, the line at 1 is the rival."""
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "devenv"  # the same data give the same file
    from matplotlib import pyplot

    bars = [(f"{row.name}\nvs {rival}", ratio(row.ours, theirs)) for row in rows if row.unit == "ms"
            for rival, theirs in row.rivals.items()]
    figure, axes = pyplot.subplots(figsize=(9, 0.5 * len(bars) + 1))
    axes.barh([name for name, _ in bars], [value for _, value in bars], color="#2b7a78")
    axes.set_xscale("log")
    axes.axvline(1, color="#a33", linewidth=1)
    axes.invert_yaxis()
    axes.set_xlabel("time of devenv / time of the rival (below 1: devenv is faster)")
    axes.tick_params(axis="y", labelsize=7)
    figure.tight_layout()
    figure.savefig(PICTURE, metadata={"Date": None})


def _load() -> dict[str, Any]:
    try:
        data: dict[str, Any] = json.loads(RESULTS.read_text())
    except (OSError, ValueError):
        return {}
    return data
