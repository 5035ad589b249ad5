"""`devenv sbom`."""

from __future__ import annotations

import json
import sys

import click

from devenv import output
from devenv.cli.complete import services as complete
from devenv.cli.main import App


@click.command("sbom")
@click.argument("image", metavar="SERVICE|IMAGE", shell_complete=complete)
@click.option("--json", "as_json", is_flag=True, help="Write the bill of materials in CycloneDX.")
@click.pass_obj
def command(app: App, image: str, as_json: bool) -> None:
    """List what is in an image: packages, versions, licences.

    For a service it is the image that was last built. Read from the records of Debian's and Python's packages.

    Example: devenv sbom web --json
    """
    from devenv.engine import Engine
    from devenv.shell import Runner
    from devenv.supply.materials import bill_of_materials, packages
    from devenv.supply.named import references

    engine, runner = Engine(), Runner()
    engine.ping()
    [image] = references(app.project, [image], engine, runner)
    if as_json:
        json.dump(bill_of_materials(image, engine, runner), sys.stdout, indent=1)
        sys.stdout.write("\n")
        return
    output.table([[one.kind, one.name, one.version, ", ".join(one.licences) or "not stated"]
                  for one in packages(image, engine, runner)], ("KIND", "PACKAGE", "VERSION", "LICENCES"))
