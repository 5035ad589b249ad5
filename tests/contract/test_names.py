"""The same names everywhere: folders, Compose, Dockerfiles, tests."""

from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
SERVICES = sorted(path.name for path in (ROOT / "services").iterdir() if path.is_dir() and path.name != "__pycache__")
COMPOSE = yaml.safe_load((ROOT / "compose" / "services.yml").read_text())
BACKENDS = yaml.safe_load((ROOT / "compose" / "backends.yml").read_text())


def test_every_folder_is_a_service_in_compose_and_every_service_has_a_folder():
    built = {name for name, one in COMPOSE["services"].items() if f"services/{name}/" in one["build"]["dockerfile"]}
    assert sorted(built) == SERVICES


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_has_what_every_service_has(name):
    folder = ROOT / "services" / name
    for part in ("Dockerfile", "pyproject.toml", "requirements.lock", f"{name}/app.py", "tests"):
        assert (folder / part).exists(), f"services/{name}/{part} is missing"


@pytest.mark.parametrize("name", SERVICES)
def test_a_lock_file_pins_hashes_and_names_no_index(name):
    text = (ROOT / "services" / name / "requirements.lock").read_text()
    assert "--hash=sha256:" in text and "http" not in text.replace("httpx", "").replace("httpcore", "").replace(
        "httptools", "")


@pytest.mark.parametrize("name", SERVICES)
def test_a_dockerfile_ends_as_a_user_without_rights(name):
    lines = (ROOT / "services" / name / "Dockerfile").read_text().splitlines()
    users = [line for line in lines if line.startswith("USER")]
    assert users and users[-1].split()[1].split(":")[0] == "10001"
    assert any(line.startswith("CMD [") for line in lines)


@pytest.mark.parametrize(("name", "definition"), [*COMPOSE["services"].items(), *BACKENDS["services"].items()])
def test_ports_are_published_on_this_machine_only(name, definition):
    assert all(str(port).startswith("127.0.0.1:") for port in definition.get("ports", []))


@pytest.mark.parametrize(("name", "definition"), [*COMPOSE["services"].items(), *BACKENDS["services"].items()])
def test_every_entry_has_limits_log_rotation_and_a_health_check_that_starts_early(name, definition):
    assert definition["deploy"]["resources"]["limits"]["memory"]
    assert definition["logging"]["options"]["max-size"]
    check = definition["healthcheck"]
    assert check.get("disable") or check["start_interval"]
    assert definition["init"] is True and definition["cap_drop"] == ["ALL"]
