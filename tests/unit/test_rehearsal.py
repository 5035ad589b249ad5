"""A rehearsal without a cluster: the copy that is rehearsed, the environment, and an end that leaves nothing."""

import json
import shutil
from pathlib import Path

import pytest

from devenv.config import Environment, load_config
from devenv.errors import DevenvError, UsageError
from devenv.project import Checkout, find
from devenv.rehearsal import clean, files, rehearse
from devenv.rehearsal.context import Rehearsal
from devenv.rehearsal.environment import path_of, write_stand_ins
from devenv.terraform import rehearsal as mocked
from tests.unit.fakes import FakeEngine, FakeRunner

STAGING = Environment("staging", "real", "uid", overlay="staging", terraform="terraform/envs/staging",
                      smoke=("/healthz", "https://staging.example.com/v1?a=b"))


def write(root, **texts):
    for name, text in texts.items():
        path = root / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


@pytest.fixture
def repository(tmp_path):
    root = tmp_path / "shop"
    root.mkdir()
    (root / "compose.yaml").write_text("name: shop\nservices: {}\n")
    overlay = root / "k8s" / "overlays" / "staging"
    (overlay / "images").mkdir(parents=True)
    (overlay / "kustomization.yaml").write_text("namespace: shop\nresources: [web.yaml]\ncomponents: [images]\n")
    (overlay / "images" / "kustomization.yaml").write_text("images: [{name: web, newName: far/away}]\n")
    (overlay / "backends.env").write_text("STORE=far.example.com\n")
    (root / "k8s" / "components" / "stand-ins").mkdir(parents=True)
    for addon, variants in (("doors", ("aws", "local")), ("logins", ("aws", "rehearsal")), ("other", ("aws",))):
        for variant in variants:
            folder = root / "k8s" / "addons" / addon / variant
            folder.mkdir(parents=True)
            (folder / "kustomization.yaml").write_text("resources: []\n")
    (root / "src").mkdir()
    return root


@pytest.fixture
def rehearsal(repository):
    project = find(repository)
    project.remember(Checkout("shop-1a2b3c", 300))
    return Rehearsal(find(repository), FakeRunner(), FakeEngine({"/images/json": [
        {"RepoTags": ["localhost:5351/shop/web:1", "shop-1a2b3c-web:latest"]}, {"RepoTags": None}]}), STAGING)


def test_a_rehearsal_is_a_checkout_of_its_own_that_a_later_run_finds_again(rehearsal, repository):
    assert rehearsal.copy.checkout == Checkout("shop-1a2b3c-rehearsal", 350)
    assert rehearsal.copy.root.is_relative_to(repository / ".devenv")
    again = Rehearsal(rehearsal.project, rehearsal.runner, rehearsal.engine, STAGING)
    assert (again.cluster.name, again.registry.host) == (rehearsal.cluster.name, "localhost:5351")
    assert again.mock.name == "shop-1a2b3c-rehearsal-aws"
    assert rehearsal.project.checkout == Checkout("shop-1a2b3c", 300)


def test_settings_name_the_ports_of_the_rehearsal(tmp_path):
    file = tmp_path / "backends.env"
    file.write_text("# where\nSTORE=store:27017\nPUBLIC=https://localhost:8443\nOTHER=localhost:84430\nNONE=\n")
    assert files.settings_of(file, {8443: 8793}) == {
        "STORE": "store:27017", "PUBLIC": "https://localhost:8793", "OTHER": "localhost:84430", "NONE": ""}


def test_the_copy_has_an_overlay_of_the_same_name_over_the_peoples(rehearsal, repository):
    mocked.copy(repository, rehearsal.copy.root, folder="k8s")
    root = rehearsal.copy.root
    folder = files.lay_over(root, "staging", {"STORE": "store:1"}, {})
    assert folder == root / "k8s" / "overlays" / "staging"
    pinned = {"quay.io/a/store:RELEASE.1": ("localhost:5351/quay.io/a/store", "sha256:d")}
    again = files.lay_over(root, "staging", {}, pinned)
    assert again == folder
    data = json.loads((folder / "kustomization.yaml").read_text().partition("\n")[2])
    assert data["resources"] == ["../staging-as-it-is"] and data["namespace"] == "shop"
    assert data["components"] == ["../../components/stand-ins", "images"]
    assert data["configMapGenerator"] == [{"name": "backends", "behavior": "replace", "envs": ["backends.env"]}]
    assert data["images"] == [
        {"name": "quay.io/a/store", "newName": "localhost:5351/quay.io/a/store", "digest": "sha256:d"}]
    assert (folder / "backends.env").read_text().splitlines()[1:] == ["STORE=store:1"]
    assert "far/away" not in (root / "k8s/overlays/staging-as-it-is/images/kustomization.yaml").read_text()
    assert "far/away" in (repository / "k8s/overlays/staging/images/kustomization.yaml").read_text()
    assert (root / "src").is_symlink() and not (root / "k8s").is_symlink()


def test_an_add_on_for_a_mocked_cloud_goes_before_that_of_this_machine_and_others_are_left(repository):
    local, waiting = files.addon_folders(repository)
    names = [[str(one.relative_to(repository / "k8s" / "addons")) for one in each] for each in (local, waiting)]
    assert names == [["doors/local"], ["logins/rehearsal"]]


