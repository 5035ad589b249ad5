import json
from pathlib import Path

import pytest

from devenv import receipts
from devenv.config import Config
from devenv.model import Model
from devenv.project import Project
from devenv.receipts import Source
from devenv.suites import Outcome
from devenv.suites.proof import Proof
from tests.unit.fakes import FakeEngine, FakeRunner, container

GREEN = [Outcome("unit", 0, 3, 0, 0, 1.0)]
SOURCE = Source("", True, "")


@pytest.fixture
def engine():
    made = FakeEngine({"/containers/id-web": {"Mounts": []}, "/containers/id-worker": {}},
                      [container("web", image="sha256:1"), container("worker", image="sha256:2"), container("cache")])
    made.images = {name: {"Id": identity, "Os": "linux", "Architecture": "amd64"}
                   for name, identity in (("shop-web", "sha256:1"), ("shop-worker", "sha256:2"))}
    return made


@pytest.fixture
def proof(tmp_path, engine):
    (tmp_path / "compose.yaml").write_text("name: shop\n")
    project = Project(tmp_path, tmp_path / "compose.yaml")
    project.__dict__["config"] = Config()
    model = Model({"services": {"web": {"build": {}, "image": "shop-web"}, "cache": {"image": "redis:8"},
                                "worker": {"build": {}, "image": "shop-worker"}}})
    images = receipts.images_of(project, engine, model)
    (project.state / "test").mkdir(parents=True)
    return Proof(project, engine, FakeRunner(), model, SOURCE, images, {})


def note(proof, **changes):
    line = {"project": proof.project.name, "service": "web", "image_id": "sha256:1", **changes}
    with Path(proof.environment["DEVENV_TEST_RAN"]).open("a") as file:
        file.write(json.dumps(line) + "\n")


def test_a_platform_that_runs_what_was_built_lacks_nothing(proof):
    proof.look()
    assert proof.missing(GREEN) == []


def test_containers_of_devenv_testing_count_but_not_those_of_other_projects(proof):
    note(proof)
    note(proof, project="another", service="web", image_id="sha256:9")
    note(proof, project="another", service="worker", image_id="sha256:2")
    assert proof.missing(GREEN) == ["no suite ran the image of `worker`: give one `needs_platform = true`, "
                                    "or ask for `devenv_platform` in a test"]


def test_mounted_source_is_seen(proof, engine):
    engine.answers["/containers/id-web"] = {"Mounts": [{"Destination": "/opt/devenv/source/service"}]}
    proof.look()
    proof.look()
    assert proof.missing(GREEN) == ["`web` ran with mounted source, not the code of its image"]


def test_another_image_is_seen_in_the_platform_and_in_tests(proof, engine):
    engine.listed[0]["ImageID"] = "sha256:7"
    proof.look()
    note(proof, service="worker", image_id="sha256:8")
    note(proof)
    assert proof.missing(GREEN) == ["`web` ran another image than the one built from the source",
                                    "`worker` ran another image than the one built from the source"]


def test_suites_that_are_no_pass_edits_and_new_images_are_all_told_at_once(proof, engine):
    proof.look()
    proof.source = Source("", True, "x", {"web/app.py": "1"})
    engine.images["shop-web"]["Id"] = "sha256:3"
    assert proof.missing([Outcome("unit", 0, 3, 0, 1, 1.0), Outcome("e2e", 1, 1, 1, 0, 1.0)]) == [
        "the suite `unit` skipped 1 test", "the suite `e2e` failed (1 of 2 tests)",
        "`web/app.py` changed while the suites ran", "`web` was built again while the suites ran"]


def test_a_container_that_was_never_started_has_not_run(proof, engine):
    engine.listed[1]["State"] = "created"
    proof.look()
    assert "`worker`" in proof.missing(GREEN)[0]


def test_a_project_that_builds_nothing_has_nothing_to_vouch_for(proof):
    proof.images = {}
    assert proof.missing(GREEN) == ["the project builds no image"]
