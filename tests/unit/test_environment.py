import pytest

from devenv.environment import HEADER, ensure_secrets, environment, ports, read_env, write_by_hand
from devenv.errors import DevenvError
from devenv.project import find
from tests.unit.fakes import FakeEngine

COMPOSE = """
services:
  db: {image: "${DEVENV_IMAGE_DB:-db:1}", environment: {P: "${DB_PASSWORD}"}}
  web: {image: x, ports: ["127.0.0.1:${WEB_PORT:-8080}:80"]}
"""


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.delenv("DB_PASSWORD", raising=False)
    (tmp_path / "compose.yaml").write_text(COMPOSE)
    (tmp_path / "devenv.toml").write_text('[secrets]\nDB_PASSWORD = "pw_"\n')
    return find(tmp_path)


def engine(volumes=()):
    return FakeEngine({"/volumes": {"Volumes": list(volumes)}})


def test_secrets_are_made_once_and_kept(project):
    ensure_secrets(project, engine())
    first = read_env(project.state / "secrets.env")
    assert first["DB_PASSWORD"].startswith("pw_") and len(first["DB_PASSWORD"]) > 20
    ensure_secrets(project, engine([{"Name": "v"}]))
    assert read_env(project.state / "secrets.env") == first


def test_secrets_are_readable_by_their_owner_only(project):
    ensure_secrets(project, engine())
    assert (project.state / "secrets.env").stat().st_mode & 0o777 == 0o600


def test_lost_secrets_are_not_replaced_while_there_is_data(project):
    with pytest.raises(DevenvError, match="secrets of this checkout are gone"):
        ensure_secrets(project, engine([{"Name": "v"}]))
    assert not (project.state / "secrets.env").exists()


def test_lost_secrets_are_found_again_in_the_by_hand_file(project):
    (project.root / ".env").write_text(HEADER + "DB_PASSWORD=pw_old\n")
    ensure_secrets(project, engine([{"Name": "v"}]))
    assert read_env(project.state / "secrets.env") == {"DB_PASSWORD": "pw_old"}


def test_ports_move_by_the_offset():
    assert ports(COMPOSE, 300) == {"WEB_PORT": "8380"}
    assert ports(COMPOSE, 0) == {}


def test_what_the_person_has_set_wins(project, monkeypatch):
    ensure_secrets(project, engine())
    monkeypatch.setenv("DB_PASSWORD", "mine")
    assert "DB_PASSWORD" not in environment(project, [project.compose_file], None)


def test_the_by_hand_file_points_image_variables_at_what_is_used(project):
    write_by_hand(project, [project.compose_file], {"A": "1"}, {"db:1": "localhost/devenv/db:1"})
    assert read_env(project.root / ".env") == {"A": "1", "DEVENV_IMAGE_DB": "localhost/devenv/db:1"}
    # ... and devenv itself looks past it, at what the files ask for.
    assert environment(project, [project.compose_file], None)["DEVENV_IMAGE_DB"] == ""


def test_a_file_that_people_own_is_left_alone(project):
    (project.root / ".env").write_text("DEVENV_IMAGE_DB=ours:1\n")
    write_by_hand(project, [project.compose_file], {"A": "1"}, {})
    assert (project.root / ".env").read_text() == "DEVENV_IMAGE_DB=ours:1\n"
    assert "DEVENV_IMAGE_DB" not in environment(project, [project.compose_file], None)
