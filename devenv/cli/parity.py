"""`devenv parity`."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import click

from devenv import output
from devenv.cli.main import App

if TYPE_CHECKING:
    from devenv.config import Waiver
    from devenv.parity.check import Finding, Report
    from devenv.parity.sources import ComposeFiles, Manifests

_HEADINGS = ("OVERLAY", "CLASS", "SERVICE", "FIELD", "COMPOSE", "KUBERNETES", "LOOK AT")
_WIDTH = 44


@click.command("parity")
@click.argument("overlay", required=False)
@click.option("--json", "as_json", is_flag=True, help="Write the differences as JSON.")
@click.pass_context
def command(ctx: click.Context, overlay: str | None, as_json: bool) -> None:
    """Compare Compose with the rendered OVERLAY, or with every overlay of k8s/overlays.

    Twelve classes are compared; no cluster is needed. Exits with 3 for a difference that no waiver explains.

    Example: devenv parity staging
    """
    from devenv.doctor.programs import use_folder
    from devenv.parity import sources
    from devenv.parity.check import check
    from devenv.shell import Runner

    app: App = ctx.obj
    # `doctor --fix` may have built kubectl into devenv's own folder.
    use_folder()
    report = check(app.project, Runner(), (overlay,) if overlay else (), date.today())
    compose = sources.ComposeFiles(app.project)
    manifests = {name: sources.Manifests(app.project, path) for name, path in report.overlays.items()}
    rows = [_row(finding, compose, manifests[finding.overlay]) for finding in report.findings]
    if as_json:
        output.emit("parity", {
            "overlays": list(report.overlays), "passed": report.passed, "differences": rows,
            "expired": [_waiver(one) for one in report.expired], "idle": [_waiver(one) for one in report.idle],
        })
    else:
        _show(report, rows)
    if not report.passed:
        ctx.exit(3)


def _row(finding: Finding, compose: ComposeFiles, manifests: Manifests) -> dict[str, Any]:
    one = finding.difference
    return {
        "overlay": finding.overlay, "class": one.category, "service": one.service, "field": one.field,
        "compose": one.compose, "kubernetes": one.kubernetes, "explained": finding.explained,
        "look_at": {"compose": compose.find(one), "kubernetes": manifests.find(one)},
        "waiver": _waiver(finding.waiver) if finding.waiver else None,
    }


def _waiver(waiver: Waiver) -> dict[str, str]:
    named = {"overlay": waiver.overlay, "service": waiver.service, "field": waiver.field}
    return {"class": waiver.category, **{key: value for key, value in named.items() if value},
            "reason": waiver.reason, "until": str(waiver.until)}


def _show(report: Report, rows: list[dict[str, Any]]) -> None:
    open_rows = [row for row in rows if not row["explained"]]
    if open_rows:
        lines = []
        for row in open_rows:
            looks = row["look_at"]
            lines.append([row["overlay"], row["class"], row["service"], row["field"], _cell(row["compose"]),
                          _cell(row["kubernetes"]), looks["compose"]])
            lines.append(["", "", "", "", "", "", looks["kubernetes"]])
        output.table(lines, _HEADINGS)
    for row in rows:
        waiver = row["waiver"]
        if waiver and not row["explained"]:
            output.warn(f"the waiver for {row['class']} of `{row['service']}` ran out on {waiver['until']}: "
                        f"{waiver['reason']}")
        elif waiver:
            output.say(f"explained until {waiver['until']}: {row['class']} of `{row['service']}` in {row['overlay']} "
                       f"({row['field']}: {_cell(row['compose'])} / {_cell(row['kubernetes'])}): {waiver['reason']}")
    for one in report.expired:
        output.warn(f"a waiver for {one.category} ran out on {one.until} and explains nothing any more: "
                    f"remove it from devenv.toml ({one.reason})")
    for one in report.idle:
        output.warn(f"a waiver for {one.category} explains nothing: remove it from devenv.toml ({one.reason})")
    names = ", ".join(report.overlays)
    count = len(open_rows)
    output.say(f"{count} difference{'' if count == 1 else 's'} between Compose and {names}"
               + ("; mend one side, or write a waiver: docs/guides/parity.md" if count else ""))


def _cell(value: str | None) -> str:
    text = "-" if value is None else " ".join(value.split()) or '""'
    return text if len(text) <= _WIDTH else text[: _WIDTH - 1] + "…"
