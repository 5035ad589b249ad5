"""Snapshots: names, manifests, and every reason for which one is refused before anything changes."""

import io
import tarfile
from hashlib import sha256

import pytest

from devenv.errors import DevenvError, UsageError
from devenv.kubernetes.workloads import ran_before
from devenv.project import find
from devenv.runtimes.holdings import RESTORING, Holding, owned, refuse_half_restored, settle
from devenv.snapshots import check, store
from devenv.snapshots.manifest import FILE, Part, Snapshot, read, secret_hashes, verify

DATA = b"what was saved"


class Engine:
    """An engine that has every image under its own name."""

    def image(self, reference):
        return {"Id": f"sha256:{reference}", "Config": {}, "Size": 1, "RepoDigests": []}


def part(**changes):
    return Part(**{"backend": "redis", "image": "redis:8", "product": "redis 8", "path": "/data",
                   "file": "1-redis.tar.gz", "sha256": sha256(DATA).hexdigest(), "size_bytes": len(DATA), **changes})


def snapshot(*parts, secrets=None):
    return Snapshot("kept", "2026-11-25T08:00:00+00:00", "shop", "compose", secrets or {}, parts or (part(),))


def holding(**changes):
    return Holding(**{"backend": "redis", "image": "redis:8", "path": "/data", "place": "shop_data", **changes})


@pytest.fixture
def project(tmp_path):
    (tmp_path / "compose.yaml").write_text("services: {redis: {image: 'redis:8'}}\n")
    return find(tmp_path)


def put(project, one=None):
    one = one or snapshot()
    folder = store.folder(project, one.name)
    folder.mkdir(parents=True)
    (folder / FILE).write_text(one.to_json())
    (folder / one.parts[0].file).write_bytes(DATA)
    return folder


@pytest.mark.parametrize("name", ["", ".hidden", "a/b", "../up", "-x", "a" * 65, "a b"])
def test_what_is_no_name_is_refused(project, name):
    with pytest.raises(UsageError, match="no name for a snapshot"):
        store.folder(project, name)


def test_a_manifest_reads_as_it_was_written(project):
    put(project)
    assert store.load(project) == [snapshot()]
    assert store.find(project, "kept") == snapshot()


def test_an_unknown_name_comes_with_a_suggestion(project):
    put(project)
    with pytest.raises(UsageError) as refused:
        store.find(project, "kep")
    assert refused.value.hint == "did you mean `kept`?"


@pytest.mark.parametrize("text", ["", "{", "[]", '{"version": 1}', '{"version": 2}'])
def test_a_manifest_that_cannot_be_read_names_the_snapshot(project, text):
    folder = put(project)
    (folder / FILE).write_text(text)
    with pytest.raises(DevenvError, match="kept"):
        read(folder)


def test_an_archive_is_used_only_as_it_was_saved(project):
    folder = put(project)
    assert verify(folder, part()) == folder / "1-redis.tar.gz"
    (folder / "1-redis.tar.gz").write_bytes(DATA + b"!")
    with pytest.raises(DevenvError, match="is not what was saved"):
        verify(folder, part())
    (folder / "1-redis.tar.gz").unlink()
    with pytest.raises(DevenvError, match="no file"):
        verify(folder, part())


def test_a_fitting_snapshot_goes_where_the_runtime_keeps_the_data(project):
    assert check(project, snapshot(), [holding()], Engine()) == {part(): holding()}


@pytest.mark.parametrize(("now", "why"), [
    (holding(image="redis:7"), "`redis` is redis 7 now and was redis 8"),
    (holding(image="valkey:8"), "`redis` is valkey 8 now and was redis 8"),
    (holding(path="/var/lib/redis"), "/data"),
    (holding(backend="cache"), "cache"),
])
def test_another_backend_or_version_is_refused(project, now, why):
    with pytest.raises(DevenvError) as refused:
        check(project, snapshot(), [now], Engine())
    assert why in refused.value.message and "nothing was changed" in refused.value.hint


def test_a_minor_version_is_no_other_backend(project):
    assert check(project, snapshot(), [holding(image="redis:8.2.1")], Engine())


def test_a_snapshot_of_other_passwords_is_refused(project):
    project.state.mkdir()
    (project.state / "secrets.env").write_text("REDIS_PASSWORD=one\n")
    theirs = secret_hashes(project)
    assert "one" not in str(theirs)
    assert check(project, snapshot(secrets=theirs), [holding()], Engine())
    (project.state / "secrets.env").write_text("REDIS_PASSWORD=two\nNEW=three\n")
    with pytest.raises(DevenvError, match="other values of REDIS_PASSWORD"):
        check(project, snapshot(secrets=theirs), [holding()], Engine())


def test_half_restored_data_is_not_run_and_its_snapshot_not_deleted(project):
    put(project)
    (project.state / RESTORING).write_text("kept\n")
    with pytest.raises(DevenvError) as refused:
        refuse_half_restored(project)
    assert refused.value.hint == "devenv snapshot restore kept"
    with pytest.raises(DevenvError, match="was cut off"):
        store.delete(project, "kept")
    settle(project)
    refuse_half_restored(project)
    store.delete(project, "kept")
    assert store.names(project) == []


def test_what_a_killed_save_has_left_is_no_snapshot_and_goes(project):
    put(project)
    left = store.root(project) / ".saving-kept"
    left.mkdir()
    (left / "1-redis.tar.gz").write_bytes(DATA)
    assert store.names(project) == ["kept"]
    store.clear(project)
    assert not left.exists() and store.names(project) == ["kept"]


def archive(path, uid):
    with tarfile.open(path, "w:gz") as made:
        one = tarfile.TarInfo("./dump.rdb")
        one.size, one.uid, one.gid, one.mode = len(DATA), uid, uid, 0o600
        made.addfile(one, io.BytesIO(DATA))
    return path


def test_files_belong_to_whom_the_backend_runs_as(tmp_path):
    original = archive(tmp_path / "a.tar.gz", 999)
    for user in ("", "redis", "999:999", "999"):
        with owned(original, user) as same:
            assert same == original
    with owned(original, "1000:1001") as other, tarfile.open(other) as made:
        one = made.getmember("./dump.rdb")
        assert (one.uid, one.gid, one.mode) == (1000, 1001, 0o600)
        assert made.extractfile(one).read() == DATA
    assert [path.name for path in tmp_path.iterdir()] == ["a.tar.gz"]


@pytest.mark.parametrize(("state", "old"), [
    ({"running": {"startedAt": "2026-11-25T08:00:04Z"}}, True),
    ({"running": {"startedAt": "2026-11-25T08:00:05Z"}}, False),
    ({"waiting": {"reason": "CrashLoopBackOff"}}, False),
    ({"terminated": {"startedAt": "2026-11-25T07:00:00Z"}}, False),
])
def test_a_pod_of_before_the_stop_is_not_believed(state, old):
    pod = {"metadata": {"name": "web-0"}, "status": {"containerStatuses": [{"state": state}]}}
    assert ran_before(pod, "2026-11-25T08:00:05.123456789Z") is old
    assert not ran_before({"metadata": {"name": "web-0"}, "status": {}}, "2026-11-25T08:00:05Z")
