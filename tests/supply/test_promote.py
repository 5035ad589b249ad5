"""`provenance = "ci"` with a real cosign: what a laptop has tested is refused, what CI has built and tested runs."""

import json
import os
import shutil
import subprocess

import pytest

from tests.e2e.cluster import PORT_OFFSET, kind_with_registry
from tests.e2e.promotion.cluster import trial_on
from tests.e2e.promotion.project import Trial
from tests.workflows.sigstore import GITHUB, PASSWORD, identity, signing_as

PUSHED = ".devenv/images.json"


class Vouched(Trial):
    """The small project; its staging takes what CI has built and tested, and it knows a person's key too."""

    programs = ""

    def configure(self, **more):
        super().configure(**{"provenance": "ci", **more})
        self.trust(identity("ci.yml"))

    def trust(self, workflow):
        """Name CI's workflow in devenv.toml."""
        file = self.root / "devenv.toml"
        said = file.read_text().partition("\n[supply]\n")[0]
        file.write_text(f'{said}\n[supply]\nidentity = "{workflow}"\nkeys = ["cosign.pub"]\n')

    def environment(self, more):
        kept = super().environment(more)
        path = f"{self.programs}{os.pathsep}{os.environ['PATH']}"
        return {**kept, "PATH": path, "COSIGN_PASSWORD": PASSWORD}

    def built_and_tested(self, version):
        """Images that nobody has signed for, pushed, and this machine's receipt for them."""
        for name in ("web", "worker"):
            self.version(name, version)
        self.tested()
        said = self.run("build", "--push", f"{self.registry}/trial", "--json").stdout
        (self.root / PUSHED).write_text(said)

    def sign(self, *words, **environment):
        self.run("sign", "--from", PUSHED, *words, **environment)

    def refused(self):
        """Why a promotion is refused; it has changed nothing."""
        before = self.objects()
        said = self.promote(code=1).stderr
        assert self.objects() == before
        return said


@pytest.fixture(scope="module")
def trial(tmp_path_factory):
    with kind_with_registry(tmp_path_factory.mktemp("cluster"), "vouched", PORT_OFFSET) as made:
        one = trial_on(*made, tmp_path_factory.mktemp("trial"), Vouched)
        one.programs = signing_as("ci.yml", tmp_path_factory.mktemp("sigstore"))
        subprocess.run(["cosign", "generate-key-pair"], cwd=one.root, env=one.environment({}), check=True,
                       capture_output=True)
        one.write(".gitignore", (one.root / ".gitignore").read_text() + "cosign.key\n")
        try:
            yield one
        finally:
            one.run("down")
            one.remove_images()


@pytest.fixture(scope="module")
def signed(trial):
    """CI has built and tested what is to be promoted, and this machine has no receipt."""
    trial.built_and_tested("by CI")
    trial.sign(**GITHUB)
    trial.sign("--receipt", **GITHUB)
    [file] = sorted((trial.root / ".devenv" / "receipts").glob("*.json"))[-1:]
    receipt = json.loads(file.read_text())
    shutil.rmtree(file.parent)
    return receipt


def test_what_a_person_has_built_tested_and_signed_is_refused(trial):
    trial.built_and_tested("by a person")
    trial.sign("--key", "cosign.key")
    trial.sign("--key", "cosign.key", "--receipt")
    said = trial.refused()
    for name in ("web", "worker"):
        assert f"`{name}` is not known to come from CI" in said, said


def test_what_ci_has_built_and_only_a_person_has_tested_is_refused(trial):
    trial.built_and_tested("by both")
    trial.sign(**GITHUB)
    trial.sign("--key", "cosign.key", "--receipt")
    said = trial.refused()
    assert "what CI has signed about the tests does not suffice" in said and "not known to come from CI" not in said


def test_another_workflow_is_not_ci(trial, signed):
    trial.trust(identity("other.yml"))
    try:
        assert "`web` is not known to come from CI" in trial.refused()
    finally:
        trial.trust(identity("ci.yml"))


def test_what_ci_has_built_and_tested_runs_by_cis_receipt(trial, signed):
    trial.promote()
    release = trial.release()
    pushed = {one["service"]: one["reference"].partition("@")[2]
              for one in json.loads((trial.root / PUSHED).read_text())["images"]}
    assert trial.digests() == trial.released() == pushed
    assert (release["receipt"], release["commit"]) == (signed["id"], signed["commit"])
