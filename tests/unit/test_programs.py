from pathlib import Path

import pytest

from devenv.doctor import programs
from devenv.images import recipes
from tests.unit.fakes import FakeEngine, FakeRunner

PYTHON = recipes.load("python")


class BuildingRunner(FakeRunner):
    """Leaves the program that `docker build --output` was asked for."""

    def log(self, *argv, log, **_):
        super().log(*argv, log=log)
        if "--output" in argv:
            made = Path(argv[argv.index("--output") + 1].partition("dest=")[2], "bin", argv[argv.index("--target") + 1])
            made.parent.mkdir(parents=True)
            made.touch(0o755)


@pytest.fixture(autouse=True)
def _own_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    monkeypatch.setattr(programs, "ca_bundle", lambda: None)


@pytest.mark.parametrize(("image", "base"), [
    ("python:3.13-slim", "python:3.13-slim"),  # upstream's, pulled before
    (PYTHON.reference, PYTHON.reference),  # ours, where no registry was reached
])
def test_a_program_is_built_once_on_the_base_that_this_machine_has(tmp_path, image, base):
    engine, runner = FakeEngine(), BuildingRunner()
    engine.images[image] = {"Id": "sha256:1", "Config": {"Labels": {recipes.HASH_LABEL: PYTHON.hash}}}
    programs.ensure_programs(["crane"], runner, engine, tmp_path)
    (call,) = runner.calls
    assert f"--target crane --build-arg DEVENV_BASE_PYTHON={base} --output" in call
    assert (programs.folder() / "crane").is_file()
    programs.ensure_programs(["crane"], runner, engine, tmp_path)
    assert runner.calls == [call]


def test_upstreams_base_is_pulled_before_one_is_made(tmp_path):
    engine, runner = FakeEngine(), BuildingRunner()
    engine.image = lambda name: {"Id": "sha256:1"} if f"docker pull --quiet {name}" in runner.calls else None
    programs.ensure_programs(["crane"], runner, engine, tmp_path)
    assert [call.partition(" --")[0] for call in runner.calls] == ["docker pull", "docker build"]
