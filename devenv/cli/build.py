"""`devenv build`."""

from __future__ import annotations

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
@click.option("--offline", is_flag=True, help="Use only base images that are on this machine.")
@click.option("--no-wait", is_flag=True, help="If another devenv works on this checkout, exit with 75.")
@click.option("--json", "as_json", is_flag=True, help="Write the images as JSON.")
@click.pass_obj
def command(app: App, services: tuple[str, ...], offline: bool, no_wait: bool, as_json: bool) -> None:
    """Build the images of services.

    The third-party images that they start from are found first.

    Example: devenv build web
    """
    from devenv.runtimes.builds import image_name
    from devenv.runtimes.compose_up import BUILD, Up
    from devenv.shell import Runner

    project = app.project
    engine = Engine()
    engine.ping()
    context = Up(project, Runner(), engine, Request(services, build=True, as_built=True, offline=offline))
    with locked(project.state, "build", wait=not no_wait):
        run("build", BUILD, context, Journal(project.state / "journal.jsonl"))
    rows = []
    for name in context.names:
        service = context.model.services[name]
        if service.is_built:
            reference = image_name(project, service)
            rows.append({"service": name, "image": reference, "id": (engine.image(reference) or {}).get("Id", "")})
    if as_json:
        output.emit("build", {"images": rows})
    else:
        output.table([[row["service"], row["image"], row["id"][7:19]] for row in rows], ("SERVICE", "IMAGE", "ID"))
