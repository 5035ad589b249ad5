"""The receipt that proves a set of images, or which condition the nearest one fails."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from devenv.errors import DevenvError
from devenv.project import Project
from devenv.receipts import signing
from devenv.receipts.manifests import manifest_hash
from devenv.receipts.receipt import Image, Receipt
from devenv.receipts.store import load
from devenv.receipts.tree import Source
from devenv.shell import Runner

_HINT = "`devenv test` builds and tests what the source says now; `devenv receipts` lists what was tested"


def find(project: Project, images: Mapping[str, str], suites: Sequence[str], *, overlays: Sequence[str] = (),
         commit: str | None = None, runner: Runner | None = None) -> Receipt:
    """The newest receipt on this machine for exactly these images (service -> image ID), in which all `suites` passed.

    With `overlays`, their files must be those of the receipt; with `commit`, it must have been made at that one.
    Raises DevenvError that says what the nearest receipt lacks.
    """
    receipts = load(project)
    if not receipts:
        raise DevenvError("there is no receipt: nothing was tested as built", "devenv test", {"cause": "receipt"})
    return choose(project, receipts, images, suites, overlays=overlays, commit=commit, runner=runner or Runner())


def choose(project: Project, receipts: Iterable[Receipt], images: Mapping[str, str], suites: Sequence[str], *,
           overlays: Sequence[str] = (), commit: str | None = None, runner: Runner | None = None) -> Receipt:
    """As `find`, among these receipts; without a runner, whoever gave them vouches for who signed them."""
    nearest: tuple[int, Receipt, str] | None = None
    for receipt in sorted(receipts, key=lambda one: one.made_at, reverse=True):
        for rank, problem in _problems(project, receipt, images, suites, overlays, commit, runner):
            if nearest is None or rank > nearest[0]:
                nearest = (rank, receipt, problem)
            break
        else:
            return receipt
    if nearest is None:
        raise DevenvError("there is no receipt for all of these images", _HINT, {"cause": "receipt"})
    _, receipt, problem = nearest
    raise DevenvError(f"no receipt counts for these images. The nearest is {receipt.id[:8]} of {receipt.made_at}, "
                      f"but {problem}", _HINT, {"cause": "receipt", "receipt": receipt.id})


def standing(project: Project, receipt: Receipt, images: Mapping[str, Image], now: Source, runner: Runner) -> str:
    """Why a receipt does not speak for the source and the images of this moment; empty where it does."""
    for name in sorted({*images, *receipt.images}):
        if problem := _image_problem(name, {key: one.image_id for key, one in images.items()}, receipt):
            return problem
    for suite in receipt.suites:
        if suite.shortfall:
            return f"the suite `{suite.name}` {suite.shortfall}"
    if not receipt.commit:
        return "it was made outside of git, where a change of the source cannot be told"
    if (receipt.commit, receipt.tree) != (now.commit, now.tree):
        return "the source has changed since"
    return signing.verify(project, receipt, runner)


def _problems(project: Project, receipt: Receipt, images: Mapping[str, str], suites: Sequence[str],
              overlays: Sequence[str], commit: str | None, runner: Runner | None) -> Iterator[tuple[int, str]]:
    """What stands against a receipt, worst first; the number grows with its nearness."""
    for name in sorted({*images, *receipt.images}):
        if problem := _image_problem(name, images, receipt):
            yield 0, problem
    ran = {suite.name: suite for suite in receipt.suites}
    for name in suites:
        if name not in ran:
            yield 1, f"the suite `{name}` did not run"
        elif ran[name].shortfall:
            yield 2, f"the suite `{name}` {ran[name].shortfall}"
    for suite in receipt.suites:
        if suite.shortfall:
            yield 2, f"the suite `{suite.name}` {suite.shortfall}"
    if not receipt.commit:
        yield 3, "it was made outside of git"
    if receipt.dirty:
        yield 3, "it was made from a dirty tree: commit, then test again"
    if commit is not None and commit != receipt.commit:
        yield 4, f"it was made at commit {receipt.commit[:12]}, and this is {commit[:12]}"
    for overlay in overlays:
        if receipt.manifests.get(overlay) != manifest_hash(project.root, overlay):
            yield 5, f"the files of the overlay `{overlay}` have changed since"
    if runner and (problem := signing.verify(project, receipt, runner)):
        yield 6, problem


def _image_problem(name: str, images: Mapping[str, str], receipt: Receipt) -> str:
    if name not in receipt.images:
        return f"`{name}` was not among the tested images"
    if name not in images:
        return f"`{name}` was tested too, and is not among these images"
    tested = receipt.images[name].image_id
    return "" if tested == images[name] else (
        f"`{name}` is {_short(images[name])} here, and {_short(tested)} was tested")


def _short(image_id: str) -> str:
    return image_id.removeprefix("sha256:")[:12] or "nowhere"
