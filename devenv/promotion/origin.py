"""Whether CI built and tested what is to be promoted: by signed statements, and not by what this machine says."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import chain

from devenv import output, receipts
from devenv.errors import DevenvError
from devenv.images.registry import bare_name, content_tag
from devenv.promotion.context import Promotion
from devenv.supply import Verdict, verify
from devenv.supply.verify import signers


def problems(promotion: Promotion) -> list[str]:
    """What `provenance` has against it; a warning where that says `warn`. With `ci`, the receipt is CI's own."""
    environment = promotion.environment
    if not environment.provenance:
        return []
    strict = environment.provenance == "ci"
    found = list(_problems(promotion, strict))
    if strict:
        return found
    for one in found:
        output.warn(f"{one}; enough for `{environment.name}`, and for no environment with `provenance = \"ci\"`")
    return []


def _problems(promotion: Promotion, strict: bool) -> Iterator[str]:
    named = references(promotion)
    try:
        trusted = signers(promotion.project)
    except DevenvError as problem:
        yield problem.message
        return

    def ask(reference: str) -> Verdict | DevenvError:
        try:
            return verify(reference, trusted, promotion.runner, from_ci=True)
        except DevenvError as problem:
            return problem

    asked = sorted({reference for reference, _ in named.values()})
    with ThreadPoolExecutor(max_workers=4) as pool:
        answers = dict(zip(asked, pool.map(ask, asked), strict=True))
    verdicts: list[Verdict] = []
    for name, (reference, image_id) in sorted(named.items()):
        said = answers[reference]
        if isinstance(said, DevenvError):
            absent = said.details.get("cause") == "provenance"
            hint = "push the commit, and promote what CI has built and tested" if absent else said.hint
            yield f"`{name}` is not known to come from CI: {said.message} ({hint})"
        elif said.image_id != image_id:
            yield f"`{name}`: `{reference}` is another image than the one to promote"
        else:
            verdicts.append(said)
    if named and len(verdicts) == len(named):
        yield from _receipt(promotion, {name: image_id for name, (_, image_id) in named.items()}, verdicts, strict)


def references(promotion: Promotion) -> dict[str, tuple[str, str]]:
    """Service -> where CI's statements about its image are, and the image's ID.

    An image ID names the content of every layer, so what was signed for it in CI's registry holds in another one too.
    """
    project, registry = promotion.project, promotion.project.config.supply.registry
    if promotion.taken:
        return {name: (content_tag(f"{registry}/{_repository(one.reference)}", one.image_id) if registry
                       else one.reference, one.image_id) for name, one in promotion.taken.images.items()}
    registry = registry or promotion.registry
    return {name: (content_tag(f"{registry}/{bare_name(project, one.reference)}", one.image_id), one.image_id)
            for name, one in promotion.local.items()}


def _receipt(promotion: Promotion, images: dict[str, str], verdicts: list[Verdict], strict: bool) -> Iterator[str]:
    """The receipt that CI has signed for all of these images together."""
    known = {one.id: one for one in chain.from_iterable(verdict.receipts for verdict in verdicts)}
    common = [one for one in known.values() if all(one in verdict.receipts for verdict in verdicts)]
    commit = "" if promotion.taken else receipts.source(promotion.project.root, promotion.runner).commit
    try:
        receipt = receipts.choose(promotion.project, common, images, promotion.environment.suites,
                                  overlays=(promotion.environment.overlay,), commit=commit or None)
    except DevenvError as problem:
        yield f"what CI has signed about the tests does not suffice: {problem.message}"
        return
    if not strict:
        return
    if promotion.taken:
        promotion.taken = replace(promotion.taken, receipt=receipt.id, commit=receipt.commit)
    else:
        promotion.receipt = receipt


def _repository(reference: str) -> str:
    return reference.partition("@")[0].rpartition("/")[2]
