"""What is proven of an image, from what cosign and the registry say."""

import json
from base64 import b64encode
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from devenv.config import load_config
from devenv.errors import DevenvError, UsageError
from devenv.images.registry import Built
from devenv.project import Project
from devenv.receipts import Image, Receipt, Suite
from devenv.supply import verify
from devenv.supply.cosign import PROVENANCE, TESTS, Signer
from devenv.supply.provenance import LAPTOP, outcome_of_tests, provenance
from devenv.supply.sign import sign_builds
from devenv.supply.verify import signers
from tests.unit.fakes import FakeEngine, FakeRunner

COMMIT = "c" * 40
ID = "sha256:" + "1" * 64
MANIFEST = json.dumps({"schemaVersion": 2, "config": {"digest": ID}})
DIGEST = sha256(MANIFEST.encode()).hexdigest()
REFERENCE = f"r.example/shop/web@sha256:{DIGEST}"
CI = Signer(identity="https://github.com/team/shop/.github/workflows/build.yml@refs/heads/main", issuer="https://gh")
KEY = Signer(key=Path("/keys/cosign.pub"))
GITHUB = {
    "GITHUB_ACTIONS": "true", "GITHUB_SERVER_URL": "https://github.com", "GITHUB_REPOSITORY": "team/shop",
    "GITHUB_REF": "refs/heads/main", "GITHUB_RUN_ID": "7",
    "GITHUB_WORKFLOW_REF": "team/shop/.github/workflows/ci.yml@refs/heads/main",
}
RECEIPT = Receipt(
    project="shop", made_at="2026-11-25T08:00:00+00:00", commit=COMMIT, dirty=False,
    images={"web": Image(ID, "shop-web", "linux/amd64")}, backends={}, manifests={},
    suites=(Suite("unit", 5, 0, 0, 1.0),), tools={},
)


def said(kind, *predicates, digest=DIGEST):
    """What `cosign verify-attestation` prints: an envelope a line."""
    lines = []
    for predicate in predicates:
        statement = {"predicateType": kind, "subject": [{"name": "web", "digest": {"sha256": digest}}],
                     "predicate": predicate}
        lines.append(json.dumps({"payload": b64encode(json.dumps(statement).encode()).decode(), "signatures": []}))
    return "\n".join(lines) + "\n"


def answers(who="--certificate-identity-regexp", tests=(), built=None, **of):
    """A registry with the image, and statements that only `who` has signed."""
    built = built or provenance("web", COMMIT, GITHUB)
    return {
        "imagetools inspect": MANIFEST,
        **{f"cosign verify-attestation {option}": 1
           for option in ("--key", "--certificate-identity-regexp") if option != who},
        "--type slsaprovenance1": said(PROVENANCE, built, **of),
        f"--type {TESTS}": said(TESTS, *tests, **of),
        "--type cyclonedx": 1,
    }


def test_it_says_who_built_an_image_from_which_commit_and_what_was_tested():
    found = verify(REFERENCE, (CI, KEY), FakeRunner(answers(tests=[outcome_of_tests(RECEIPT)])), from_ci=True)
    assert (found.builder, found.commit) == (
        "https://github.com/team/shop/.github/workflows/ci.yml@refs/heads/main", COMMIT)
    assert found.from_ci and found.image_id == ID and not found.has_materials
    assert [one.id for one in found.receipts] == [RECEIPT.id]


def test_an_image_without_a_signed_statement_is_refused():
    with pytest.raises(DevenvError, match="has no provenance that .*build.yml.* or the key cosign.pub has signed"):
        verify(REFERENCE, (CI, KEY), FakeRunner({"imagetools": MANIFEST, "cosign": 1}))


def test_a_byte_changed_in_the_registry_is_seen():
    with pytest.raises(DevenvError, match="was changed: the registry's manifest has the digest"):
        verify(REFERENCE, (CI,), FakeRunner({**answers(), "imagetools inspect": MANIFEST.replace("1", "2", 1)}))


def test_a_statement_about_another_digest_does_not_count():
    with pytest.raises(DevenvError, match="has no provenance"):
        verify(REFERENCE, (CI,), FakeRunner(answers(digest="f" * 64)))


