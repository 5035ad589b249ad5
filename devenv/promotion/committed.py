"""What is committed for Argo CD to apply, read and written; and what stands against committing more."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from devenv.errors import CommandError, DevenvError
from devenv.promotion.compare import NEW, Change, changes, key, title
from devenv.promotion.context import Promotion

Object = dict[str, Any]
# The one file of the folder. JSON, for two readers of YAML may differ on what a bare word is.
FILE = "release.yaml"
_BETWEEN = "\n---\n"


def text(environment: str, objects: Sequence[Object]) -> str:
    """The file for these objects: one document each."""
    header = (f"# written by `devenv promote {environment} --gitops`; do not edit: "
              f"git revert takes a release back, and so does `devenv rollback {environment}`\n")
    return header + _BETWEEN.join(json.dumps(one, indent=1, sort_keys=True, ensure_ascii=False)
                                  for one in objects) + "\n"


def files(environment: str, objects: Sequence[Object]) -> dict[str, str]:
    """What the folder holds for these objects: nothing where there are none."""
    return {FILE: text(environment, objects)} if objects else {}


def objects_of(found: str) -> tuple[Object, ...]:
    """The objects of such a file; raises DevenvError where it is none."""
    try:
        return tuple(json.loads(one) for one in found.partition("\n")[2].split(_BETWEEN))
    except ValueError as cause:
        raise DevenvError(f"the committed `{FILE}` is not as devenv wrote it: {cause}",
                          "git revert the commit that edited it") from None


def read(promotion: Promotion) -> None:
    """Fetch the branch, and read what it says should run."""
    promotion.tip = promotion.branch.fetch()
    found = promotion.branch.file(promotion.tip, FILE)
    promotion.committed = objects_of(found) if found else ()


def differences(before: Sequence[Object], after: Sequence[Object]) -> tuple[tuple[Change, ...], tuple[Object, ...]]:
    """The fields that change, and the objects that go."""
    old, new = {key(one): one for one in before}, {key(one): one for one in after}
    found: list[Change] = []
    for name, one in new.items():
        found += changes(old[name], one) if name in old else [Change(title(one), NEW, None, "created")]
    return tuple(found), tuple(one for name, one in old.items() if name not in new)


def problems(promotion: Promotion) -> Iterator[str]:
    """The branch is reached, and an Application that syncs by itself follows it; reads both."""
    read(promotion)
    if nobody := promotion.branch.nobody():
        yield f"git does not know who commits: {nobody} (git config user.name, user.email)"
    application, branch = promotion.application, promotion.branch
    spec = application.look().get("spec", {})
    where = f"Application `{application.name}` (namespace `{application.kubectl.namespace}`, context " \
            f"`{application.kubectl.context}`)"
    if not spec:
        yield f"Argo CD has no {where}: `kubectl apply -k k8s/argocd`, or name yours in devenv.toml"
        return
    source = spec.get("source", {})
    follows = source.get("targetRevision"), str(source.get("path", "")).strip("/")
    if follows != (branch.name, branch.folder):
        yield (f"{where} follows `{follows[1]}` of `{follows[0]}`, and devenv would commit to `{branch.folder}` of "
               f"`{branch.name}`: make them one, there or in [environments.{promotion.environment.name}.gitops]")
    automated = spec.get("syncPolicy", {}).get("automated")
    if automated is None or automated.get("enabled") is False:
        yield f"{where} does not sync by itself: give it `syncPolicy.automated`"
    try:
        application.kubectl.read("auth", "can-i", "patch", "applications.argoproj.io", "--quiet")
    except CommandError:
        yield (f"your user may not patch applications.argoproj.io in namespace `{application.kubectl.namespace}`, "
               "which is how Argo CD is told to look (RBAC: bind a Role with `get` and `patch` to it)")
