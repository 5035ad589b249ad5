import dataclasses
import json
import subprocess

import pytest

from devenv import receipts
from devenv.config import Config, Receipts
from devenv.errors import DevenvError, UsageError
from devenv.model import Model
from devenv.project import Project
from devenv.receipts.receipt import Backend, Image, Receipt, Suite, parse
from devenv.shell import Runner
from tests.unit.fakes import FakeEngine

IMAGES = {"shop": "sha256:aaa", "worker": "sha256:bbb"}
GREEN = Suite("unit", 3, 0, 0, 1.5)


def project(tmp_path, **settings):
    made = Project(tmp_path, tmp_path / "compose.yaml")
    made.__dict__["config"] = Config(receipts=Receipts(**settings))
    return made


def receipt(**changes):
    made = Receipt(
        project="shop", made_at="2026-11-25T07:00:00+00:00", commit="c0ffee", dirty=False,
        images={name: Image(identity, f"shop-{name}", "linux/amd64") for name, identity in IMAGES.items()},
        backends={"cache": Backend("sha256:ccc", "redis:8", "built", True)}, manifests={},
        suites=(GREEN, Suite("e2e", 2, 0, 0, 9)), tools={"docker": "26.1.5"}, tree="c0ffee")
    return dataclasses.replace(made, **changes)


def refusal(project, images=IMAGES, suites=("unit",), **more):
    with pytest.raises(DevenvError) as problem:
        receipts.find(project, images, suites, **more)
    return problem.value.message


def test_a_receipt_is_found_for_the_very_images_it_was_made_for(tmp_path):
    shop = project(tmp_path)
    path = receipts.write(shop, receipt(), Runner())
    found = receipts.find(shop, IMAGES, ["unit", "e2e"], commit="c0ffee")
    assert found == receipt()
    assert path.name == f"20261125T070000Z-{found.id[:8]}.json"
    assert json.loads(path.read_text())["signature"] == {"kind": "local"}


def test_the_newest_that_counts_is_taken_and_all_are_listed_newest_first(tmp_path):
    shop = project(tmp_path)
    for day, dirty in ((21, False), (23, True), (22, False)):
        receipts.write(shop, receipt(made_at=f"2026-11-{day}T07:00:00+00:00", dirty=dirty), Runner())
    assert [one.made_at[8:10] for one in receipts.load(shop)] == ["23", "22", "21"]
    assert receipts.find(shop, IMAGES, ["unit"]).made_at.startswith("2026-11-22")


def test_no_receipt(tmp_path):
    assert refusal(project(tmp_path)) == "there is no receipt: nothing was tested as built"


@pytest.mark.parametrize(("images", "said"), [
    ({**IMAGES, "worker": "sha256:bbc"}, "`worker` is bbc here, and bbb was tested"),
    ({"shop": "sha256:aaa"}, "`worker` was tested too, and is not among these images"),
    ({**IMAGES, "mailer": "sha256:ddd"}, "`mailer` was not among the tested images"),
])
def test_a_receipt_is_for_one_set_of_images_byte_for_byte(tmp_path, images, said):
    shop = project(tmp_path)
    receipts.write(shop, receipt(), Runner())
    assert said in refusal(shop, images)


@pytest.mark.parametrize(("suite", "said"), [
    (None, "the suite `unit` did not run"),
    (Suite("unit", 2, 1, 0, 1), "the suite `unit` failed (1 of 3 tests)"),
    (Suite("unit", 0, 0, 0, 1), "the suite `unit` ran no test"),
    (Suite("unit", 0, 0, 2, 1, 2), "the suite `unit` ran no test (2 skipped)"),
    (Suite("unit", 5, 0, 2, 1, 1), "the suite `unit` skipped 1 test"),
])
def test_every_suite_asked_for_must_have_passed(tmp_path, suite, said):
    shop = project(tmp_path)
    receipts.write(shop, receipt(suites=(suite,) if suite else ()), Runner())
    assert refusal(shop).endswith(said)


def test_a_skip_that_is_allowed_costs_nothing(tmp_path):
    shop = project(tmp_path)
    receipts.write(shop, receipt(suites=(Suite("unit", 5, 0, 1, 1, 1),)), Runner())
    assert receipts.find(shop, IMAGES, ["unit"])


def test_dirty_trees_other_commits_and_places_outside_of_git_are_named(tmp_path):
    shop = project(tmp_path)
    receipts.write(shop, receipt(dirty=True), Runner())
    assert "dirty tree" in refusal(shop)
    receipts.write(shop, receipt(), Runner())
    assert refusal(shop, commit="decaf").endswith("it was made at commit c0ffee, and this is decaf")
    outside = project(tmp_path / "outside")
    receipts.write(outside, receipt(commit="", dirty=True), Runner())
    assert refusal(outside).endswith("it was made outside of git")


def test_the_nearest_receipt_is_the_one_that_is_told_of(tmp_path):
    shop = project(tmp_path)
    near = receipt(dirty=True, made_at="2026-11-01T07:00:00+00:00")
    receipts.write(shop, near, Runner())
    receipts.write(shop, receipt(images={"shop": Image("sha256:zzz", "shop", "linux/amd64")}), Runner())
    assert near.id[:8] in refusal(shop)


