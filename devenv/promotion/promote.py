"""`devenv promote`: the steps, in order."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

from devenv import output, receipts
from devenv.errors import DevenvError, UsageError
from devenv.images.registry import bare_name
from devenv.promotion import apply as applying
from devenv.promotion import fit, lease, preflight, push, release, render
from devenv.promotion.compare import NEW, Change, as_list, compare, key, live, title
from devenv.promotion.context import Promotion
from devenv.promotion.smoke import smoke as answer
from devenv.promotion.watch import RESTARTS, RESTARTS_ON_TOP, check_running
from devenv.promotion.watch import watch as wait_for
from devenv.terraform.outputs import backends_env


def check(promotion: Promotion) -> None:
    """Look for all that stands against it; nothing is changed."""
    found = preflight.problems(promotion)
    if found:
        listed = "\n".join(f"  - {one}" for one in found)
        raise DevenvError(f"`{promotion.environment.name}` cannot be promoted to; nothing was changed:\n{listed}",
                          details={"cause": "preflight", "problems": found})


def push_images(promotion: Promotion) -> None:
    """Push by digest what the registry lacks, and check that it is what was tested."""
    registry = promotion.registry
    if promotion.environment.source:
        return
    if not registry:
        raise UsageError(f"no registry is known for `{promotion.environment.name}`",
                         "set `registry` in devenv.toml, or apply the Terraform that puts out `registry_url`")
    promotion.images = promotion.images or preflight.pushed(promotion)
    for one in promotion.local.values():
        name = bare_name(promotion.project, one.reference)
        if name in promotion.images:
            continue
        if promotion.options.dry_run:
            output.say(f"  would push {push.tag_of(registry, name, one.image_id)}")
            # A manifest's digest exists once it is pushed; the preview shows the image's ID in its place.
            promotion.images[name] = release.Image(one.image_id, f"{registry}/{name}@{one.image_id}")
            continue
        output.say(f"  pushing {push.tag_of(registry, name, one.image_id)}")
        log = promotion.project.state / "logs" / "push.log"
        promotion.images[name] = push.push(promotion.runner, registry, name, one.image_id, log)


def apply_terraform(promotion: Promotion) -> None:
    """Show Terraform's plan and apply exactly that."""
    plan, terraform = promotion.plan, promotion.terraform
    if terraform is None or plan is None or plan.empty:
        return
    for change in plan.changes:
        output.say(f"  {'/'.join(change.actions)} {change.address}")
    if promotion.options.dry_run:
        return
    agree(promotion, f"apply these {len(plan.changes)} changes of Terraform to `{promotion.environment.name}`?")
    hold(promotion)
    terraform.apply(plan)
    promotion.outputs = terraform.outputs()
    if not fit.is_known(plan.outputs) and (found := fit.problems(promotion.outputs, fit.rendered(promotion))):
        raise DevenvError("Terraform was applied, and its outputs do not fit the overlay; nothing in the cluster was "
                          "changed:\n" + "\n".join(f"  - {one}" for one in found),
                          details={"cause": "contract", "problems": found})


def make_release(promotion: Promotion) -> None:
    """Write images and endpoints, and render the manifests."""
    project, environment = promotion.project, promotion.environment
    images, receipt, commit = promotion.images, promotion.receipt.id if promotion.receipt else "", ""
    if promotion.receipt:
        commit = promotion.receipt.commit
    elif promotion.taken:
        images, receipt, commit = dict(promotion.taken.images), promotion.taken.receipt, promotion.taken.commit
        promotion.images = images
    backends = backends_env(promotion.outputs) if "backends" in promotion.outputs else None
    files = render.machine_files(environment.name, images, backends)
    objects = render.manifests(promotion.runner, promotion.home.root, promotion.state, environment.overlay, files)
    render.check_digests(objects, images)
    objects = render.finish(objects, project.title)
    if environment.gitops:
        objects = render.without_rights(objects)
    identity, current = release.identity(objects), promotion.current
    if current and current.id == identity:
        # The same content is the same release: a newer receipt for it is no change.
        receipt = current.receipt
    promotion.target = release.Release(
        identity, images, receipt, commit, receipts.manifest_hash(project.root, environment.overlay),
        datetime.now(UTC).isoformat(timespec="seconds"), lease.person(),
        objects=render.annotate(objects, identity, receipt))


def show_changes(promotion: Promotion) -> None:
    """Compare with the cluster, field by field, and ask."""
    target = promotion.target
    assert target is not None
    known = [one for number in promotion.releases for one in number.objects] if promotion.releases else []
    promotion.obsolete = applying.obsolete(_unique(known), target.objects)
    promotion.obsolete = tuple(live(promotion.kubectl, promotion.obsolete).values())
    if promotion.namespace_exists:
        promotion.changes = compare(promotion.kubectl, target.objects)
    else:
        promotion.changes = tuple(Change(title(one), NEW, None, "created") for one in target.objects)
    newest = promotion.releases[0] if promotion.releases else None
    ended = newest is not None and newest.status == release.DEPLOYED and newest.id == target.id
    promotion.unchanged = ended and not promotion.changes and not promotion.obsolete
    if promotion.unchanged:
        output.say(f"  nothing to change: release {newest.number if newest else 0} runs")
        return
    show(promotion)
    warn_of_no_way_back(promotion)
    foreign = sorted({f"{one.object} {one.field} ({one.owner})" for one in promotion.changes if one.owner})
    if foreign and not promotion.options.take_over:
        raise DevenvError("others have set fields that this release sets too:\n"
                          + "\n".join(f"  - {one}" for one in foreign),
                          "find out why, then run the same command with --take-over",
                          {"cause": "conflict", "fields": foreign})
    if not promotion.options.dry_run:
        agree(promotion, f"bring this to `{promotion.environment.name}`?")


