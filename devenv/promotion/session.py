"""One run of a command that changes an environment: its steps, its journal, its way back, its lease given up."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from devenv import output
from devenv.config import Environment
from devenv.errors import DevenvError, UsageError, nearest
from devenv.lock import locked
from devenv.project import Project
from devenv.promotion.context import Promotion
from devenv.promotion.gitops import PREVIEW_COMMIT, PROMOTE_BY_COMMIT
from devenv.promotion.lease import LostLeaseError
from devenv.promotion.promote import PREVIEW, PROMOTE
from devenv.promotion.undo import bring_back, choose, look, revert
from devenv.steps import Journal, run


def find(project: Project, name: str) -> Environment:
    """The environment of this name; raises UsageError with a suggestion."""
    known = project.config.environments
    if name in known:
        return known[name]
    hint = nearest(name, known) or (f"there are: {', '.join(known)}" if known
                                    else "write [environments.NAME] in devenv.toml: docs/guides/promote.md")
    raise UsageError(f"no environment is named `{name}`", hint)


def promote(promotion: Promotion) -> None:
    """Run the steps; after the first change to the cluster, any failure goes back to the release before."""
    by_commit = promotion.environment.gitops is not None
    if promotion.options.dry_run:
        _run(promotion, "promote --dry-run", PREVIEW_COMMIT if by_commit else PREVIEW)
        return
    _run(promotion, "promote", PROMOTE_BY_COMMIT if by_commit else PROMOTE)


def rollback(promotion: Promotion, number: int | None) -> None:
    """Go back to a release on record."""
    _run(promotion, "rollback", (look, choose(number), bring_back))


def _run(promotion: Promotion, command: str, steps: tuple[Callable[[Promotion], Any], ...]) -> None:
    journal = Journal(promotion.state / "journal.jsonl")
    promotion.state.mkdir(parents=True, exist_ok=True)
    with locked(promotion.state, f"{command} {promotion.environment.name}", wait=False, hint="wait for it to end"):
        cut_off = journal.unfinished()
        if cut_off and not promotion.options.dry_run:
            output.say(f"the last run was cut off at `{cut_off}`; going on from what the cluster has")
        try:
            run(command, steps, promotion, journal)
        except (Exception, KeyboardInterrupt) as failure:
            if not promotion.began or isinstance(failure, LostLeaseError):
                if isinstance(failure, DevenvError):
                    journal.write(finished=True)
                raise
            # Whatever it was: from the first change on, all services run one release or the other.
            known = failure if isinstance(failure, DevenvError) else DevenvError(
                str(failure) or "interrupted", "run with --debug for the details")
            ending = revert(promotion, known)
            journal.write(finished=True)
            raise ending from failure
        finally:
            if promotion.lease is not None:
                promotion.lease.release()
