from pathlib import Path

import pytest

from devenv.images.inputs import fingerprint
from tests.unit.fakes import FakeEngine


@pytest.fixture
def context(tmp_path):
    for name in ("src/app.py", "src/deep/er.py", "app.lock", "other.txt"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("1")
    return tmp_path


@pytest.fixture
def taken(context):
    def take(dockerfile, engine=None, **build):
        file = context / "Dockerfile"
        if not file.exists() or file.read_text() != dockerfile:
            file.write_text(dockerfile)
        return fingerprint("web", {"context": str(context), **build}, engine or FakeEngine())
    return take


COPIES = [
    ("FROM a\nCOPY src /app\n", "src/deep/er.py"),
    ("FROM a\nCOPY --chmod=644 app.lock src /app/\n", "app.lock"),
    ('FROM a\nCOPY ["app.lock", "/app/"]\n', "app.lock"),
    ("FROM a\nADD *.lock /app/\n", "app.lock"),
    ("FROM a\nCOPY . /app\n", "other.txt"),
    ("FROM a\nRUN --mount=type=bind,source=app.lock,target=/l cat /l\n", "app.lock"),
    ("FROM a AS b\nCOPY src /app\nFROM a\nCOPY --from=b /app /app\n", "src/app.py"),
]


@pytest.mark.parametrize(("dockerfile", "file"), COPIES)
def test_what_the_build_reads_counts(taken, context, dockerfile, file):
    before = taken(dockerfile)
    assert before and taken(dockerfile) == before
    (context / file).write_text("22")
    assert taken(dockerfile) != before


def test_what_devenv_keeps_beside_the_source_does_not_count(taken, context):
    before = taken("FROM a\nCOPY . /app\n")
    (context / ".devenv").mkdir()
    (context / ".devenv" / "journal.jsonl").write_text("1")
    assert taken("FROM a\nCOPY . /app\n") == before


def test_what_it_does_not_read_does_not_count(taken, context):
    before = taken("FROM a\nCOPY src /app\n")
    (context / "other.txt").write_text("22")
    assert taken("FROM a\nCOPY src /app\n") == before


@pytest.mark.parametrize("change", [
    lambda root: (root / "src" / "new.py").write_text(""),
    lambda root: (root / "src" / "app.py").unlink(),
    lambda root: (root / "src" / "app.py").chmod(0o755),
    lambda root: (root / ".dockerignore").write_text("src/deep"),
    lambda root: _other(root).replace(root / "src" / "app.py"),
], ids=["new file", "deleted file", "mode", "ignore file", "replaced by one of the same size"])
def test_every_kind_of_change_counts(taken, context, change):
    before = taken("FROM a\nCOPY src /app\n")
    change(context)
    assert taken("FROM a\nCOPY src /app\n") != before


def _other(root):
    path = Path(root, "src", "app.py.new")
    path.write_text("2")
    return path


def test_arguments_target_and_base_image_count(taken):
    text = "ARG P=a\nFROM ${P}\nCOPY src /app\n"
    engine = FakeEngine()
    engine.images = {"a": {"Id": "sha256:1"}}
    plain = taken(text, engine)
    assert taken(text, engine, args={"P": "b"}) != plain
    assert taken(text, engine, target="x") != plain
    engine.images = {"a": {"Id": "sha256:2"}}
    assert taken(text, engine) != plain


@pytest.mark.parametrize(("dockerfile", "build"), [
    ("FROM a\nARG WHERE\nCOPY ${WHERE} /app\n", {}),
    ("FROM a\nADD http://localhost/x /x\n", {}),
    ("FROM a\n", {"additional_contexts": {"b": "../b"}}),
    ("FROM a\n", {"context": "https://localhost/x.git"}),
    ("FROM a\n", {"no_cache": True}),
])
def test_what_cannot_be_known_without_a_build_has_no_fingerprint(taken, dockerfile, build):
    assert taken(dockerfile, **build) == ""
