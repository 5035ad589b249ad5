"""`devenv up`."""

from __future__ import annotations

from dataclasses import replace

import click

from devenv import output
from devenv.cli.complete import services as complete
from devenv.cli.main import App
from devenv.engine import Engine
from devenv.lock import locked
from devenv.project import Project
from devenv.runtimes import record
from devenv.runtimes.request import Request
from devenv.steps import Journal


@click.command("up")
@click.argument("services", nargs=-1, metavar="[SERVICE]...", shell_complete=complete)
@click.option("--build", is_flag=True, help="Build all images again, also those that look up to date.")
@click.option("--as-built", is_flag=True, help="Run the code in the images, without live reload.")
@click.option("--offline", is_flag=True, help="Use only images that are on this machine.")
@click.option("--watch", is_flag=True, help="Stay, and rebuild a service whose Dockerfile or lock file changes.")
@click.option("--no-wait", is_flag=True, help="If another devenv works on this checkout, exit with 75.")
@click.option("--port-offset", type=click.IntRange(0, 20000), default=None,
              help="Move this checkout's ports by this much; remembered.")
@click.option("--json", "as_json", is_flag=True, help="Write the result as JSON.")
@click.pass_obj
def command(app: App, services: tuple[str, ...], build: bool, as_built: bool, offline: bool, watch: bool,
            no_wait: bool, port_offset: int | None, as_json: bool) -> None:
    """Start the platform, or SERVICE and what it needs, and wait until it is usable.

    A second call changes nothing and takes a moment.

    Example: devenv up web
    """
    project = app.project
    if port_offset is not None and port_offset != project.checkout.port_offset:
        project.remember(replace(project.checkout, port_offset=port_offset))
        project.__dict__.pop("checkout")
    request = Request(services, build, as_built, offline)
    known = None if build else record.still_true(project, Engine(), request.key())
    notes: list[str] = []
    if known is None:
        with locked(project.state, "up", wait=not no_wait):
            known, notes = bring_up(project, request)
    report(known, notes, as_json)
    if watch:
        from devenv.runtimes.watching import watch as stay

        stay(project, request, lambda again: bring_up(project, again))


def bring_up(project: Project, request: Request) -> tuple[record.Record, list[str]]:
    """Run the steps, unless another process did the same while we waited for the lock."""
    engine = Engine()
    known = None if request.build else record.still_true(project, engine, request.key())
    if known:
        return known, []
    from devenv.runtimes.compose_up import UP, Up
    from devenv.shell import Runner
    from devenv.steps import run

    engine.ping()
    journal = Journal(project.state / "journal.jsonl")
    cut_off = journal.unfinished()
    if cut_off:
        output.say(f"the last run was cut off at `{cut_off}`; going on from what is there")
    context = Up(project, Runner(), engine, request)
    run("up", UP, context, journal)
    made = record.load(project)
    assert made is not None
    return made, context.notes


def report(known: record.Record, notes: list[str], as_json: bool) -> None:
    """Where to go, and what to type next."""
    if as_json:
        output.emit("up", {"endpoints": known.endpoints, "notes": notes, "next": known.next})
        return
    for note in notes:
        output.say(output.paint("note: ", "yellow") + note)
    if known.endpoints:
        output.table([[one["service"], one["url"]] for one in known.endpoints], ("SERVICE", "URL"))
    output.say(f"next: {known.next}")
