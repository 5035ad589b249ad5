"""`devenv version`."""

from __future__ import annotations

import platform

import click

from devenv import __version__, output


@click.command("version")
@click.option("--json", "as_json", is_flag=True, help="Write the versions as JSON.")
def command(as_json: bool) -> None:
    """Show the versions of devenv and of the tools it uses.

    Example: devenv version --json
    """
    from devenv.doctor.checks import run_checks
    from devenv.shell import Runner

    tools = {check.name: check.found for check in run_checks(Runner()) if check.name in ("engine", "compose", "buildx")}
    versions = {"devenv": __version__, "python": platform.python_version(), **tools}
    if as_json:
        output.emit("version", {"versions": versions})
    else:
        for name, found in versions.items():
            click.echo(f"{name} {found}")
