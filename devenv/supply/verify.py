"""Who built an image, from which commit, and what was tested, from statements that somebody trusted has signed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from devenv.errors import CommandError, DevenvError, UsageError
from devenv.images.registry import manifest
from devenv.project import Project
from devenv.receipts import Receipt
from devenv.receipts.receipt import parse
from devenv.shell import Runner
from devenv.supply.cosign import MATERIALS, PROVENANCE, TESTS, Signer, statements


@dataclass(frozen=True)
class Verdict:
    """What is proven of an image."""

    reference: str  # by digest
    image_id: str
    builder: str
    commit: str
    signer: Signer
    receipts: tuple[Receipt, ...]  # newest first, each for this very image
    has_materials: bool

    @property
    def from_ci(self) -> bool:
        """Whether a workflow built it, and no person's key says so: what production asks for."""
        return self.signer.is_ci


def signers(project: Project) -> tuple[Signer, ...]:
    """Whom devenv.toml trusts: CI's workflow first; raises UsageError where it trusts nobody."""
    said = project.config.supply
    found = [Signer(identity=said.identity, issuer=said.issuer)] if said.identity else []
    for name in said.keys:
        if not (project.root / name).is_file():
            raise UsageError(f"the key `{name}` of `supply.keys` does not exist",
                             "mend devenv.toml; `cosign generate-key-pair` makes cosign.key, which you keep, "
                             "and cosign.pub, which you commit")
        found.append(Signer(key=project.root / name))
    if not found:
        raise UsageError("devenv.toml trusts nobody to vouch for an image",
                         'name your workflows under [supply]: identity = "https://github.com/OWNER/REPOSITORY/'
                         '.github/workflows/(build|ci).yml@refs/heads/main", or a key: keys = ["cosign.pub"]')
    return tuple(found)


def verify(reference: str, trusted: Sequence[Signer], runner: Runner, *, from_ci: bool = False,
           offline: bool = False) -> Verdict:
    """What is proven of the image in a registry; raises DevenvError where nothing is.

    With `from_ci` no key's word does. With `offline` no public log is asked: what is attached to the image must prove
    itself.
    """
    reference, image_id = _resolve(reference, runner)
    wanted = [one for one in trusted if one.is_ci or not from_ci]
    for signer in wanted:
        found = statements(reference, PROVENANCE, signer, runner, offline=offline)
        if found:
            break
    else:
        whom = " or ".join(map(str, wanted)) or "a workflow (devenv.toml names none: `supply.identity`)"
        raise DevenvError(f"`{reference}` has no provenance that {whom} has signed",
                          "it is not what CI built, or it was changed since: deploy the digest that build.yml printed, "
                          "or sign your own with `devenv sign`", {"cause": "provenance", "reference": reference})
    builder, commit = _origin(found[-1], reference)
    receipts = [
        receipt for one in wanted for predicate in statements(reference, TESTS, one, runner, offline=offline)
        if (receipt := _receipt(predicate)) and image_id in {image.image_id for image in receipt.images.values()}
    ]
    materials = any(statements(reference, MATERIALS, one, runner, offline=offline) for one in wanted)
    receipts.sort(key=lambda one: one.made_at, reverse=True)
    return Verdict(reference, image_id, builder, commit, signer, tuple(receipts), materials)


def _resolve(reference: str, runner: Runner) -> tuple[str, str]:
    """The reference by digest and the image ID, from the manifest that the registry gives; its digest is checked."""
    try:
        found = manifest(reference, runner)
    except CommandError as failure:
        lines = failure.output.splitlines()
        raise DevenvError(f"no registry gives the manifest of `{reference}`: "
                          f"{lines[-1] if lines else failure.status}",
                          "push the image first (`devenv build --push REGISTRY`), or `docker login` to its registry",
                          {"cause": "registry"}) from None
    name, at, asked = reference.partition("@")
    if at and asked != found.digest:
        raise DevenvError(f"`{reference}` was changed: the registry's manifest has the digest {found.digest}",
                          "do not run it; find out who can write to that registry", {"cause": "changed"})
    if not at:
        host, slash, path = name.rpartition("/")
        name = f"{host}{slash}{path.partition(':')[0]}"
    if not found.config:
        raise DevenvError(f"`{reference}` is an index of several images", "name one by its digest: "
                          f"`docker buildx imagetools inspect {reference}` lists them")
    return f"{name}@{found.digest}", found.config


def _origin(predicate: dict[str, Any], reference: str) -> tuple[str, str]:
    try:
        builder = predicate["runDetails"]["builder"]["id"]
        [commit] = [one["digest"]["gitCommit"] for one in predicate["buildDefinition"]["resolvedDependencies"]
                    if "gitCommit" in one.get("digest", {})]
    except (KeyError, TypeError, ValueError):
        raise DevenvError(f"the provenance of `{reference}` names no builder or not one commit",
                          "it is signed, but not by `devenv sign`: sign it again") from None
    return str(builder), str(commit)


def _receipt(predicate: dict[str, Any]) -> Receipt | None:
    """The receipt in a test result; None where it was made by other tools or changed."""
    try:
        return parse(json.dumps(predicate["receipt"]))
    except (KeyError, ValueError):
        return None
