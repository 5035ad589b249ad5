"""`devenv test`."""

from __future__ import annotations

import click

from devenv import output
from devenv.cli.main import App


@click.command("test", context_settings={"ignore_unknown_options": True})
@click.argument("names", nargs=-1, metavar="[SUITE]...")
@click.option("--json", "as_json", is_flag=True, help="Write the outcome as JSON.")
@click.pass_context
def command(ctx: click.Context, names: tuple[str, ...], as_json: bool) -> None:
    """Run the test suites.

    Those in devenv.toml, or pytest on `tests`. A suite that needs the platform gets it, and `<SERVICE>_URL` says
    where each service listens.

    Example: devenv test unit contract
    """
    from devenv.cli.up import bring_up
    from devenv.doctor.programs import ensure_programs
    from devenv.engine import Engine
    from devenv.lock import locked
    from devenv.runtimes.request import Request
    from devenv.shell import Runner
    from devenv.suites import closing_line, run, suites

    app: App = ctx.obj
    chosen = suites(app.project, names)
    programs = dict.fromkeys(program for suite in chosen for program in suite.programs)
    if programs:
        ensure_programs(programs, Runner(), Engine(), app.project.state / "logs")
    if any(suite.needs_platform for suite in chosen):
        with locked(app.project.state, "test"):
            bring_up(app.project, Request())
    outcomes = []
    for suite in chosen:
        output.say(output.paint(f"suite {suite.name}", "bold"))
        outcomes.append(run(app.project, Runner(), suite))
    if as_json:
        output.emit("test", {"suites": [vars(one) for one in outcomes]})
    else:
        output.table([
            [one.suite, "passed" if one.exit_code == 0 else f"failed ({one.exit_code})", str(one.passed),
             str(one.failed), str(one.skipped), f"{one.seconds:.1f} s"] for one in outcomes
        ], ("SUITE", "RESULT", "PASSED", "FAILED", "SKIPPED", "TIME"))
        click.echo(closing_line(outcomes))
    ctx.exit(1 if any(one.exit_code for one in outcomes) else 0)
