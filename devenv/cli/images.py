"""`devenv images`."""

from __future__ import annotations

import click

from devenv import output
from devenv.cli.main import App


@click.command("images")
@click.option("--json", "as_json", is_flag=True, help="Write the images as JSON.")
@click.pass_obj
def command(app: App, as_json: bool) -> None:
    """Show every third-party image: what was wanted, what is used, and where it came from.

    A stand-in is another product or version than the name says; `docker pull NAME` makes the next `devenv up`
    use the original.

    Example: devenv images --json
    """
    from devenv.engine import Engine
    from devenv.images.resolve import MISSING, look
    from devenv.images.wanted import wanted_images
    from devenv.runtimes.opening import opened
    from devenv.shell import Runner

    engine = Engine()
    engine.ping()
    data = opened(app.project, Runner(), overlaid=False).model().data
    rows = [(look(wanted, engine), users) for wanted, users in wanted_images(data, data["services"]).items()]
    if as_json:
        output.emit("images", {"images": [
            {"wanted": one.wanted, "used": one.reference, "source": one.source, "id": one.image_id,
             "size_bytes": one.size_bytes, "product": one.product, "stand_in": not one.exact,
             "services": list(users)} for one, users in rows
        ]})
        return
    output.table([
        [one.wanted, one.source, one.image_id.removeprefix("sha256:")[:12], _size(one.size_bytes),
         "no" if one.exact else f"yes: {one.product}"] for one, _ in rows
    ], ("WANTED", "SOURCE", "DIGEST", "SIZE", "STAND-IN"))
    if any(one.source == MISSING for one, _ in rows):
        output.say("next: devenv up (it pulls or builds what is missing)")


def _size(size_bytes: int) -> str:
    return f"{size_bytes / 1e6:.0f} MB" if size_bytes else ""

