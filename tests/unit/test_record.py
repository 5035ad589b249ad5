import pytest

from devenv.project import find
from devenv.runtimes import record
from tests.unit.fakes import FakeEngine, container


@pytest.fixture
def project(tmp_path):
    (tmp_path / "compose.yaml").write_text("services: {}\n")
    return find(tmp_path)


@pytest.fixture
def engine():
    return FakeEngine({"/images/json": [{"Id": "sha256:1", "RepoTags": ["web:latest"]}]}, [container("web")])


@pytest.fixture
def taken(project, engine, monkeypatch):
    monkeypatch.setenv("LEVEL", "info")
    (project.state / "x").parent.mkdir(exist_ok=True)
    record.take(project, engine, "request", [project.compose_file], ["LEVEL"], ["web"], {"web:latest": "sha256:1"},
                [record.Endpoint("web", "http://localhost:1")], "devenv logs -f")


def test_nothing_changed_means_nothing_to_do(taken, project, engine):
    found = record.still_true(project, engine, "request")
    assert found is not None and found.endpoints == [{"service": "web", "url": "http://localhost:1"}]


def test_another_request_is_not_covered(taken, project, engine):
    assert record.still_true(project, engine, "other") is None


def test_a_changed_file_is_noticed(taken, project, engine):
    project.compose_file.write_text("services: {a: {}}\n")
    assert record.still_true(project, engine, "request") is None


def test_a_changed_variable_is_noticed(taken, project, engine, monkeypatch):
    monkeypatch.setenv("LEVEL", "debug")
    assert record.still_true(project, engine, "request") is None


@pytest.mark.parametrize("now", [
    container("web", config="c2"),
    container("web", image="sha256:2"),
    container("web", state="exited", status="Exited (0) now"),
    container("web", status="Up 1 second (health: starting)"),
])
def test_a_container_that_is_not_as_it_was_is_noticed(taken, project, engine, now):
    engine.listed = [now]
    assert record.still_true(project, engine, "request") is None


def test_an_image_rebuilt_by_hand_is_noticed(taken, project, engine):
    engine.answers["/images/json"] = [{"Id": "sha256:9", "RepoTags": ["web:latest"]}]
    assert record.still_true(project, engine, "request") is None


def test_values_of_variables_are_not_written_down(taken, project):
    assert "info" not in (project.state / record.FILE).read_text()


def test_a_forgotten_or_damaged_record_is_none(taken, project, engine):
    (project.state / record.FILE).write_text("{")
    assert record.still_true(project, engine, "request") is None
    record.forget(project)
    assert record.still_true(project, engine, "request") is None
