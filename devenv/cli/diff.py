"""`devenv diff`."""

from __future__ import annotations

import click

from devenv import output
from devenv.cli.main import App


@click.command("diff")
@click.argument("environment")
@click.option("--json", "as_json", is_flag=True, help="Write the differences as JSON.")
@click.pass_context
def command(ctx: click.Context, environment: str, as_json: bool) -> None:
    """Show what in ENVIRONMENT is no longer as its release says, field by field, and who changed it.

    Exits with 3 where something differs.

    Example: devenv diff staging
    """
    from devenv.cli.promote import open_promotion
    from devenv.promotion import drift
    from devenv.promotion.context import Options

    app: App = ctx.obj
    promotion = open_promotion(app, environment, True, Options())
    found = drift.look(promotion)
    if as_json:
        output.emit("diff", {"environment": environment, "release": found.release,
                             "changes": [vars(one) for one in found.changes], "extra": list(found.extra)})
    elif found.changes or found.extra:
        rows = [[one.object, one.field, _cell(one.after), _cell(one.before), one.owner or "-"]
                for one in found.changes]
        rows += [[name, "(object)", "-", "not from a release", "-"] for name in found.extra]
        output.table(rows, ("OBJECT", "FIELD", "RELEASE", "CLUSTER", "SET BY"))
    if found.changes or found.extra:
        output.say(f"next: devenv promote {environment} --take-over, or devenv rollback {environment} {found.release}")
        ctx.exit(3)
    output.say(f"`{environment}` is as release {found.release} says")


def _cell(value: str | None) -> str:
    return "-" if value is None else output.short(value, 50)
