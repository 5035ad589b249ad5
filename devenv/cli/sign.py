"""`devenv sign`."""

from __future__ import annotations

import os
from pathlib import Path

import click

from devenv import output
from devenv.cli.main import App


@click.command("sign")
@click.option("--from", "pushed", metavar="FILE", required=True, type=click.Path(path_type=Path, dir_okay=False),
              help="The images, as `build --push --json` has written them to FILE.")
@click.option("--key", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False),
              help="Sign with this key of cosign's; without it as the workflow, or as you after a login.")
@click.option("--receipt", "only_receipt", is_flag=True, help="Attach what was tested, and nothing else.")
@click.pass_obj
def command(app: App, pushed: Path, key: Path | None, only_receipt: bool) -> None:
    """Sign for pushed images: how they were built, what is in them, what was tested.

    Each is a statement attached to the image's digest; `devenv verify` reads them. The last is for after the tests: it
    needs --receipt.

    Example: devenv sign --from images.json --key cosign.key
    """
    from devenv.doctor.programs import ensure_programs
    from devenv.engine import Engine
    from devenv.images.registry import read_images
    from devenv.shell import Runner
    from devenv.supply.sign import sign_builds, sign_receipt

    images, runner, engine = read_images(pushed), Runner(), Engine()
    ensure_programs(["cosign"], runner, engine, app.project.state / "logs")
    if only_receipt:
        sign_receipt(app.project, images, key, runner)
    else:
        sign_builds(app.project, images, key, runner, engine, os.environ)
    output.say(f"next: devenv verify {next(iter(images.values())).reference}")
