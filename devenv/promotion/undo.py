"""The way back: all services to a release that is on record, proved by what the pods run."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime

from devenv import output
from devenv.errors import CommandError, DevenvError, NotRolledBackError, RolledBackError, UsageError
from devenv.promotion import apply as applying
from devenv.promotion import committed, gitops, lease, preflight, push, release
from devenv.promotion.compare import compare
from devenv.promotion.context import Promotion
from devenv.promotion.promote import hold, show
from devenv.promotion.smoke import smoke
from devenv.promotion.watch import check_running, watch


def revert(promotion: Promotion, failure: DevenvError) -> DevenvError:
    """Bring back the release before the failed one; returns the error to end with: 4, or 5 where that failed too.

    Where another promoter takes over meanwhile, that is the error: 75.
    """
    failed = promotion.target
    assert failed is not None and promotion.lease is not None
    before = promotion.current
    # Of a program that failed, its last words; the command line comes first in its message.
    said = failure.output if isinstance(failure, CommandError) and failure.output else ""
    reason = said.splitlines()[-1] if said else failure.message.splitlines()[0]
    output.say(f"  failed: {reason}")
    try:
        with output.step(f"Go back to {before.called}" if before else "Remove what was made"):
            restore(promotion, before)
        release.update(promotion.kubectl, replace(failed, status=release.FAILED, reason=reason[:500]))
    except lease.LostLeaseError as lost:
        return lost
    except DevenvError as second:
        return NotRolledBackError(
            f"{failure.message}\nand the way back failed too: {second.message}",
            f"mend the cause, then: devenv rollback {promotion.environment.name}",
            {"cause": "rollback", "failed": failed.number, "reason": reason})
    known = f"{before.called} runs again" if before else "there was none before: what it made was removed"
    return RolledBackError(f"release {failed.number} failed, and {known}.\n{failure.message}", failure.hint,
                           {"failed": failed.number, "restored": before.number if before else None, "reason": reason})


def restore(promotion: Promotion, before: release.Release | None) -> None:
    """Make the cluster what `before` says, remove what came after it, and read back what runs."""
    assert promotion.lease is not None
    if promotion.environment.gitops:
        gitops.restore(promotion, before)
        return
    kubectl, project, check = promotion.kubectl, promotion.project.title, promotion.lease.check
    timeout_s = promotion.environment.timeout_s
    wanted = before.objects if before else ()
    after = [one for each in promotion.releases if not before or each.number > before.number for one in each.objects]
    after += promotion.target.objects if promotion.target else ()
    if before:
        changes = compare(kubectl, wanted)
        applying.apply(kubectl, wanted, changes, timeout_s, check, take_over=True)
    applying.prune(kubectl, applying.obsolete(after, wanted), project, check)
    watch(kubectl, wanted, timeout_s)
    check_running(kubectl, wanted)
    if before:
        smoke(promotion.environment.smoke, promotion.url, promotion.authority)


def look(promotion: Promotion) -> None:
    """Look at the cluster and at the releases on record."""
    found = preflight.of_cluster(promotion)
    if found:
        raise DevenvError(f"`{promotion.environment.name}` cannot be changed; nothing was:\n"
                          + "\n".join(f"  - {one}" for one in found))
    if promotion.terraform is not None:
        promotion.terraform.init(promotion.environment.backend)
        promotion.outputs = promotion.terraform.outputs()


def choose(number: int | None) -> Callable[[Promotion], None]:
    """The step that finds the release to go back to."""

    def choose_release(promotion: Promotion) -> None:
        """Find the release, and check that the registry still has its images."""
        target = pick(promotion.releases, number)
        gone = [one.reference for one in target.images.values() if not push.still_there(promotion.runner, one)]
        if gone:
            raise DevenvError(f"the registry no longer gives {', '.join(gone)}",
                              f"choose another: devenv releases {promotion.environment.name}")
        newest = promotion.releases[0]
        promotion.target = replace(
            target, number=newest.number + 1, status=release.APPLYING, reason=f"rollback to {target.number}",
            made_at=datetime.now(UTC).isoformat(timespec="seconds"),
            made_by=lease.person())
        if promotion.environment.gitops:
            promotion.changes, promotion.obsolete = committed.differences(promotion.committed, target.objects)
        else:
            promotion.changes = compare(promotion.kubectl, target.objects)

    return choose_release


def pick(releases: tuple[release.Release, ...], number: int | None) -> release.Release:
    """The release of that number, or the one before the current; raises UsageError where there is none."""
    deployed = [one for one in releases if one.status == release.DEPLOYED]
    known = ", ".join(str(one.number) for one in deployed) or "none"
    if number is not None:
        for one in deployed:
            if one.number == number:
                return one
        raise UsageError(f"there is no release {number} to go back to", f"there are: {known}")
    # After a rollback, going back again means to what was before both, not to the release that was just left.
    current = deployed[0] if deployed else None
    newest = releases[0] if releases else None
    if newest is not None and newest.status != release.DEPLOYED and current is not None:
        return current
    earlier = [one for one in deployed[1:] if current and one.id != current.id]
    if not earlier:
        raise UsageError("there is no earlier release to go back to", f"there are: {known}")
    return earlier[0]


def bring_back(promotion: Promotion) -> None:
    """Bring the release back, and read what the pods run."""
    assert promotion.target is not None
    show(promotion)
    if not promotion.confirm(f"go back on `{promotion.environment.name}` ({promotion.target.reason})?"):
        raise DevenvError("not confirmed; nothing was changed")
    hold(promotion)
    assert promotion.lease is not None
    promotion.target = replace(promotion.target, token=promotion.lease.token)
    for one in promotion.releases:
        if one.status == release.APPLYING:
            release.update(promotion.kubectl, replace(one, status=release.FAILED, reason="cut off"))
    release.create(promotion.kubectl, promotion.project.title, promotion.target)
    target = promotion.target
    try:
        restore(replace(promotion, target=None), target)
        if not promotion.environment.gitops:
            known = [one for each in promotion.releases for one in each.objects]
            applying.prune(promotion.kubectl, applying.obsolete(known, target.objects), promotion.project.title,
                           promotion.lease.check)
        release.update(promotion.kubectl, replace(target, status=release.DEPLOYED))
    except lease.LostLeaseError:
        raise
    except DevenvError as failure:
        # The cluster that cannot be written to may be the failure itself.
        with suppress(DevenvError):
            release.update(promotion.kubectl, replace(target, status=release.FAILED, reason=failure.message[:500]))
        raise NotRolledBackError(f"going back failed: {failure.message}", failure.hint) from failure
