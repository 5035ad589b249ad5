"""`[environments.NAME.gitops]`: where releases are committed, and what brings them to the cluster."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from devenv.config.reading import refuse_unknown


@dataclass(frozen=True)
class Gitops:
    """A folder of a branch, and the Application of Argo CD that follows it; what is empty has a default."""

    # Its name; empty: PROJECT-ENVIRONMENT.
    application: str = ""
    # Where Argo CD runs; without a context: in the environment's own cluster.
    namespace: str = "argocd"
    context: str = ""
    remote: str = "origin"
    branch: str = "releases"
    # Within the repository; empty: k8s/releases/ENVIRONMENT.
    folder: str = ""


def gitops_from(environment: dict[str, Any], prefix: str, problems: list[str]) -> Gitops | None:
    """The table of an environment, if it has one."""
    if "gitops" not in environment:
        return None
    table = environment["gitops"]
    if not isinstance(table, dict):
        problems.append(f"gitops\0`{prefix}.gitops` must be a table; an empty one will do")
        return None
    known = {one.name for one in fields(Gitops)}
    refuse_unknown(table, known, f"{prefix}.gitops.", problems)
    texts = {key: value for key, value in table.items() if isinstance(value, str) and value}
    problems += [f"{key}\0`{prefix}.gitops.{key}` must be a text, and not an empty one"
                 for key in table if key in known and key not in texts]
    return Gitops(**{key: value for key, value in texts.items() if key in known})
