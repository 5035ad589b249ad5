"""`devenv chart`."""

from __future__ import annotations

from pathlib import Path

import click

from devenv import output
from devenv.cli.main import App


@click.command("chart")
@click.argument("overlay", required=False, default="production")
@click.option("--output", "folder", type=click.Path(path_type=Path), help="Directory for the chart.  [.devenv/charts]")
@click.option("--version", help="The chart's version; without it, one is made from the commit.")
@click.option("--image", "images", multiple=True, metavar="SERVICE=REFERENCE",
              help="The image of a service, instead of the overlay's; may be repeated.")
@click.option("--from", "pushed", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False),
              help="The images of all services, as `build --push --json` has written them to FILE.")
@click.option("--json", "as_json", is_flag=True, help="Write what was packed as JSON.")
@click.pass_obj
def command(app: App, overlay: str, folder: Path | None, version: str | None, images: tuple[str, ...],
            pushed: Path | None, as_json: bool) -> None:
    """Pack OVERLAY as a Helm chart.

    Without OVERLAY it is `production`. With its own values the chart renders what kustomize renders. Values: registry,
    digests, replicas, hosts, backends, names of secrets. The same commit gives the same bytes.

    Example: devenv chart production --version 1.4.0 --output dist
    """
    from devenv.chart.make import make
    from devenv.doctor.programs import use_folder
    from devenv.errors import UsageError
    from devenv.images.registry import read_images
    from devenv.shell import Runner

    # One for each image, under its own name: services that share one are the same to the overlay.
    references = {one.name: one.reference for one in read_images(pushed).values()} if pushed else {}
    for entry in images:
        name, equals, reference = entry.partition("=")
        if not (name and equals and reference):
            raise UsageError(f"`--image {entry}` names no image", "--image SERVICE=REGISTRY/NAME@sha256:DIGEST")
        references[name] = reference
    use_folder()
    chart = make(app.project, Runner(), overlay=overlay, output=folder or app.project.state / "charts", version=version,
                 images=references)
    for note in chart.notes:
        output.warn(note)
    if as_json:
        output.emit("chart", {"name": chart.about.name, "chart_version": chart.about.version,
                              "commit": chart.about.commit, "overlay": chart.about.overlay, "path": str(chart.path),
                              "sha256": chart.sha256, "notes": list(chart.notes)})
        return
    click.echo(chart.path)
    output.say(f"next: helm show values {chart.path}")
