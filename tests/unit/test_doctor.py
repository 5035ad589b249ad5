import pytest

from devenv.doctor import debian, repairs
from devenv.doctor.checks import Check, version_in
from devenv.errors import DevenvError
from tests.unit.fakes import FakeRunner

NO_DOCKER = Check("docker", False, "not installed", "install Docker Engine", repair="packages")


def test_versions_are_found_in_what_tools_print():
    assert version_in("2.26.1-4") == (2, 26, 1)
    assert version_in("github.com/docker/buildx 0.13.1+ds1") == (0, 13, 1)
    assert version_in("none") == ()


def test_nothing_is_planned_where_nothing_fails(monkeypatch):
    assert repairs.plan([Check("docker", True, "x", repair="packages")], FakeRunner()) == []


def test_without_root_the_packages_to_install_are_named(monkeypatch):
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    with pytest.raises(DevenvError, match="takes root") as failure:
        repairs.plan([NO_DOCKER], FakeRunner())
    assert "install Docker Engine" in failure.value.hint


def test_elsewhere_than_on_debian_it_says_what_to_install(monkeypatch):
    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.setattr("shutil.which", lambda name: None)
    runner = FakeRunner()
    with pytest.raises(DevenvError, match="no Debian"):
        repairs.plan([NO_DOCKER], runner)
    assert runner.calls == []


def test_a_release_with_an_old_docker_gets_a_newer_one_from_its_own_mirror(monkeypatch):
    monkeypatch.setattr("shutil.which", lambda name: f"/usr/bin/{name}")
    runner = FakeRunner({"apt-cache": "docker.io:\n  Candidate: 20.10.24\n",
                         "indextargets": "bookworm-security main http://m/debian-security/\n"
                                         "bookworm main http://mirror/debian/\n"})
    steps = debian.plan_install(runner)
    assert steps.mirror == "http://mirror/debian/" and "trixie" in steps.says


def test_a_release_with_a_new_docker_needs_no_other_source(monkeypatch):
    monkeypatch.setattr("shutil.which", lambda name: f"/usr/bin/{name}")
    steps = debian.plan_install(FakeRunner({"apt-cache": "docker.io:\n  Candidate: 26.1.5\n"}))
    assert steps.mirror == "" and "trixie" not in steps.says


def test_the_engine_is_started_after_the_packages(monkeypatch):
    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.setattr("shutil.which", lambda name: f"/usr/bin/{name}")
    planned = repairs.plan([NO_DOCKER], FakeRunner({"apt-cache": "Candidate: 26.1.5\n"}))
    assert [one.name for one in planned] == ["packages", "engine"]


def test_beside_a_docker_of_another_origin_only_what_is_missing_is_installed(monkeypatch):
    monkeypatch.setattr("os.geteuid", lambda: 0)
    missing = Check("ssh-keygen", False, "not installed", "", required=False, repair="openssh-client")
    runner = FakeRunner()
    planned = repairs.plan([missing], runner)
    assert [one.says for one in planned] == ["install Debian packages: openssh-client"]
    planned[0].apply(runner)
    assert [call for call in runner.calls if " install " in call][0].endswith("--no-install-recommends openssh-client")
