"""Sign for pushed images: provenance and bill of materials after a build, the receipt after the tests."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from devenv import output
from devenv.engine import Engine
from devenv.errors import DevenvError, UsageError
from devenv.images.registry import Built
from devenv.project import Project
from devenv.receipts import find, load, source
from devenv.shell import Runner
from devenv.supply.cosign import MATERIALS, PROVENANCE, TESTS, attest
from devenv.supply.materials import bill_of_materials
from devenv.supply.provenance import outcome_of_tests, provenance


def sign_builds(project: Project, images: Mapping[str, Built], key: Path | None, runner: Runner, engine: Engine,
                environment: Mapping[str, str]) -> None:
    """Sign for how each image was built, from a clean tree, and for what is in it."""
    _check(key)
    tree = source(project.root, runner)
    if not tree.commit or tree.dirty:
        raise DevenvError("these files are no commit: provenance would name one that did not make the image",
                          "commit, build and push again, then sign", {"cause": "dirty"})
    for one in _each(images):
        output.say(f"  signing {one.reference}")
        attest(one.reference, PROVENANCE, provenance(one.name, tree.commit, environment), key, runner)
        attest(one.reference, MATERIALS, bill_of_materials(one.reference, engine, runner), key, runner)


def sign_receipt(project: Project, images: Mapping[str, Built], key: Path | None, runner: Runner) -> None:
    """Sign for what was tested: the newest receipt for exactly these images."""
    _check(key)
    newest = next(iter(load(project)), None)
    # A receipt names each image once, by one of the services that share it.
    tested = {name: images[name].id for name in (newest.images if newest else ()) if name in images}
    receipt = find(project, tested, [suite.name for suite in newest.suites] if newest else [], runner=runner)
    for one in _each(images):
        output.say(f"  signing for the tests of {one.reference}")
        attest(one.reference, TESTS, outcome_of_tests(receipt), key, runner)


def _each(images: Mapping[str, Built]) -> list[Built]:
    """One for each image: services may share one."""
    return list({one.reference: one for one in images.values()}.values())


def _check(key: Path | None) -> None:
    if key and not key.is_file():
        raise UsageError(f"the key `{key}` does not exist",
                         "`cosign generate-key-pair` makes cosign.key, which you keep, and cosign.pub, to commit")
