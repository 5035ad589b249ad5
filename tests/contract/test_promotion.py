"""The overlays of real environments take a release: digests, endpoints, marks, and nothing by tag."""

from pathlib import Path

import pytest

from devenv.doctor.programs import use_folder
from devenv.project import find
from devenv.promotion import render
from devenv.promotion.release import Image
from devenv.shell import Runner

ROOT = Path(__file__).parents[2]
ENVIRONMENTS = find(ROOT).config.environments
SERVICES = sorted(path.name for path in (ROOT / "services").iterdir() if (path / "Dockerfile").is_file())


@pytest.mark.parametrize("name", sorted(ENVIRONMENTS))
def test_an_overlay_takes_the_images_and_endpoints_of_a_release(name, tmp_path):
    use_folder()
    environment = ENVIRONMENTS[name]
    images = {service: Image("sha256:1", f"registry.example/caas/{service}@sha256:{number:064d}")
              for number, service in enumerate(SERVICES)}
    render.check_overlay(ROOT, environment.overlay)
    files = render.machine_files(name, images, {"S3_REGION": "here"})
    objects = render.manifests(Runner(), ROOT, tmp_path, environment.overlay, files)
    render.check_digests(objects, images)
    settings = next(one for one in objects if one["kind"] == "ConfigMap" and one["metadata"]["name"].startswith("back"))
    assert settings["data"] == {"S3_REGION": "here"}
    marked = render.annotate(render.finish(objects, "caas"), "r1", "r2")
    workloads = [one for one in marked if one["kind"] in render.WORKLOADS]
    assert all(one["metadata"]["annotations"]["devenv/release"] == "r1" for one in workloads)
    assert {one["metadata"]["namespace"] for one in workloads} == {render.namespace_of(ROOT, environment.overlay)}
    assert len(workloads) == len(SERVICES) + 1  # and `init`
