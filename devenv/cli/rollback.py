"""`devenv rollback`."""

from __future__ import annotations

import click

from devenv import output
from devenv.cli.main import App


@click.command("rollback")
@click.argument("environment")
@click.argument("release", type=int, required=False)
@click.option("--gitops", is_flag=True, help="Commit it for Argo CD instead of applying it.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--json", "as_json", is_flag=True, help="Write the result as JSON.")
@click.pass_obj
def command(app: App, environment: str, release: int | None, gitops: bool, yes: bool, as_json: bool) -> None:
    """Go back to the release before, or to RELEASE, on ENVIRONMENT.

    Brings back manifests and digests of all services, from the record in the cluster: no checkout, build or push is
    needed. Data and Terraform stay as they are. Exits with 5 where it failed.

    Example: devenv rollback staging 3
    """
    from devenv.cli.promote import by_commit, open_promotion
    from devenv.promotion import session
    from devenv.promotion.context import Options

    promotion = open_promotion(app, environment, yes, Options())
    if gitops:
        by_commit(promotion)
    session.rollback(promotion, release)
    target = promotion.target
    assert target is not None
    if as_json:
        output.emit("rollback", {"environment": environment, "release": target.summary()})
    else:
        output.say(f"`{environment}` runs release {target.number}: {target.reason}")