@pytest.mark.parametrize(("url", "path"), [
    ("/healthz", "/healthz"), ("https://staging.example.com/v1?a=b", "/v1?a=b"), ("https://staging.example.com", "/"),
])
def test_a_smoke_test_of_the_real_place_is_asked_of_the_rehearsal(url, path):
    assert path_of(url) == path


def test_terraform_is_told_what_is_there_instead(rehearsal):
    where = rehearsal.copy.root / "terraform" / "envs" / "staging"
    where.mkdir(parents=True)
    rehearsal.cluster.state.mkdir(parents=True)
    rehearsal.cluster.kubeconfig.write_text(json.dumps({"clusters": [
        {"cluster": {"server": "https://127.0.0.1:6443", "certificate-authority-data": "Y2E="}}]}))
    rehearsal.settings = {"store": {"STORE": "store:1"}}
    write_stand_ins(rehearsal)
    said = json.loads((where / "rehearsal.auto.tfvars.json").read_text())["stand_ins"]
    assert said == {"cluster": {"name": "shop-1a2b3c-rehearsal", "endpoint": "https://127.0.0.1:6443",
                                "certificate_authority": "Y2E="},
                    "registry_url": "localhost:5351/shop", "host": "localhost",
                    "backends": {"store": {"STORE": "store:1"}}}


def test_the_end_removes_everything_by_name_and_leaves_other_names_of_images(rehearsal):
    root = rehearsal.copy.root
    write(root, k8s__file="x")
    (root / "src").symlink_to(rehearsal.project.root / "src")
    rehearsal.cluster.state.mkdir(parents=True)
    rehearsal.engine.answers["/containers/json"] = [{"Id": "n"}]
    assert clean.is_left(rehearsal)
    clean.remove(rehearsal)
    assert any(call.startswith("kind delete cluster --name shop-1a2b3c-rehearsal") for call in rehearsal.runner.calls)
    deleted = [path for verb, path, _ in rehearsal.engine.calls if verb == "DELETE"]
    assert deleted == ["/containers/shop-1a2b3c-rehearsal-registry", "/volumes/shop-1a2b3c-rehearsal-registry",
                       "/images/localhost:5351/shop/web:1", "/containers/shop-1a2b3c-rehearsal-aws"]
    assert not root.exists() and (rehearsal.project.root / "src").is_dir()


def test_what_cannot_be_removed_is_told_after_the_rest_is_gone(rehearsal):
    rehearsal.cluster.state.mkdir(parents=True)
    rehearsal.engine.answers["/containers/json"] = [{"Id": "n"}]
    rehearsal.runner.answers["kind delete"] = 1
    with pytest.raises(DevenvError, match="could not be removed whole") as failed:
        clean.remove(rehearsal)
    assert failed.value.hint == "mend the cause, then: devenv down --rehearsal"
    assert any(path.endswith("-aws") for verb, path, _ in rehearsal.engine.calls if verb == "DELETE")
    assert rehearsal.copy.root.exists()


def test_a_cluster_that_this_checkout_did_not_make_is_left_alone(rehearsal):
    rehearsal.engine.answers["/containers/json"] = [{"Id": "n"}]
    with pytest.raises(DevenvError, match="this checkout did not make"):
        clean.is_left(rehearsal)


@pytest.mark.parametrize("ends", [None, DevenvError("no"), KeyboardInterrupt()])
@pytest.mark.parametrize("keep", [True, False])
def test_whatever_happens_the_rehearsal_is_removed_unless_it_is_kept(rehearsal, monkeypatch, keep, ends):
    def bring(one):
        """Bring it up."""
        one.promotion = object()
        (one.copy.root / "k8s").mkdir()
        if ends:
            raise ends

    monkeypatch.setattr(rehearse, "REHEARSE", (bring,))
    if ends:
        with pytest.raises(type(ends)):
            rehearse.rehearse(rehearsal, keep)
    else:
        rehearse.rehearse(rehearsal, keep)
    stays = keep and not isinstance(ends, KeyboardInterrupt)
    assert (rehearsal.folder / "copy" / "k8s").exists() == stays


def test_what_never_came_as_far_as_a_cluster_is_not_kept(rehearsal, monkeypatch):
    def refuse(one):
        """Refuse."""
        (one.copy.root / "k8s").mkdir()
        raise DevenvError("no receipt")

    monkeypatch.setattr(rehearse, "REHEARSE", (refuse,))
    with pytest.raises(DevenvError, match="no receipt"):
        rehearse.rehearse(rehearsal, keep=True)
    assert not (rehearsal.folder / "copy" / "k8s").exists()


def test_the_projects_own_test_is_named_in_the_settings(tmp_path):
    file = tmp_path / "devenv.toml"
    file.write_text('[rehearsal]\ncommand = ["make", "try"]\n')
    assert load_config(file).rehearsal.command == ("make", "try")
    file.write_text('[rehearsal]\ncommand = "make try"\nother = 1\n')
    with pytest.raises(UsageError) as refused:
        load_config(file)
    assert "rehearsal.command` must be a list" in refused.value.message and "rehearsal.other" in refused.value.message


def test_terraform_without_a_word_on_stand_ins_is_refused(tmp_path):
    with pytest.raises(UsageError, match="does not say what stands in"):
        mocked.stand_ins(tmp_path)
    shutil.copytree(Path(__file__).parents[2] / "terraform" / "rehearsal", tmp_path / "rehearsal")
    file, keys = mocked.stand_ins(tmp_path)
    assert file.endswith("backends.env") and keys["redis"] == "REDIS_"
