"""The jobs of build.yml, read from its YAML and run in clean clones: for a pull request, and for main."""

import json
import subprocess
import sys
from urllib.request import urlopen

import pytest

from tests.e2e.checkout import Checkout, clean_environment
from tests.workflows.runner import Run, run_job
from tests.workflows.sigstore import identity


@pytest.fixture
def job(tmp_path, registry):
    """Run one job in a clone of its own; returns the run and the outputs of its workflow."""
    made = []

    def job(name, push, **needs):
        run = Run(tmp_path / name / "work", tmp_path / name / "runner", github={"token": "anything"}, needs=needs,
                  inputs={"registry": f"{registry}/octocat/shop", "push": push})
        made.append(run)
        run.temporary.mkdir(parents=True)
        # The login of the run stays in the run.
        run.environment["DOCKER_CONFIG"] = str(run.temporary / "docker")
        return run, run_job(run, "build", name)

    yield job
    for run in made:
        if (run.workspace / ".devenv" / "checkout.json").exists():
            Checkout(run.workspace, 0).remove()


def in_the_registry(registry):
    return json.load(urlopen(f"http://{registry}/v2/_catalog"))["repositories"]


def test_a_pull_request_builds_everything_and_pushes_nothing(job, registry):
    before = in_the_registry(registry)
    run, said = job("build", push=False)
    assert ".venv/bin/devenv build" in run.done and said == {"images": ""}
    assert in_the_registry(registry) == before


def test_what_main_pushes_is_signed_by_another_job_and_verified_by_anybody(job, registry, tmp_path):
    _, said = job("build", push=True)
    run, _ = job("sign", push=True, build={"outputs": said})
    commit = subprocess.run(["git", "rev-parse", "HEAD"], cwd=run.workspace, check=True, capture_output=True,
                            text=True).stdout.strip()
    anybody = tmp_path / "anybody"
    anybody.mkdir()
    (anybody / "compose.yaml").write_text("services: {}\n")
    (anybody / "devenv.toml").write_text(f'[supply]\nidentity = "{identity("build.yml")}"\n')
    images = {one["reference"]: one["id"] for one in json.loads(said["images"])["images"]}
    assert len(images) == 4
    for reference, image_id in images.items():
        done = subprocess.run(
            [sys.executable, "-m", "devenv", "verify", reference, "--from-ci", "--json"], cwd=anybody, check=False,
            capture_output=True, text=True, env={**clean_environment(), "PATH": run.environment["PATH"]})
        assert done.returncode == 0, done.stderr
        found = json.loads(done.stdout)
        assert (found["image_id"], found["from_ci"], found["sbom"]) == (image_id, True, True)
        assert found["builder"].endswith("/octocat/shop/.github/workflows/ci.yml@refs/heads/main")
        # Each job has made its commit from the same files; at GitHub it is one commit.
        assert found["commit"] == commit
