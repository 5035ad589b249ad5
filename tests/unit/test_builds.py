import pytest

from devenv.model import Model
from devenv.project import find
from devenv.runtimes import builds
from tests.unit.fakes import FakeEngine


@pytest.fixture
def project(tmp_path):
    (tmp_path / "compose.yaml").write_text("services: {}\n")
    (tmp_path / "Dockerfile").write_text("FROM a\n")
    (tmp_path / "app.lock").write_text("1\n")
    (tmp_path / ".devenv").mkdir()
    return find(tmp_path)


@pytest.fixture
def model(project):
    root = str(project.root)
    watch = [{"action": "rebuild", "path": f"{root}/app.lock"}, {"action": "sync", "path": f"{root}/src"}]
    return Model({"services": {
        "web": {"build": {"context": root, "args": {"A": "1"}}, "develop": {"watch": watch}}, "db": {"image": "db:1"},
    }})


@pytest.fixture
def engine(project):
    engine = FakeEngine()
    engine.images = {f"{project.name}-web": {"Id": "sha256:1"}}
    return engine


def test_a_missing_image_is_built_and_a_backend_never(project, model):
    assert builds.stale(project, FakeEngine(), model, ["db", "web"]) == ["web"]


def test_an_image_built_from_these_files_is_not_built_again(project, model, engine):
    builds.remember(project, engine, model, ["web"])
    assert builds.stale(project, engine, model, ["db", "web"]) == []
    assert builds.stale(project, engine, model, ["web"], force=True) == ["web"]


@pytest.mark.parametrize("name", ["Dockerfile", "app.lock"])
def test_a_changed_definition_file_means_a_build(project, model, engine, name):
    builds.remember(project, engine, model, ["web"])
    (project.root / name).write_text("other\n")
    assert builds.stale(project, engine, model, ["web"]) == ["web"]


def test_a_changed_build_argument_means_a_build(project, model, engine):
    builds.remember(project, engine, model, ["web"])
    model.services["web"].definition["build"]["args"]["A"] = "2"
    assert builds.stale(project, engine, model, ["web"]) == ["web"]


def test_as_built_an_edit_of_what_is_copied_means_a_build_and_nothing_else_does(project, model, engine):
    (project.root / "Dockerfile").write_text("FROM a\nCOPY src /app\n")
    (project.root / "src").mkdir()
    (project.root / "src" / "app.py").write_text("1\n")
    builds.remember(project, engine, model, ["web"])
    (project.root / "notes.txt").write_text("no part of the image\n")
    assert builds.stale(project, engine, model, ["web"], exact=True) == []
    (project.root / "src" / "app.py").write_text("2\n")
    assert builds.stale(project, engine, model, ["web"]) == []
    assert builds.stale(project, engine, model, ["web"], exact=True) == ["web"]


def test_as_built_an_image_that_others_made_under_the_name_is_built_again(project, model, engine):
    builds.remember(project, engine, model, ["web"])
    engine.images[f"{project.name}-web"] = {"Id": "sha256:2"}
    assert builds.stale(project, engine, model, ["web"], exact=True) == ["web"]
