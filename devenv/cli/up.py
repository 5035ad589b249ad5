"""`devenv up`."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace

import click

from devenv import output
from devenv.cli.complete import services as complete
from devenv.cli.main import App
from devenv.engine import Engine
from devenv.errors import DevenvError
from devenv.lock import locked
from devenv.project import Project
from devenv.runtimes import record
from devenv.runtimes.request import Request
from devenv.steps import Journal


@dataclass(frozen=True)
class Answer:
    """How `up` ended: where things listen, what to know, what to type next."""

    endpoints: list[dict[str, str]]
    notes: list[str]
    next: str


@click.command("up")
@click.argument("services", nargs=-1, metavar="[SERVICE]...", shell_complete=complete)
@click.option("--build", is_flag=True, help="Build all images again, also those that look up to date.")
@click.option("--as-built", is_flag=True, help="Run the code in the images, without live reload.")
@click.option("--offline", is_flag=True, help="Use only images that are on this machine.")
@click.option("--watch", is_flag=True, help="Stay, and rebuild a service whose Dockerfile or lock file changes.")
@click.option("--k8s", is_flag=True, help="Run on a kind cluster, with Tilt where it is installed.")
@click.option("--ci", is_flag=True, help="With --k8s: end when all is ready, and leave no Tilt behind.")
@click.option("--no-wait", is_flag=True, help="If another devenv works on this checkout, exit with 75.")
@click.option("--port-offset", type=click.IntRange(0, 20000), default=None,
              help="Move this checkout's ports by this much; remembered.")
@click.option("--json", "as_json", is_flag=True, help="Write the result as JSON.")
@click.pass_obj
def command(app: App, services: tuple[str, ...], build: bool, as_built: bool, offline: bool, watch: bool,
            k8s: bool, ci: bool, no_wait: bool, port_offset: int | None, as_json: bool) -> None:
    """Start the platform, or SERVICE and what it needs, and wait until it is usable.

    A second call changes nothing and takes a moment.

    Example: devenv up web
    """
    project = app.project
    if port_offset is not None and port_offset != project.checkout.port_offset:
        project.remember(replace(project.checkout, port_offset=port_offset))
        project.__dict__.pop("checkout")
    request = Request(services, build, as_built, offline)
    if k8s:
        if services or watch:
            raise click.UsageError("--k8s starts the whole platform; it takes neither SERVICE nor --watch")
        with locked(project.state, "up --k8s", wait=not no_wait):
            answer = bring_up_on_kind(project, request, ci)
        report(answer, as_json)
        return
    if ci:
        raise click.UsageError("--ci goes with --k8s")
    known = None if build else record.still_true(project, Engine(), request.key())
    notes: list[str] = []
    if known is None:
        with locked(project.state, "up", wait=not no_wait):
            known, notes = bring_up(project, request)
    report(Answer(known.endpoints, notes, known.next), as_json)
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
    try:
        run("up", UP, context, journal)
    except DevenvError as failure:
        from devenv.runtimes.disk import blame_disk

        raise blame_disk(engine, failure) from failure
    made = record.load(project)
    assert made is not None
    return made, context.notes


def bring_up_on_kind(project: Project, request: Request, ci: bool) -> Answer:
    """Run the steps of `up --k8s`."""
    from devenv.runtimes.kind.context import KindUp
    from devenv.runtimes.kind.up import K8S_UP
    from devenv.shell import Runner
    from devenv.steps import run

    engine = Engine()
    engine.ping()
    context = KindUp(project, Runner(), engine, request, ci)
    run("up --k8s", K8S_UP, context, Journal(project.state / "journal-k8s.jsonl"))
    return Answer(context.endpoints(), context.notes, "devenv status")


def report(answer: Answer, as_json: bool) -> None:
    """Where to go, and what to type next."""
    if as_json:
        output.emit("up", asdict(answer))
        return
    for note in answer.notes:
        output.say(output.paint("note: ", "yellow") + note)
    if answer.endpoints:
        output.table([[one["service"], one["url"]] for one in answer.endpoints], ("SERVICE", "URL"))
    output.say(f"next: {answer.next}")
