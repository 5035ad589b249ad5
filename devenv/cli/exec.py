"""`devenv exec`."""

from __future__ import annotations

import sys

import click

from devenv.cli.complete import services as complete
from devenv.cli.main import App


@click.command("exec", context_settings={"ignore_unknown_options": True})
@click.argument("service", shell_complete=complete)
@click.argument("words", nargs=-1, required=True, metavar="-- COMMAND [ARG]...", type=click.UNPROCESSED)
@click.pass_context
def command(ctx: click.Context, service: str, words: tuple[str, ...]) -> None:
    """Run a command in a running service.

    Its exit code becomes that of devenv.

    Example: devenv exec redis -- redis-cli dbsize
    """
    from devenv.runtimes.runtime import choose

    app: App = ctx.obj
    terminal = sys.stdin.isatty() and sys.stdout.isatty()
    ctx.exit(choose(app.project).execute(service, words, terminal))
