"""`devenv doctor`."""

from __future__ import annotations

from dataclasses import asdict

import click

from devenv import output
from devenv.cli.main import App


@click.command("doctor")
@click.option("--fix", is_flag=True, help="Install and start what is missing, after saying what will be done.")
@click.option("--json", "as_json", is_flag=True, help="Write the checks as JSON.")
@click.pass_context
def command(ctx: click.Context, fix: bool, as_json: bool) -> None:
    """Check this machine, and with --fix install what is missing.

    Example: devenv doctor --fix
    """
    from devenv.doctor.checks import run_checks
    from devenv.doctor.repairs import plan
    from devenv.shell import Runner

    app: App = ctx.obj
    runner = Runner()
    checks = run_checks(runner)
    if fix:
        repairs = plan(checks, runner)
        for repair in repairs:
            output.say(f"will {repair.says}")
        for repair in repairs:
            with output.step(repair.says[0].upper() + repair.says[1:]):
                repair.apply(runner)
        checks = run_checks(runner) if repairs else checks
    failed = [check for check in checks if check.required and not check.ok]
    if as_json:
        output.emit("doctor", {"ok": not failed, "checks": [asdict(check) for check in checks]})
    elif not fix or failed or app.debug:
        output.table([[check.name, _mark(check.ok, check.required), check.found, check.next] for check in checks],
                     ("CHECK", "", "FOUND", "NEXT"))
        if any(check.repair for check in failed):
            output.say("next: devenv doctor --fix")
    ctx.exit(1 if failed else 0)


def _mark(ok: bool, required: bool) -> str:
    return "ok" if ok else "missing" if required else "warning"
