"""`devenv build`."""

from __future__ import annotations

from pathlib import Path

import click

from devenv import output
from devenv.cli.complete import services as complete
from devenv.cli.main import App
from devenv.engine import Engine
from devenv.lock import locked
from devenv.runtimes.request import Request
from devenv.steps import Journal, run


@click.command("build")
@click.argument("services", nargs=-1, metavar="[SERVICE]...", shell_complete=complete)
@click.option("--push", "registry", metavar="REGISTRY",
              help="Push each image to REGISTRY/NAME, and say its reference by digest.")
@click.option("--from", "pushed", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False),
              help="Build nothing: take the images that `build --push --json` has written to FILE, by digest.")
@click.option("--offline", is_flag=True, help="Use only base images that are on this machine.")
@click.option("--no-wait", is_flag=True, help="If another devenv works on this checkout, exit with 75.")
@click.option("--json", "as_json", is_flag=True, help="Write the images as JSON.")
@click.pass_obj
def command(app: App, services: tuple[str, ...], registry: str | None, pushed: Path | None, offline: bool,
            no_wait: bool, as_json: bool) -> None:
    """Build the images of services.

    The third-party images that they start from are found first. The same source gives the same image, in every
    checkout.

    Example: devenv build web
    """
    from devenv.images.registry import built, push, read_images, take
    from devenv.runtimes.builds import remember
    from devenv.runtimes.compose_up import BUILD, Up, read_files
    from devenv.shell import Runner

    if registry and pushed:
        raise click.UsageError("--push builds images and --from takes built ones: give one of them")
    project, runner = app.project, Runner()
    taken = read_images(pushed) if pushed else {}
    engine = Engine()
    engine.ping()
    context = Up(project, runner, engine, Request(services, build=True, as_built=True, offline=offline))
    with locked(project.state, "build", wait=not no_wait):
        run("build", (read_files,) if pushed else BUILD, context, Journal(project.state / "journal.jsonl"))
        images = built(project, engine, context.model, context.names)
        if pushed:
            take(taken, images, engine, runner, project.state / "logs" / "pull.log")
            images = [taken[one.service] for one in images]
            remember(project, engine, context.model, [one.service for one in images])
        if registry:
            images = push(project, images, registry, engine, runner)
    if as_json:
        output.emit("build", {"images": [one.as_json() for one in images]})
    else:
        output.table([[one.service, one.reference or one.image, one.id[7:19]] for one in images],
                     ("SERVICE", "IMAGE", "ID"))
