"""`devenv scan`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from devenv import output
from devenv.cli.complete import services as complete
from devenv.cli.main import App

if TYPE_CHECKING:
    from devenv.config.scan import Scan, ScanWaiver
    from devenv.supply.policy import Judgement, Report
    from devenv.supply.scanner import Finding


@click.command("scan")
@click.argument("names", nargs=-1, metavar="[SERVICE|IMAGE]...", shell_complete=complete)
@click.option("--from", "pushed", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False),
              help="Scan the images that `build --push --json` has written to FILE.")
@click.option("--offline", is_flag=True, help="Read OSV's databases from this machine, and send nothing anywhere.")
@click.option("--json", "as_json", is_flag=True, help="Write all that was found as JSON.")
@click.pass_context
def command(ctx: click.Context, names: tuple[str, ...], pushed: Path | None, offline: bool, as_json: bool) -> None:
    """Look for known vulnerabilities in images.

    In those of all services, as last built, unless some are named: in the packages that `devenv sbom` lists. Exits with
    3 for one that `scan` in devenv.toml wants gone and no waiver there puts up with; with 1 if something could not be
    looked up.

    Example: devenv scan web
    """
    from devenv.doctor.programs import ensure_programs
    from devenv.engine import Engine
    from devenv.errors import UsageError
    from devenv.images.registry import read_images
    from devenv.shell import Runner
    from devenv.supply.materials import packages
    from devenv.supply.named import references
    from devenv.supply.policy import judge
    from devenv.supply.scanner import PROGRAM, scan

    if names and pushed:
        raise click.UsageError("--from names the images already: leave out one of them")
    app: App = ctx.obj
    settings, engine, runner = app.project.config.scan, Engine(), Runner()
    engine.ping()
    images = (list(dict.fromkeys(one.reference for one in read_images(pushed).values())) if pushed
              else references(app.project, names, engine, runner))
    if not images:
        raise UsageError("this project builds no image", "name one: `devenv scan SERVICE` or `devenv scan IMAGE:TAG`")
    ensure_programs([PROGRAM], runner, engine, app.project.state / "logs")
    scanned = []
    for image in images:
        output.say(f"  scanning {image}")
        scanned.append(scan(image, packages(image, engine, runner), runner, offline=offline))
    report = judge(scanned, settings, date.today(), complete=not names)
    if as_json:
        output.emit("scan", _as_json(report, settings))
    else:
        _show(report, settings)
    if not report.passed:
        ctx.exit(3)


def _as_json(report: Report, settings: Scan) -> dict[str, Any]:
    return {
        "passed": report.passed, "fail_on": settings.fail_on, "only_fixed": settings.only_fixed,
        "images": [{"image": one.image, "packages": one.packages} for one in report.scanned],
        "findings": [{"image": one.image, **asdict(one.finding), "rating": one.finding.rating, "fails": one.fails,
                      "waiver": _waiver(one.waiver) if one.waiver else None} for one in report.judgements],
        "expired": [_waiver(one) for one in report.expired], "idle": [_waiver(one) for one in report.idle],
    }


def _waiver(waiver: ScanWaiver) -> dict[str, str]:
    return {**asdict(waiver), "until": str(waiver.until)}


def _show(report: Report, settings: Scan) -> None:
    failing = _by_finding(report.failing)
    if failing:
        output.table(
            [[one.id, f"{one.rating} {one.score or ''}".strip(), one.package, one.version,
              " or ".join(one.fixed) or "none yet", ", ".join(images)] for one, images in failing.items()],
            ("VULNERABILITY", "RATING", "PACKAGE", "VERSION", "FIXED IN", "IMAGES"))
    waived = {(one.finding, one.waiver, one.waived) for one in report.judgements if one.waiver and one.counts}
    for finding, waiver, valid in sorted(waived, key=lambda one: (one[0].id, one[0].package)):
        if valid:
            output.say(f"waived until {waiver.until}: {finding.id} of {finding.package}: {waiver.reason}")
        else:
            output.warn(f"the waiver for {finding.id} of {finding.package} ran out on {waiver.until}: {waiver.reason}")
    for one in report.expired:
        output.warn(f"the waiver for {one.id} ran out on {one.until} and fits nothing that was found: "
                    f"remove it from devenv.toml ({one.reason})")
    for one in report.idle:
        output.warn(f"the waiver for {one.id} fits nothing that was found: remove it from devenv.toml ({one.reason})")
    for image in report.scanned:
        if unknown := image.packages.get("", 0):
            output.warn(f"{unknown} packages of {image.image} were not looked up: OSV.dev has no database about them")
    others = len(_by_finding(one for one in report.judgements if not one.counts))
    what = f"rated {settings.fail_on} or worse" + (" and mended in a newer version" if settings.only_fixed else "")
    output.say(_count(len(report.scanned), "image", "images")
               + f": {_count(len(failing), 'known vulnerability', 'known vulnerabilities')} {what}"
               + (f", {_count(others, 'other', 'others')} (--json lists them)" if others else "")
               + ("; build with newer packages, or write a waiver: docs/guides/supply-chain.md" if failing else ""))


def _by_finding(judgements: Iterable[Judgement]) -> dict[Finding, list[str]]:
    found: dict[Finding, list[str]] = {}
    for one in judgements:
        found.setdefault(one.finding, []).append(one.image)
    return found


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"
