"""`devenv promote`."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from devenv import output
from devenv.cli.main import App
from devenv.errors import UsageError

if TYPE_CHECKING:
    from devenv.config import Environment
    from devenv.promotion.context import Options, Promotion


@click.command("promote")
@click.argument("environment")
@click.option("--dry-run", is_flag=True, help="Show what would change, and change nothing.")
@click.option("--from", "source", metavar="ENVIRONMENT", help="Take the release that runs there, as `from` would.")
@click.option("--gitops", is_flag=True, help="Commit the release for Argo CD instead of applying it.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--take-over", is_flag=True, help="Also set fields that somebody else has set since.")
@click.option("--rehearse", is_flag=True, help="Promote to a throw-away cluster of this machine, with a mocked AWS.")
@click.option("--keep", is_flag=True, help="With --rehearse: leave the rehearsed platform.")
@click.option("--json", "as_json", is_flag=True, help="Write the result as JSON.")
@click.pass_obj
def command(app: App, environment: str, dry_run: bool, source: str | None, gitops: bool, yes: bool,
            take_over: bool, rehearse: bool, keep: bool, as_json: bool) -> None:
    """Bring exactly the tested images to ENVIRONMENT.

    Shows what would change and asks. If a service does not come up, all go back to the release before. Exits with 4
    after that, with 5 where the way back failed too, and with 75 while another promotion is at work or
    has taken over.

    With --rehearse nothing of ENVIRONMENT is touched: a kind cluster stands in for its own, Moto for AWS, pods for
    managed backends. All of it is removed at the end, also after a failure or Ctrl-C.

    Example: devenv promote staging --dry-run
    """
    if rehearse:
        if dry_run or source or take_over or gitops:
            raise UsageError("--rehearse goes with none of --dry-run, --from, --take-over and --gitops",
                             "a rehearsal changes nothing but what it has made: run it without them")
        _rehearse(app, environment, keep, as_json)
        return
    if keep:
        raise UsageError("--keep is about a rehearsal", f"devenv promote {environment} --rehearse --keep")
    from devenv.doctor.programs import ensure_programs
    from devenv.promotion import session
    from devenv.promotion.context import Options

    promotion = open_promotion(app, environment, yes, Options(dry_run=dry_run, take_over=take_over))
    if source:
        if session.find(app.project, source).name == environment:
            raise UsageError(f"`{environment}` cannot take its own release", "name another environment after --from")
        promotion.environment = replace(promotion.environment, source=source)
    if gitops:
        by_commit(promotion)
    if promotion.environment.provenance:
        ensure_programs(["cosign"], promotion.runner, promotion.engine, app.project.state / "logs")
    session.promote(promotion)
    target = promotion.target
    assert target is not None
    if as_json:
        output.emit("promote", {"environment": environment, "dry_run": dry_run, "unchanged": promotion.unchanged,
                                "changes": [vars(one) for one in promotion.changes], "release": target.summary()})
    elif promotion.unchanged:
        output.say(f"`{environment}` runs these images already")
    elif dry_run:
        output.say(f"nothing was changed\nnext: devenv promote {environment}")
    else:
        output.say(f"`{environment}` runs release {target.number}\nnext: devenv releases {environment}")


def _rehearse(app: App, name: str, keep: bool, as_json: bool) -> None:
    from devenv.engine import Engine
    from devenv.promotion.session import find
    from devenv.rehearsal.context import Rehearsal
    from devenv.rehearsal.rehearse import rehearse
    from devenv.shell import Runner

    rehearsal = Rehearsal(app.project, Runner(), Engine(), find(app.project, name))
    rehearse(rehearsal, keep)
    promotion = rehearsal.promotion
    assert promotion is not None and promotion.target is not None and promotion.place is not None
    place, images = promotion.place, promotion.target.images
    if as_json:
        output.emit("rehearsal", {
            "environment": name, "kept": keep, "left_out": list(rehearsal.left_out), "url": place.url,
            "authority": str(place.authority), "kubeconfig": str(place.kubeconfig),
            "namespace": promotion.namespace, "release": promotion.target.summary()})
        return
    for image, one in sorted(images.items()):
        output.say(f"  {image} ran as {one.digest[:19]}, the image {one.image_id[:19]} of receipt "
                   f"{promotion.target.receipt[:8]}")
    if keep:
        output.say(f"`{name}` was rehearsed, and answers at {place.url}, as far as this machine goes\n"
                   f"  curl --cacert {place.authority} {place.url}\n"
                   f"  kubectl --kubeconfig {place.kubeconfig} --namespace {promotion.namespace} get pods\n"
                   "next: devenv down --rehearsal")
    else:
        output.say(f"`{name}` was rehearsed, and nothing of it is left\nnext: devenv promote {name}")


def open_promotion(app: App, name: str, yes: bool, options: Options) -> Promotion:
    """The promotion of a command line; raises UsageError for an environment that is not there."""
    from devenv.doctor.programs import use_folder
    from devenv.engine import Engine
    from devenv.promotion.context import Promotion
    from devenv.promotion.session import find
    from devenv.shell import Runner

    use_folder()
    environment = find(app.project, name)
    return Promotion(app.project, Runner(), Engine(), environment, options, _asking(environment, yes))


def by_commit(promotion: Promotion) -> None:
    """Let releases be committed for Argo CD, by the defaults where devenv.toml does not say how."""
    from devenv.config.gitops import Gitops

    environment = promotion.environment
    promotion.environment = replace(environment, gitops=environment.gitops or Gitops())


def _asking(environment: Environment, yes: bool) -> Any:
    def ask(question: str) -> bool:
        if yes:
            return True
        if not sys.stdin.isatty():
            raise UsageError(f"nobody is here to answer: {question}", "run it on a terminal, or with --yes")
        if environment.confirm == "type":
            said = click.prompt(f"{question} Type `{environment.name}`", default="", show_default=False, err=True)
            return bool(said == environment.name)
        return click.confirm(question, err=True)

    return ask
