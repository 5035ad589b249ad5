"""`promote --gitops`: a release is a commit that Argo CD applies, and the way back is a commit too."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from time import monotonic, sleep
from typing import Any

from devenv import output
from devenv.errors import DevenvError
from devenv.kubernetes.workloads import explain
from devenv.promotion import apply as applying
from devenv.promotion import argocd, committed, release
from devenv.promotion.context import Promotion
from devenv.promotion.promote import (
    PREVIEW,
    PROMOTE,
    agree,
    apply_changes,
    begin,
    show,
    show_changes,
    warn_of_no_way_back,
    watch,
)
from devenv.promotion.render import without_rights
from devenv.promotion.smoke import smoke
from devenv.promotion.watch import RESTARTS, RESTARTS_ON_TOP, check_running, unfinished

Object = dict[str, Any]
POLL_S = 1.0
# How long Argo CD, told to look, may take to fetch, render and apply, beyond what pods may take.
ARGOCD_S = 90
# A sync that waits for pods which never come keeps Argo CD from beginning the next one.
BLOCKED_S = 10
_PUSHES = 5


def show_commit(promotion: Promotion) -> None:
    """Compare with what is committed, field by field, and ask."""
    target, branch = promotion.target, promotion.branch
    assert target is not None
    promotion.changes, promotion.obsolete = committed.differences(promotion.committed, target.objects)
    strays = [one for one in branch.files(promotion.tip) if one != committed.FILE]
    newest = promotion.releases[0] if promotion.releases else None
    if newest and (newest.status, newest.id) == (release.DEPLOYED, target.id) and not strays and (
            promotion.committed == target.objects):
        status = promotion.application.look().get("status", {})
        promotion.unchanged = not argocd.missing(status, lambda revision: branch.holds(revision, promotion.tip))
    if promotion.unchanged:
        output.say(f"  nothing to commit: release {newest.number if newest else 0} runs")
        return
    show(promotion)
    for name in strays:
        output.say(f"  {branch.folder}/{name}: goes")
    warn_of_no_way_back(promotion)
    if not promotion.options.dry_run:
        agree(promotion, f"commit this to `{branch.name}` of `{branch.remote}`, for Argo CD to bring it to "
                         f"`{promotion.environment.name}`?")


def commit_release(promotion: Promotion) -> None:
    """Commit what differs, for Argo CD to apply it."""
    if promotion.unchanged:
        return
    target = begin(promotion)
    images = "".join(f"{name}: {one.digest}\n" for name, one in sorted(target.images.items()))
    _commit(promotion, target.objects, promotion.committed, (
        f"{promotion.project.title}: {promotion.environment.name} runs release {target.number}\n\n{images}\n"
        f"Receipt: {target.receipt}\nTested-commit: {target.commit}\n"))


def follow(promotion: Promotion) -> None:
    """Wait until Argo CD has applied the commit and all pods run it, or until one never will."""
    if promotion.unchanged or promotion.target is None:
        return
    _settle(promotion, promotion.target.objects, RESTARTS_ON_TOP if promotion.current else RESTARTS)
    check_running(promotion.kubectl, promotion.target.objects)


_INSTEAD = {show_changes: show_commit, apply_changes: commit_release, watch: follow}
PREVIEW_COMMIT = tuple(_INSTEAD.get(one, one) for one in PREVIEW)
PROMOTE_BY_COMMIT = tuple(_INSTEAD.get(one, one) for one in PROMOTE)


def restore(promotion: Promotion, before: release.Release | None) -> None:
    """Commit what `before` says, and prove that it runs; without it, remove what was committed and made."""
    failed = promotion.target
    # A release from before Argo CD's time may hold rights.
    wanted = tuple(without_rights(before.objects)) if before else ()
    _commit(promotion, wanted, failed.objects if failed else promotion.committed, (
        f"{promotion.project.title}: {promotion.environment.name} runs {before.called if before else 'nothing'} again"
        + (f"\n\nThis reverts commit {promotion.tip}: release {failed.number} failed.\n" if failed else "\n")))
    if not before:
        _let_go(promotion)
        assert promotion.lease is not None
        made = applying.obsolete(failed.objects if failed else (), ())
        applying.prune(promotion.kubectl, made, promotion.project.title, promotion.lease.check)
        return
    _settle(promotion, wanted, RESTARTS)
    check_running(promotion.kubectl, wanted)
    smoke(promotion.environment.smoke, promotion.url)


def _commit(promotion: Promotion, wanted: Sequence[Object], expected: Sequence[Object], message: str) -> None:
    """Make the branch hold `wanted`, where it holds `expected`; no commit where it holds that already."""
    assert promotion.lease is not None
    branch, name = promotion.branch, promotion.environment.name
    for _ in range(_PUSHES):
        promotion.lease.check()
        promotion.tip = branch.fetch()
        commit = branch.commit(promotion.tip, committed.files(name, wanted), message)
        if branch.same_folder(promotion.tip, commit):
            return
        if branch.file(promotion.tip, committed.FILE) != committed.files(name, expected).get(committed.FILE):
            raise DevenvError(f"somebody has changed `{branch.folder}` of `{branch.name}` since this one looked: "
                              f"commit {promotion.tip[:12] or '(gone)'}", "look at it, then run the same command again")
        if branch.push(promotion.tip, commit):
            promotion.tip = commit
            output.say(f"  commit {commit[:12]} on `{branch.name}` of `{branch.remote}`")
            return
        # Another environment's release came first: ours is made anew on top of it.
    raise DevenvError(f"`{branch.name}` moves faster than it can be pushed to", "run the same command again")


def _settle(promotion: Promotion, objects: Sequence[Object], restarts: int) -> None:
    """Return when Argo CD has brought the branch's commit and all of it runs; raises DevenvError as early as can be."""
    application, tip = promotion.application, promotion.tip
    timeout_s = promotion.environment.timeout_s + ARGOCD_S

    @cache
    def counts(revision: str) -> bool:
        return promotion.branch.holds(revision, tip)

    application.refresh()
    began, reasons, first_seen = monotonic(), dict[str, float](), dict[str, float]()
    while True:
        status = application.look().get("status", {})
        now, there = monotonic(), list(argocd.reasons(status, counts))
        if argocd.blocks(status, counts):
            there.append(("", BLOCKED_S))
        # A reason that has gone and comes back begins anew.
        reasons = {reason: reasons.get(reason, now) for reason, _ in there}
        for reason, patience_s in there:
            if now - reasons[reason] < patience_s:
                continue
            if reason:
                raise DevenvError(f"Argo CD does not bring commit {tip[:12]}: {reason}", _hint(promotion))
            application.end_operation()
        missing = argocd.missing(status, counts)
        waiting = unfinished(promotion.kubectl, objects, first_seen, restarts) if argocd.is_synced(
            status, counts) else []
        if not missing and not waiting:
            return
        if now - began > timeout_s:
            if waiting:
                raise explain(promotion.kubectl, waiting[0], f"not ready after {timeout_s:.0f} s")
            raise DevenvError(f"{missing}, {timeout_s:.0f} s after commit {tip[:12]}", _hint(promotion))
        sleep(POLL_S)


def _let_go(promotion: Promotion) -> None:
    """Wait until Argo CD has seen that there is nothing to bring any more, so that it puts nothing back."""
    promotion.application.refresh()
    deadline = monotonic() + ARGOCD_S
    while promotion.application.look().get("status", {}).get("sync", {}).get("status") != "Unknown":
        if monotonic() > deadline:
            raise DevenvError(f"Argo CD still brings what commit {promotion.tip[:12]} took back", _hint(promotion))
        sleep(POLL_S)


def _hint(promotion: Promotion) -> str:
    kubectl, name = promotion.application.kubectl, promotion.application.name
    return f"kubectl --context {kubectl.context} --namespace {kubectl.namespace} describe application {name}"