def test_a_laptops_key_suffices_except_where_ci_is_asked_for():
    by_key = answers(who="--key", built=provenance("web", COMMIT, {}))
    found = verify(REFERENCE, (CI, KEY), FakeRunner(by_key))
    assert found.builder == LAPTOP and not found.from_ci
    with pytest.raises(DevenvError, match="has no provenance that .*build.yml"):
        verify(REFERENCE, (CI, KEY), FakeRunner(by_key), from_ci=True)
    with pytest.raises(DevenvError, match="devenv.toml names none"):
        verify(REFERENCE, (KEY,), FakeRunner(by_key), from_ci=True)


@pytest.mark.parametrize("other", [
    replace(RECEIPT, images={"web": Image("sha256:" + "9" * 64, "shop-web", "linux/amd64")}),
])
def test_a_receipt_for_another_image_does_not_count(other):
    assert verify(REFERENCE, (CI,), FakeRunner(answers(tests=[outcome_of_tests(other)]))).receipts == ()


def test_a_receipt_that_was_changed_after_it_was_written_does_not_count():
    changed = outcome_of_tests(RECEIPT)
    changed["receipt"]["suites"][0]["passed"] = 500
    assert verify(REFERENCE, (CI,), FakeRunner(answers(tests=[changed, {"result": "PASSED"}]))).receipts == ()


def test_a_tag_is_resolved_to_its_digest():
    runner = FakeRunner(answers())
    assert verify("r.example:5000/shop/web:1.0", (CI,), runner).reference == f"r.example:5000/shop/web@sha256:{DIGEST}"


def test_a_registry_out_of_reach_is_no_verdict():
    with pytest.raises(DevenvError, match="no registry gives the manifest"):
        verify(REFERENCE, (CI,), FakeRunner({"imagetools": 1}))


def test_the_identity_is_matched_as_a_whole_and_offline_asks_no_log():
    runner = FakeRunner(answers())
    verify(REFERENCE, (CI,), runner, offline=True)
    [call] = [line for line in runner.calls if "slsaprovenance1" in line]
    who = f"--certificate-identity-regexp ^(?:{CI.identity})$ --certificate-oidc-issuer https://gh"
    assert f"{who} --offline=true" in call


def project(tmp_path, settings):
    (tmp_path / "devenv.toml").write_text(settings)
    (tmp_path / "cosign.pub").write_text("key")
    return Project(tmp_path, tmp_path / "compose.yaml")


def test_settings_say_whom_to_trust(tmp_path):
    one = project(tmp_path, '[supply]\nidentity = "https://github.com/team/.*"\nkeys = ["cosign.pub"]\n')
    assert [str(signer) for signer in signers(one)] == [
        "https://github.com/team/.* of https://token.actions.githubusercontent.com", "the key cosign.pub"]


@pytest.mark.parametrize(("settings", "problem"), [
    ("", "trusts nobody"), ('[supply]\nkeys = ["gone.pub"]\n', "the key `gone.pub` of `supply.keys` does not exist"),
])
def test_without_anybody_to_trust_nothing_is_verified(tmp_path, settings, problem):
    with pytest.raises(UsageError, match=problem):
        signers(project(tmp_path, settings))


def test_mistakes_in_the_settings_are_reported_together(tmp_path):
    (tmp_path / "devenv.toml").write_text('[supply]\nidentity = "("\nkeys = "a"\nissuer = 1\nsigner = "x"\n')
    with pytest.raises(UsageError) as caught:
        load_config(tmp_path / "devenv.toml")
    for part in ("no regular expression", "must be a list of texts", "`supply.issuer` must be a text", "supply.signer"):
        assert part in caught.value.message


def test_a_tree_that_is_no_commit_is_not_signed_for(tmp_path):
    images = {"web": Built("web", "shop-web", ID, REFERENCE)}
    with pytest.raises(DevenvError, match="these files are no commit"):
        sign_builds(project(tmp_path, ""), images, None, FakeRunner(), FakeEngine(), GITHUB)
