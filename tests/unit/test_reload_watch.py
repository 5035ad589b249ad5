"""What counts as an edit, and when a batch of edits is complete."""

import errno
import os
import select

import pytest

from devenv.reload import snapshot as snapshots
from devenv.reload import watch as watching
from devenv.reload.inotify import Inotify
from devenv.reload.snapshot import Snapshot, is_ignored
from devenv.reload.watch import Watch


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


class Refusing(Inotify):
    """A kernel that is out of watches after the first directory."""

    def add(self, directory):
        if self._directories:
            raise OSError(errno.ENOSPC, "No space left on device")
        super().add(directory)


class Silent(Inotify):
    """Docker Desktop's: takes every request and never says a word."""

    def read(self):
        return set()


def unavailable(roots):
    raise OSError(errno.EMFILE, "Too many open files")


@pytest.fixture
def root(tmp_path):
    (tmp_path / "pkg").mkdir()
    (tmp_path / "pkg" / "app.py").write_text("one")
    return tmp_path


@pytest.fixture
def make(root):
    made = []

    def make(**options):
        said = []
        watch = Watch([str(root)], said.append, **options)
        watch.said = said
        made.append(watch)
        return watch

    yield make
    for watch in made:
        watch.close()


def replace(path, text):
    beside = path.with_name(f".{path.name}.new")
    beside.write_text(text)
    beside.rename(path)


def settle(watch, clock):
    """Let the quiet period pass, as the parent's loop does."""
    if watch.fileno() is not None:
        select.select([watch.fileno()], [], [], 0)
    first = watch.changes()
    clock.now += watching.QUIET_S
    return first + watch.changes()


@pytest.mark.parametrize("name", [".git", "__pycache__", "app.py~", ".app.py.swp", ".#app.py", "#app.py#", "4913",
                                  "app.pyc", "node_modules", ".mypy_cache", "caas.egg-info"])
def test_editors_and_tools_files_are_ignored(name):
    assert is_ignored(name)


@pytest.mark.parametrize("name", ["app.py", "page.html", "py.typed", ".env", ".env.local", "Makefile", "tmp"])
def test_all_other_files_count(name):
    assert not is_ignored(name)


def test_each_way_to_save_is_one_change(root, make):
    clock = Clock()
    watch = make(clock=clock)
    app = root / "pkg" / "app.py"
    app.write_text("two")
    assert settle(watch, clock) == [str(app)]
    replace(app, "three")
    assert settle(watch, clock) == [str(app)]
    # vim: the old file becomes the backup, and a new one takes its place
    app.rename(root / "pkg" / "app.py~")
    app.write_text("four")
    (root / "pkg" / "app.py~").unlink()
    assert settle(watch, clock) == [str(app)]


def test_activity_that_changes_no_content_is_no_change(root, make):
    clock = Clock()
    watch = make(clock=clock)
    app = root / "pkg" / "app.py"
    app.touch()
    assert settle(watch, clock) == []
    replace(app, "one")
    assert settle(watch, clock) == []
    (root / "pkg" / "gone.py").write_text("")
    (root / "pkg" / "gone.py").unlink()
    assert settle(watch, clock) == []


def test_same_size_and_time_with_other_content_is_a_change(root, make):
    clock = Clock()
    watch = make(clock=clock)
    app = root / "pkg" / "app.py"
    was = app.stat()
    app.write_text("eno")
    os.utime(app, ns=(was.st_atime_ns, was.st_mtime_ns))
    assert settle(watch, clock) == [str(app)]


def test_new_directories_are_followed_and_moved_ones_too(root, make):
    clock = Clock()
    watch = make(clock=clock)
    (root / "new" / "deep").mkdir(parents=True)
    (root / "new" / "deep" / "m.py").write_text("1")
    assert settle(watch, clock) == [str(root / "new" / "deep" / "m.py")]
    (root / "new").rename(root / "other")
    assert settle(watch, clock) == [str(root / "new" / "deep" / "m.py"), str(root / "other" / "deep" / "m.py")]
    (root / "other" / "deep" / "m.py").write_text("2")
    assert settle(watch, clock) == [str(root / "other" / "deep" / "m.py")]
    (root / "other" / "deep" / "m.py").unlink()
    (root / "other" / "deep").rmdir()
    (root / "other").rmdir()
    assert settle(watch, clock) == [str(root / "other" / "deep" / "m.py")]


