"""`devenv test`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from devenv import output
from devenv.cli.main import App
from devenv.config import Suite
from devenv.engine import Engine
from devenv.lock import locked
from devenv.project import Project
from devenv.runtimes.request import Request
from devenv.shell import Runner
from devenv.suites import Outcome, run, suites
from devenv.suites.outcome import closing_line, slowest
from devenv.suites.proof import Proof, begin


@click.command("test")
@click.argument("names", nargs=-1, metavar="[SUITE]...")
@click.option("--receipt/--no-receipt", "wants_receipt", default=None,
              help="Build first, run as built, and write a receipt if all is green. Default: when no SUITE is named.")
@click.option("--junit", type=click.Path(file_okay=False, path_type=Path), default=None, metavar="DIR",
              help="Where the JUnit XML files go, one for each suite. Default: .devenv/test")
@click.option("--json", "as_json", is_flag=True, help="Write the outcome as JSON; the suites write to standard error.")
@click.pass_context
def command(ctx: click.Context, names: tuple[str, ...], wants_receipt: bool | None, junit: Path | None,
            as_json: bool) -> None:
    """Run the test suites.

    Those in devenv.toml, or pytest on `tests`. A suite that needs the platform gets it, and `<SERVICE>_URL` says
    where each service listens. A receipt says which images passed: `devenv promote` takes no others.

    Example: devenv test unit contract
    """
    from devenv.doctor.programs import ensure_programs

    app: App = ctx.obj
    project, runner = app.project, Runner()
    chosen = suites(project, names)
    programs = dict.fromkeys(program for suite in chosen for program in suite.programs)
    if programs:
        ensure_programs(programs, runner, Engine(), project.state / "logs")
    proof = _begin(project, runner) if (not names if wants_receipt is None else wants_receipt) else None
    outcomes = _run_all(project, runner, chosen, proof, junit or project.state / "test", as_json)
    missing = proof.missing(outcomes) if proof else []
    file = proof.write(outcomes) if proof and not missing else None
    if as_json:
        output.emit("test", {
            "suites": [{key: value for key, value in asdict(one).items() if key != "slowest"}
                       | {"junit": str(one.junit or ""), "shortfall": one.shortfall} for one in outcomes],
            "slowest": [{"suite": suite, **asdict(case)} for suite, case in slowest(outcomes)],
            "receipt": str(file or ""), "no_receipt": missing,
        })
    else:
        _summarize(outcomes)
        _say_receipt(file, missing, all(one.is_green for one in outcomes))
        click.echo(closing_line(outcomes))
    ctx.exit(int(not all(one.is_green for one in outcomes) or bool(wants_receipt and missing)))


def _begin(project: Project, runner: Runner) -> Proof:
    # Suites leave the machine busy; that the engine takes its time then is no reason to give up.
    engine = Engine(timeout_s=30)
    engine.ping()
    with locked(project.state, "test"):
        return begin(project, engine, runner)


def _run_all(project: Project, runner: Runner, chosen: tuple[Suite, ...], proof: Proof | None, directory: Path,
             quiet: bool) -> list[Outcome]:
    from devenv.cli.up import bring_up

    outcomes = []
    for number, suite in enumerate(chosen, 1):
        output.say(output.paint(f"suite {suite.name} ({number} of {len(chosen)})", "bold"))
        if suite.needs_platform:
            with locked(project.state, "test"):
                bring_up(project, Request(as_built=proof is not None, built=proof is not None))
            if proof:
                proof.look()
        one = run(project, runner, suite, directory, proof.environment if proof else {}, quiet)
        if proof and suite.needs_platform:
            proof.look()
        mark = output.paint("✗", "red") if one.shortfall else output.paint("✓", "green")
        output.say(f"{mark} {suite.name} {one.shortfall or 'passed'} {output.paint(f'{one.seconds:.1f} s', 'dim')}")
        outcomes.append(one)
    if proof and any(suite.needs_platform for suite in chosen):
        output.say("the platform runs as built; `devenv up` lays live reload over it again")
    return outcomes


def _summarize(outcomes: list[Outcome]) -> None:
    output.table([[one.suite, one.result, str(one.passed), str(one.failed), str(one.skipped), f"{one.seconds:.1f} s"]
                  for one in outcomes], ("SUITE", "RESULT", "PASSED", "FAILED", "SKIPPED", "TIME"))
    if slow := slowest(outcomes):
        click.echo()
        output.table([[f"{case.seconds:.1f} s", suite, case.name] for suite, case in slow],
                     ("SLOWEST", "SUITE", "TEST"))
        click.echo()


def _say_receipt(file: Path | None, missing: list[str], is_green: bool) -> None:
    if file:
        output.say(f"receipt: {file}")
    elif missing:
        output.say(output.paint("no receipt", "yellow" if is_green else "red") + ": " + "\n  and ".join(missing))