def apply_changes(promotion: Promotion) -> None:
    """Apply what differs, in dependency order, and remove what is gone."""
    if promotion.unchanged:
        return
    target = begin(promotion)
    assert promotion.lease is not None
    applying.apply(promotion.kubectl, target.objects, promotion.changes, promotion.environment.timeout_s,
                   promotion.lease.check, promotion.options.take_over)


def begin(promotion: Promotion) -> release.Release:
    """Take the lease and put the release on record; from here on, a failure goes back."""
    target = promotion.target
    assert target is not None
    hold(promotion)
    assert promotion.lease is not None
    newest = promotion.releases[0] if promotion.releases else None
    if newest and newest.status == release.APPLYING and newest.id == target.id:
        target = replace(target, number=newest.number, token=promotion.lease.token)
        release.update(promotion.kubectl, target)
    else:
        if newest and newest.status == release.APPLYING:
            release.update(promotion.kubectl, replace(newest, status=release.FAILED, reason="cut off"))
        target = replace(target, number=newest.number + 1 if newest else 1, token=promotion.lease.token)
        release.create(promotion.kubectl, promotion.project.title, target)
    promotion.target, promotion.began = target, True
    return target


def watch(promotion: Promotion) -> None:
    """Watch the pods until all run the new digests, or until one never will."""
    if promotion.unchanged or promotion.target is None:
        return
    restarts = RESTARTS_ON_TOP if promotion.current else RESTARTS
    wait_for(promotion.kubectl, promotion.target.objects, promotion.environment.timeout_s, restarts)
    check_running(promotion.kubectl, promotion.target.objects)


def smoke(promotion: Promotion) -> None:
    """Ask the platform where its users do."""
    if not promotion.unchanged:
        answer(promotion.environment.smoke, promotion.url, promotion.authority)


def record(promotion: Promotion) -> None:
    """Record the release in the cluster."""
    if promotion.unchanged:
        return
    assert promotion.target is not None and promotion.lease is not None
    if not promotion.environment.gitops:
        applying.prune(promotion.kubectl, promotion.obsolete, promotion.project.title, promotion.lease.check)
    promotion.lease.check()
    promotion.target = replace(promotion.target, status=release.DEPLOYED)
    release.update(promotion.kubectl, promotion.target)
    release.forget(promotion.kubectl, [*promotion.releases, promotion.target])


PREVIEW = (check, push_images, apply_terraform, make_release, show_changes)
PROMOTE = (*PREVIEW, apply_changes, watch, smoke, record)


def hold(promotion: Promotion) -> None:
    """Take the lease, unless it is held, and check that nobody has promoted since we looked."""
    if promotion.lease is not None:
        return
    if not promotion.namespace_exists:
        # Its labels come with the release; the lease must be there before.
        promotion.cluster.apply(as_list([{"apiVersion": "v1", "kind": "Namespace",
                                          "metadata": {"name": promotion.namespace}}]))
    taken = lease.Lease(promotion.kubectl, lease.who())
    taken.acquire()
    promotion.lease = taken
    if promotion.namespace_exists:
        now = release.read(promotion.kubectl, promotion.project.title)
        if [(one.number, one.status) for one in now] != [(one.number, one.status) for one in promotion.releases]:
            raise DevenvError("another promotion ended since this one looked; nothing was changed",
                              "run the same command again")


def show(promotion: Promotion) -> None:
    """What would change: digests, fields, what goes."""
    current = promotion.current
    for name, image in sorted((promotion.target.images if promotion.target else {}).items()):
        old = current.images[name].digest if current and name in current.images else "none"
        if old != image.digest:
            output.say(f"  image {name}: {old[:19]} -> {image.digest[:19]}")
    if promotion.target and promotion.target.receipt:
        output.say(f"  receipt {promotion.target.receipt[:8]}")
    for one in promotion.changes:
        by = f"  (set by {one.owner})" if one.owner else ""
        output.say(f"  {one.object} {one.field}: {_cell(one.before)} -> {_cell(one.after)}{by}")
    for gone in promotion.obsolete:
        output.say(f"  {title(gone)}: goes")


def warn_of_no_way_back(promotion: Promotion) -> None:
    """Say before the first change which images of the release that runs could not be pulled again."""
    current = promotion.current
    gone = [one.reference for name, one in (current.images if current else {}).items()
            if one != promotion.images.get(name) and not push.still_there(promotion.runner, one)]
    if current and gone:
        output.warn(f"the registry no longer gives {', '.join(gone)}: should this release fail, a node that lacks "
                    f"them cannot go back to release {current.number}")


def agree(promotion: Promotion, question: str) -> None:
    """Ask, and raise DevenvError where the answer is no."""
    if not promotion.confirm(question):
        raise DevenvError("not confirmed; nothing more was changed", "run the same command again when you are sure")


def _unique(objects: list[render.Object]) -> list[render.Object]:
    return list({json.dumps(key(one)): one for one in objects}.values())


def _cell(value: str | None) -> str:
    return "nothing" if value is None else output.short(value, 60)