def test_links_count_when_they_are_made(root, make, tmp_path_factory):
    clock = Clock()
    watch = make(clock=clock)
    (root / "soft.py").symlink_to(root / "pkg" / "app.py")
    (root / "hard.py").hardlink_to(root / "pkg" / "app.py")
    assert settle(watch, clock) == [str(root / "hard.py"), str(root / "soft.py")]


def test_a_file_that_is_still_being_written_waits_for_its_end(root, make):
    clock = Clock()
    watch = make(clock=clock)
    with (root / "pkg" / "new.py").open("w") as file:
        file.write("half")
        file.flush()
        assert settle(watch, clock) == []
    assert settle(watch, clock) == [str(root / "pkg" / "new.py")]


def test_constant_writing_does_not_put_a_batch_off_for_ever(root, make):
    clock = Clock()
    watch = make(clock=clock)
    began, batches = clock.now, []
    for number in range(60):
        (root / "pkg" / "app.py").write_text(str(number))
        batches += watch.changes()
        clock.now += watching.QUIET_S / 2
    assert len(batches) == int((clock.now - began) / watching.LONGEST_S)


def test_a_storm_of_writing_makes_few_batches(root, make):
    clock = Clock()
    watch = make(clock=clock)
    batches = []
    for number in range(2000):
        (root / "pkg" / "app.py").write_text(str(number))
        batches += watch.changes()
        clock.now += watching.QUIET_S / 2
    assert 5 <= len(batches) <= 8, "in ten seconds"
    assert settle(watch, clock) == [str(root / "pkg" / "app.py")]


def test_an_overflow_of_events_means_to_look_at_everything(root, make, monkeypatch):
    clock = Clock()
    watch = make(clock=clock)
    (root / "pkg" / "app.py").write_text("two")
    watch._inotify.read()  # lost
    monkeypatch.setattr(watch._inotify, "read", iter([{str(root)}, set()]).__next__)
    assert settle(watch, clock) == [str(root / "pkg" / "app.py")]


@pytest.mark.parametrize("notifier", [unavailable, Refusing])
def test_without_inotify_files_are_looked_at_and_it_is_said(root, make, notifier):
    clock = Clock()
    watch = make(clock=clock, notifier=notifier)
    assert len(watch.said) == 1 and "looking at the files instead" in watch.said[0]
    assert watch.fileno() is None
    (root / "pkg" / "app.py").write_text("two")
    clock.now += watch.wait_s()
    assert watch.changes() == [str(root / "pkg" / "app.py")]


def test_silent_inotify_is_noticed_and_looked_after_more_often(root, make):
    clock = Clock()
    watch = make(clock=clock, notifier=Silent)
    patient = watch.wait_s()
    (root / "pkg" / "app.py").write_text("two")
    clock.now += patient
    assert watch.changes() == [str(root / "pkg" / "app.py")]
    assert ["inotify tells nothing" in line for line in watch.said] == [True]
    assert watch.wait_s() < patient
    (root / "pkg" / "app.py").write_text("six")
    clock.now += watch.wait_s()
    assert watch.changes() == [str(root / "pkg" / "app.py")]
    assert len(watch.said) == 1


def test_inotify_that_works_makes_looking_rare(root, make):
    clock = Clock()
    watch = make(clock=clock)
    at_first = watch.wait_s()
    (root / "pkg" / "app.py").write_text("two")
    settle(watch, clock)
    clock.now += watch.wait_s()
    assert watch.changes() == []
    assert watch.wait_s() > at_first
    assert watch.said == []


def test_a_look_by_metadata_reads_again_what_was_changed_a_moment_ago(root):
    snapshot = Snapshot()
    app = root / "pkg" / "app.py"
    snapshot.refresh([str(root)])
    before = snapshot.files[str(app)]
    app.write_text("eno")
    # The clock of a file system ticks slowly: nothing but the content tells the two apart.
    snapshot.files[str(app)] = before._replace(metadata=tuple(
        getattr(app.stat(), name) for name in ("st_mtime_ns", "st_ctime_ns", "st_size", "st_ino")))
    assert snapshot.refresh([str(root)], by_metadata=True) == [str(app)]


def test_files_beyond_the_limit_are_compared_by_their_metadata_at_first(root, monkeypatch):
    monkeypatch.setattr(snapshots, "_DIGEST_LIMIT_FILES", 0)
    snapshot, app = Snapshot(), root / "pkg" / "app.py"
    assert snapshot.refresh([str(root)]) == [str(app)]
    assert snapshot.refresh([str(root)], by_metadata=True) == []
    app.write_text("two")
    assert snapshot.refresh([str(app)]) == [str(app)]
    app.write_text("two")
    assert snapshot.refresh([str(app)]) == []
