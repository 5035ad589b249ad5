"""What differs between an environment and the release that should run there."""

from __future__ import annotations

from dataclasses import dataclass

from devenv.errors import DevenvError
from devenv.promotion import preflight, release
from devenv.promotion.compare import Change, compare, key, title
from devenv.promotion.context import Promotion

# Of these kinds, whatever is in the project's namespace should be of a release.
_KINDS = "deployments,statefulsets,daemonsets,jobs,cronjobs,services,ingresses"


@dataclass(frozen=True)
class Drift:
    """The differences, and the number of the release they are from."""

    release: int
    changes: tuple[Change, ...]
    extra: tuple[str, ...]


def look(promotion: Promotion) -> Drift:
    """Compare the cluster with the release on record; reads only."""
    if problem := preflight.stranger(promotion):
        raise DevenvError(problem)
    promotion.releases = release.read(promotion.kubectl, promotion.project.title)
    current = promotion.current
    if current is None:
        raise DevenvError(f"`{promotion.environment.name}` has no release to compare with",
                          f"devenv promote {promotion.environment.name}")
    known = {key(one) for one in current.objects}
    there = promotion.kubectl.items(_KINDS)
    extra = tuple(sorted(title(one) for one in there
                         if key(one) not in known and not one["metadata"].get("ownerReferences")))
    return Drift(current.number, compare(promotion.kubectl, current.objects), extra)
