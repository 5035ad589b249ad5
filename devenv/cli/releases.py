"""`devenv releases`."""

from __future__ import annotations

import click

from devenv import output
from devenv.cli.main import App


@click.command("releases")
@click.argument("environment")
@click.option("--json", "as_json", is_flag=True, help="Write the releases as JSON.")
@click.pass_obj
def command(app: App, environment: str, as_json: bool) -> None:
    """List the releases of ENVIRONMENT, newest first.

    They are on record in its cluster.

    Example: devenv releases staging --json
    """
    from devenv.cli.promote import open_promotion
    from devenv.errors import DevenvError
    from devenv.promotion import preflight, release
    from devenv.promotion.context import Options

    promotion = open_promotion(app, environment, True, Options())
    if problem := preflight.stranger(promotion):
        raise DevenvError(problem)
    found = release.read(promotion.kubectl, promotion.project.title)
    if as_json:
        output.emit("releases", {"environment": environment, "releases": [one.summary() for one in found]})
        return
    if not found:
        output.say(f"no release was ever brought to `{environment}`\nnext: devenv promote {environment} --dry-run")
        return
    output.table([[str(one.number), one.id, one.status, one.made_at, one.made_by, one.commit[:12], one.receipt[:8],
                   one.reason[:60]] for one in found],
                 ("RELEASE", "CONTENT", "STATUS", "MADE", "BY", "COMMIT", "RECEIPT", "REASON"))
