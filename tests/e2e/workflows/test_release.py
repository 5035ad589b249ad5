"""The part of release.yml that makes things, run in a clean clone; the wheel, used the way a newcomer would."""

import json
import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from devenv import __version__
from devenv.doctor.programs import folder
from tests.workflows.files import ROOT
from tests.workflows.runner import Run, run_job

DIGEST = "sha256:" + "a" * 64


def of(service, image):
    return {"service": service, "image": f"shop-{image}", "id": DIGEST,
            "reference": f"registry.example.com/octocat/shop/{image}@{DIGEST}"}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """What the job `dist` uploads."""
    place = tmp_path_factory.mktemp("release")
    images = {"images": [of(name, name) for name in ("billing", "gateway", "messaging", "sockets")]
              + [of("init", "messaging")]}
    run = Run(place / "work", place / "runner", github={"ref_name": f"v{__version__}"},
              needs={"images": {"outputs": {"images": json.dumps(images)}}})
    run.temporary.mkdir()
    run_job(run, "release", "dist")
    return run.temporary / "artifacts"


def wheel(made):
    [found] = (made / "dist").glob("*.whl")
    return found


def test_the_wheel_holds_the_package_and_its_data_and_nothing_else(made):
    with zipfile.ZipFile(wheel(made)) as archive:
        names = set(archive.namelist())
    tracked = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "devenv"], cwd=ROOT, check=True,
                             capture_output=True, text=True).stdout.split()
    here = {name for name in tracked if (ROOT / name).is_file()}
    assert here <= names
    assert all(name.startswith(("devenv/", f"devenv_toolkit-{__version__}.dist-info/")) for name in names)


def test_the_source_distribution_makes_the_package_too(made):
    [sdist] = (made / "dist").glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        names = archive.getnames()
    top = f"devenv_toolkit-{__version__}"
    assert {f"{top}/pyproject.toml", f"{top}/LICENSE", f"{top}/README.md", f"{top}/devenv/__init__.py"} <= set(names)
    assert not [name for name in names if ".venv" in name or "secrets.env" in name]


def test_the_wheel_works_in_another_project(made, tmp_path):
    environment = tmp_path / "environment"
    subprocess.run([sys.executable, "-m", "venv", str(environment)], check=True)
    subprocess.run([environment / "bin" / "pip", "install", "--quiet", "--disable-pip-version-check", str(wheel(made))],
                   check=True)
    project = tmp_path / "a shop"
    project.mkdir()
    (project / "Dockerfile").write_text("FROM scratch\nCOPY Dockerfile /\n")
    (project / "compose.yaml").write_text("services:\n  web:\n    build: .\n  cache:\n    image: redis:7\n")
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "DEVENV_"))}

    def devenv(*words):
        done = subprocess.run([environment / "bin" / "devenv", *words], cwd=project, env=clean, capture_output=True,
                              text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert "Usage: devenv" in devenv("--help")
    assert devenv("version").startswith(f"devenv {__version__}\n")
    # Recipes are package data: without them, nothing is known of a cache by this name.
    [cache] = json.loads(devenv("images", "--json"))["images"]
    assert cache["wanted"] == "redis:7" and cache["product"]
    [built] = json.loads(devenv("build", "web", "--json"))["images"]
    assert built["id"].startswith("sha256:")
    subprocess.run(["docker", "image", "rm", built["image"]], check=True, capture_output=True)


def test_the_chart_names_the_images_by_digest(made):
    [chart] = (made / "assets").glob("*.tgz")
    done = subprocess.run(
        ["helm", "show", "values", str(chart)], check=True, capture_output=True, text=True,
        env={**os.environ, "PATH": f"{os.environ['PATH']}:{folder()}"},
    )
    assert done.stdout.count(DIGEST) == 4, done.stdout


def test_the_release_says_what_the_changelog_says(made):
    said = Path(made / "assets" / "notes.md").read_text()
    assert said.strip() and said in (ROOT / "CHANGELOG.md").read_text()
