"""The steps of build.yml, read from its YAML and run in a clean clone."""

import json

import pytest

from tests.e2e.checkout import Checkout, docker
from tests.workflows.runner import Run, run_job

SERVICES = {"billing", "gateway", "messaging", "sockets"}


@pytest.fixture
def run(tmp_path, registry):
    one = Run(tmp_path / "work", tmp_path / "runner", github={"token": "anything"},
              inputs={"registry": f"{registry}/octocat/shop", "push": True})
    one.temporary.mkdir()
    # The login of the run stays in the run.
    one.environment["DOCKER_CONFIG"] = str(tmp_path / "docker")
    yield one
    if (one.workspace / ".devenv" / "checkout.json").exists():
        Checkout(one.workspace, 0).remove()


def test_build_pushes_each_image_and_hands_its_digest_on(run, registry):
    said = run_job(run, "build", "build")
    images = {one["service"]: one for one in json.loads(said["images"])["images"]}
    assert set(images) >= SERVICES and "\n" not in said["images"]
    for name in SERVICES:
        reference = images[name]["reference"]
        assert reference.startswith(f"{registry}/octocat/shop/{name}@sha256:")
        docker("pull", "--quiet", reference)
        assert docker("image", "inspect", "--format", "{{.Id}}", reference) == images[name]["id"]
    # A later job, on another machine, takes these and builds nothing.
    (run.workspace / "images.json").write_text(said["images"])
    taken = Checkout(run.workspace, 0).json("build", "--from", "images.json")
    assert {one["service"]: one["reference"] for one in taken["images"]} == {
        name: one["reference"] for name, one in images.items()}

