"""Images are baked from what Compose makes of the files, and travel by digest."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from devenv.errors import DevenvError, UsageError
from devenv.images.bake import bake
from devenv.images.registry import Built, bare_name, push, read_images, take
from devenv.model import Model
from devenv.project import Project
from tests.unit.fakes import FakeEngine, FakeRunner

WEB = Built("web", "shop-1a2b3c-web", "sha256:" + "a" * 64)
PUSHED = Built("web", "other-web", WEB.id, f"r.example/shop/web@sha256:{'d' * 64}")


@pytest.fixture
def project(tmp_path):
    (tmp_path / "docker-compose.yml").write_text("name: shop\n")
    one = Project(tmp_path, tmp_path / "docker-compose.yml")
    one.state.mkdir()
    one.state.joinpath("checkout.json").write_text(
        json.dumps({"path": str(tmp_path), "name": "shop-1a2b3c", "port_offset": 0}))
    return one


def compose(project, services):
    data = {"services": services, "secrets": {"ca_bundle": {"file": "/ca.pem"}, "key": {"environment": "KEY"}}}
    return SimpleNamespace(project=project, runner=FakeRunner(), environment={}, model=lambda: Model(data))


def test_services_that_share_an_image_are_baked_once_and_without_their_settings(project):
    build = {"context": str(project.root), "args": {"A": "1"}}
    services = {name: {"build": build, "image": "shop-web", "environment": {"PASSWORD": "canary"}}
                for name in ("web", "init")}
    services["jobs"] = {"build": build}
    one = compose(project, services)
    bake(one, ["web", "init", "jobs"])
    written = (project.state / "bake.yml").read_text()
    assert json.loads(written.partition("\n")[2]) == {
        "services": {"web": {"build": build, "image": "shop-web"},
                     "jobs": {"build": build, "image": "shop-1a2b3c-jobs"}},
        "secrets": {"ca_bundle": {"file": "/ca.pem"}},
    }
    assert one.runner.calls == [f"docker buildx bake --progress plain --file {project.state / 'bake.yml'} --load"]


def test_an_image_that_services_share_is_pushed_once_under_its_content(project):
    engine, runner = FakeEngine(), FakeRunner()
    tag = f"r.example/shop/web:{'a' * 20}"
    engine.images[tag] = {"RepoDigests": ["elsewhere/web@sha256:0", PUSHED.reference]}
    done = push(project, [WEB, Built("init", WEB.image, WEB.id)], "r.example/shop/", engine, runner)
    assert [(one.service, one.reference) for one in done] == [("web", PUSHED.reference), ("init", PUSHED.reference)]
    assert runner.calls == [f"docker tag {WEB.id} {tag}", f"docker push --quiet {tag}"]


def test_an_image_is_taken_by_digest_under_this_checkouts_name(tmp_path):
    engine, runner = FakeEngine(), FakeRunner()
    engine.images[PUSHED.reference] = {"Id": WEB.id}
    take({"web": PUSHED}, [WEB], engine, runner, tmp_path / "log")
    assert runner.calls == [f"docker pull --quiet {PUSHED.reference}", f"docker tag {PUSHED.reference} {WEB.image}"]


def test_another_image_under_the_digest_is_refused_and_gets_no_name(tmp_path):
    engine, runner = FakeEngine(), FakeRunner()
    engine.images[PUSHED.reference] = {"Id": "sha256:other"}
    with pytest.raises(DevenvError, match="is the image sha256:other, but sha256:a+ was built"):
        take({"web": PUSHED}, [WEB], engine, runner, tmp_path / "log")
    assert not any("tag" in call for call in runner.calls)


def test_a_service_that_was_not_pushed_is_named(tmp_path):
    with pytest.raises(DevenvError, match="none for `web`"):
        take({}, [WEB], FakeEngine(), FakeRunner(), tmp_path / "log")


@pytest.mark.parametrize(("text", "said"), [
    ("", "is not a list of pushed images"),
    ('{"images": [{"name": "web"}]}', "is not a list of pushed images"),
    ('{"images": [{"service": "web", "image": "web", "id": "sha256:1"}]}', "has no reference for web"),
])
def test_a_file_without_references_is_refused(tmp_path, text, said):
    file = Path(tmp_path, "images.json")
    file.write_text(text)
    with pytest.raises(UsageError, match=said):
        read_images(file)


def test_names_in_a_registry_are_without_checkout_registry_and_tag(project):
    assert [bare_name(project, image) for image in ("shop-1a2b3c-web", "r.example/shop/web:1", "web")] == ["web"] * 3
