"""`devenv logs`."""

from __future__ import annotations

import click

from devenv.cli.complete import services as complete
from devenv.cli.main import App


@click.command("logs")
@click.argument("services", nargs=-1, metavar="[SERVICE]...", shell_complete=complete)
@click.option("-f", "--follow", is_flag=True, help="Go on with what comes.")
@click.option("--since", metavar="TIME", help="From a time or a span on: 2026-11-24T10:00:00, 10m, 1h30m.")
@click.option("-n", "--tail", type=click.IntRange(0), default=None, help="Only the last lines of each service.")
@click.option("-t", "--timestamps", is_flag=True, help="Show when each line was written.")
@click.pass_context
def command(ctx: click.Context, services: tuple[str, ...], follow: bool, since: str | None, tail: int | None,
            timestamps: bool) -> None:
    """Show the logs of all services or of some.

    Example: devenv logs -f --since 10m web
    """
    from devenv.runtimes.runtime import choose

    app: App = ctx.obj
    ctx.exit(choose(app.project).logs(services, follow=follow, since=since, tail=tail, timestamps=timestamps))