def test_a_file_that_is_no_receipt_is_named_and_does_not_count(tmp_path, capsys):
    shop = project(tmp_path)
    path = receipts.write(shop, receipt(), Runner())
    path.write_text(path.read_text().replace("sha256:bbb", "sha256:bbc"))
    (path.parent / "torn.json").write_text('{"version": 1, ')
    (path.parent / "other.json").write_text('{"version": 1, "id": "1"}')
    assert receipts.load(shop) == ()
    said = capsys.readouterr().err
    assert f"`{path}` does not count: it was changed after it was written" in said
    assert "torn.json" in said
    assert "other.json` does not count: it is no receipt" in said


def test_another_byte_makes_another_id():
    assert receipt().id != receipt(made_at="2026-11-25T07:00:01+00:00").id
    assert parse(receipt().to_json()) == receipt()


# Signatures

@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    directory = tmp_path_factory.mktemp("keys")
    for name in ("mine", "theirs"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", directory / name], check=True)
        public = (directory / f"{name}.pub").read_text()
        (directory / f"only-{name}").write_text(f'{name}@example.com namespaces="devenv-receipt" {public}')
    return directory


def test_a_signed_receipt_counts_with_or_without_a_list_of_signers(tmp_path, keys):
    shop = project(tmp_path, key=str(keys / "mine"))
    path = receipts.write(shop, receipt(), Runner())
    signature = json.loads(path.read_text())["signature"]
    listed = subprocess.run(["ssh-keygen", "-l", "-f", keys / "mine"], check=True, capture_output=True, text=True)
    assert (signature["kind"], signature["key_id"]) == ("ssh", listed.stdout.split()[1])
    assert receipts.find(shop, IMAGES, ["unit"]).signature.value == signature["value"]
    assert receipts.find(project(tmp_path, allowed_signers=str(keys / "only-mine")), IMAGES, ["unit"])


def test_a_signer_who_is_not_named_and_no_signature_at_all_are_refused_where_signers_are_named(tmp_path, keys):
    shop = project(tmp_path, key=str(keys / "mine"), allowed_signers=str(keys / "only-theirs"))
    receipts.write(shop, receipt(), Runner())
    assert "it is signed by SHA256:" in (said := refusal(shop)) and said.endswith("whom `only-theirs` does not name")
    local = project(tmp_path / "local", allowed_signers=str(keys / "only-theirs"))
    receipts.write(project(tmp_path / "local"), receipt(), Runner())
    assert refusal(local).endswith("it is not signed, and only those in `only-theirs` may vouch for one")


@pytest.mark.parametrize("signers", ["", "only-mine"])
def test_the_signature_of_another_content_is_refused(tmp_path, keys, signers):
    shop = project(tmp_path, key=str(keys / "mine"))
    path = receipts.write(shop, receipt(made_at="2026-11-20T07:00:00+00:00"), Runner())
    other = parse(path.read_text())
    path.unlink()
    receipts.write(project(tmp_path), receipt().signed(other.signature), Runner())
    strict = project(tmp_path, allowed_signers=str(keys / signers) if signers else "")
    assert "its signature is not one for this content" in refusal(strict)


def test_a_key_that_is_not_there_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("DEVENV_RECEIPT_KEY", "nowhere/key")
    with pytest.raises(UsageError, match="nowhere/key`, does not exist"):
        receipts.write(project(tmp_path), receipt(), Runner())


def test_without_ssh_keygen_the_program_is_named(tmp_path, keys, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(DevenvError, match="`ssh-keygen` is not installed"):
        receipts.write(project(tmp_path, key=str(keys / "mine")), receipt(), Runner())


# Manifests

@pytest.fixture
def overlays(tmp_path):
    def make(root):
        files = {
            "k8s/base/kustomization.yaml": "resources: [deployment.yaml]\n",
            "k8s/base/deployment.yaml": "kind: Deployment\n",
            "k8s/components/policies/kustomization.yaml": "resources: [policy.yaml]\n",
            "k8s/components/policies/policy.yaml": "kind: NetworkPolicy\n",
            "k8s/overlays/staging/kustomization.yaml": (
                "resources: [../../base]\ncomponents: [../../components/policies, images]\n"
                "configMapGenerator:\n  - {name: settings, envs: [settings.env], files: [app.ini=files/app.ini]}\n"
                "  - {name: backends, envs: [backends.env]}\nsecretGenerator:\n  - {name: s, envs: [.secrets.env]}\n"
                "patches: [{path: patches/ingress.yaml}]\n"),
            "k8s/overlays/staging/settings.env": "A=1\n",
            "k8s/overlays/staging/files/app.ini": "[a]\n",
            "k8s/overlays/staging/patches/ingress.yaml": "kind: Ingress\n",
            "k8s/overlays/staging/backends.env": "# written by `devenv promote staging`; do not edit\nB=1\n",
            "k8s/overlays/staging/images/kustomization.yaml": "# written by `devenv promote staging`\n{}\n",
            "k8s/overlays/staging/.secrets.env": "S=1\n",
            "k8s/unrelated.yaml": "kind: Pod\n",
        }
        for name, text in files.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text)
        return root

    return make


@pytest.mark.parametrize("name", [
    "base/kustomization.yaml", "base/deployment.yaml", "components/policies/policy.yaml",
    "overlays/staging/kustomization.yaml", "overlays/staging/settings.env", "overlays/staging/files/app.ini",
    "overlays/staging/patches/ingress.yaml",
])
def test_a_byte_in_any_file_that_people_write_changes_the_hash(tmp_path, overlays, name):
    root = overlays(tmp_path)
    before = receipts.manifest_hash(root, "staging")
    with (root / "k8s" / name).open("a") as file:
        file.write("#")
    assert receipts.manifest_hash(root, "staging") != before


def test_the_hash_is_the_same_elsewhere_and_whatever_machines_have_written(tmp_path, overlays):
    here, there = overlays(tmp_path / "here"), overlays(tmp_path / "there" / "deeper")
    for name in ("overlays/staging/backends.env", "overlays/staging/images/kustomization.yaml"):
        path = there / "k8s" / name
        path.write_text(path.read_text() + "# another release\n")
    (there / "k8s/overlays/staging/.secrets.env").unlink()
    (there / "k8s/unrelated.yaml").unlink()
    assert receipts.manifest_hash(here, "staging") == receipts.manifest_hash(there, "staging")


def test_no_such_overlay(tmp_path):
    with pytest.raises(UsageError, match="there is no overlay `production`"):
        receipts.manifest_hash(tmp_path, "production")


def test_a_receipt_does_not_count_for_an_overlay_that_was_edited_since(tmp_path, overlays):
    root = overlays(tmp_path)
    shop = project(root)
    receipts.write(shop, receipt(manifests={"staging": receipts.manifest_hash(root, "staging")}), Runner())
    assert receipts.find(shop, IMAGES, ["unit"], overlays=["staging"])
    (root / "k8s/base/deployment.yaml").write_text("kind: Deployment # edited\n")
    assert refusal(shop, overlays=["staging"]).endswith("the files of the overlay `staging` have changed since")


# Source

def git(root, *words):
    subprocess.run(["git", "-c", "user.name=a", "-c", "user.email=a@example.com", *words], cwd=root, check=True,
                   capture_output=True)


def test_the_source_is_clean_only_where_every_byte_is_committed(tmp_path):
    assert receipts.source(tmp_path, Runner()) == receipts.Source("", True, "")
    git(tmp_path, "init")
    assert receipts.source(tmp_path, Runner()) == receipts.Source("", True, "")
    (tmp_path / ".gitignore").write_text("ignored\n")
    (tmp_path / "app.py").write_text("1\n")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-m", "first")
    clean = receipts.source(tmp_path, Runner())
    assert (len(clean.commit), clean.dirty) == (40, False)
    (tmp_path / "ignored").write_text("1")
    (tmp_path / ".env").write_text("# written by devenv; do not edit\nA=1\n")
    (tmp_path / ".devenv").mkdir()
    (tmp_path / ".devenv" / "lock").touch()
    assert receipts.source(tmp_path, Runner()) == clean

    trees = {clean.tree}
    for name, text in (("app.py", "2\n"), ("app.py", "3\n"), ("new.py", "1\n"), ("new.py", "2\n")):
        (tmp_path / name).write_text(text)
        seen = receipts.source(tmp_path, Runner())
        assert (seen.commit, seen.dirty) == (clean.commit, True)
        trees.add(seen.tree)
    assert len(trees) == 5
    assert seen.edited_since(clean) == ["app.py", "new.py"]
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-m", "second")
    again = receipts.source(tmp_path, Runner())
    assert (again.dirty, again.edited_since(clean)) == (False, ["HEAD"])


# Images

def test_services_that_share_an_image_count_once_and_one_shots_give_way(tmp_path):
    (tmp_path / "compose.yaml").write_text("name: shop\n")
    shop = Project(tmp_path, tmp_path / "compose.yaml")
    model = Model({"services": {
        "init": {"build": {}, "image": "shop-api"}, "api": {"build": {}, "image": "shop-api", "depends_on": {
            "init": {"condition": "service_completed_successfully"}}},
        "seed": {"build": {}, "image": "shop-api", "profiles": ["seed"]},
        "worker": {"build": {}}, "cache": {"image": "redis:8"},
    }})
    assert receipts.services(shop, model) == {"api": "shop-api", "worker": f"{shop.name}-worker"}
    engine = FakeEngine()
    engine.images["shop-api"] = {"Id": "sha256:1", "Os": "linux", "Architecture": "arm64", "Variant": "v8"}
    with pytest.raises(DevenvError, match="`worker` has no image"):
        receipts.images_of(shop, engine, model)
    engine.images[f"{shop.name}-worker"] = {"Id": "sha256:2", "Os": "linux", "Architecture": "amd64"}
    assert receipts.images_of(shop, engine, model) == {
        "api": Image("sha256:1", "shop-api", "linux/arm64/v8"),
        "worker": Image("sha256:2", f"{shop.name}-worker", "linux/amd64"),
    }
