import pytest

from devenv.errors import CommandError, DevenvError, UsageError
from devenv.model import Model
from devenv.runtimes.diagnose import explain
from devenv.runtimes.disk import blame_disk
from tests.unit.fakes import FakeEngine, container

BUILD = CommandError(("docker", "compose", "build"), 17, "failed to copy")


@pytest.fixture
def engine(tmp_path):
    return FakeEngine({"/info": {"DockerRootDir": str(tmp_path)}})


def test_a_failure_on_a_full_disk_names_the_disk_and_what_is_left(engine, tmp_path):
    found = blame_disk(engine, BUILD, free_bytes=lambda path: 3 * 2**20)
    assert found.message.startswith(BUILD.message)
    assert found.message.endswith(f"the engine's disk is full: 3 MB are left in `{tmp_path}`")
    assert found.details["cause"] == "disk" and "docker system df" in found.hint


def test_the_kernels_own_words_are_enough_where_the_disk_cannot_be_measured():
    failure = CommandError(("docker", "compose", "build"), 17, "write /x: no space left on device")
    elsewhere = FakeEngine({"/info": {"DockerRootDir": "/in/a/virtual/machine"}})
    assert blame_disk(elsewhere, failure).details["cause"] == "disk"


def test_a_failure_beside_an_empty_disk_stays_what_it_was(engine):
    assert blame_disk(engine, BUILD, free_bytes=lambda path: 2**40) is BUILD


def test_a_persons_mistake_is_no_matter_of_the_disk(engine):
    mistake = UsageError("no service named `x`")
    assert blame_disk(engine, mistake, free_bytes=lambda path: 0) is mistake


def test_an_engine_that_is_gone_leaves_the_failure_as_it_was():
    class Gone(FakeEngine):
        def get(self, path: str, **query):
            raise DevenvError("gone")

    assert blame_disk(Gone(), BUILD, free_bytes=lambda path: 0) is BUILD


def test_a_container_that_the_engine_cannot_start_for_want_of_space_is_blocked_by_the_disk():
    refusal = "failed to create shim task: mkdir /run/containerd/x: no space left on device"
    engine = FakeEngine(
        {"/containers/id-a": {"State": {"Error": refusal, "ExitCode": 128}, "HostConfig": {}, "RestartCount": 0}},
        containers=[container("a", state="created", status="Created")],
    )
    model = Model({"services": {"a": {"image": "b"}}})
    found = explain(engine, "p", model, ["a"], "`a` could not be started")
    assert found.details["cause"] == "disk" and refusal in found.message and "docker system df" in found.hint
