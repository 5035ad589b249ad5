"""What cannot be had is said in a sentence with a next move, once, and without a traceback through our code."""

from __future__ import annotations

import pytest

from tests.integration.other_project import CACHE, OtherProject, counts

USES_REDIS = "def test_uses(redis): pass\ndef test_uses_too(redis): pass\ndef test_does_not(): pass\n"


def refusal(project: OtherProject, code: str = USES_REDIS, **environment: str) -> str:
    project.write("test_refused.py", code)
    done = project.pytest("test_refused.py", **environment)
    assert done.returncode == 1, done.stdout
    assert "Traceback" not in done.stdout
    assert "devenv/testing/" not in done.stdout
    return done.stdout


def test_no_docker(project: OtherProject) -> None:
    said = refusal(project, DOCKER_HOST="unix:///nowhere/docker.sock")
    assert "devenv: no Docker engine answers at `unix:///nowhere/docker.sock`" in said
    assert "hint: run `devenv doctor --fix`" in said
    assert "1 passed, 2 errors" in said


@pytest.mark.parametrize(("ask", "message", "hint"), [
    ('devenv_backend("cahce")', "no backend is named `cahce`", "did you mean `cache`?"),
    ('devenv_service("cache")', "`cache` is a backend, not a service", 'ask for `devenv_backend("cache")`'),
])
def test_wrong_name(project: OtherProject, ask: str, message: str, hint: str) -> None:
    said = refusal(project, f"def test_x(devenv_backend, devenv_service):\n    {ask}\n")
    assert f"devenv: {message}" in said
    assert f"hint: {hint}" in said


def test_kind_that_the_project_does_not_have(project: OtherProject) -> None:
    said = refusal(project, "def test_x(kafka): pass\n")
    assert "devenv: `compose.yaml` has no backend of kind `kafka`" in said
    assert "hint: backends: cache;" in said


def test_image_that_cannot_be_had(fresh_project: OtherProject) -> None:
    fresh_project.write("compose.yaml", CACHE.replace("redis:8", "localhost/nobody/has-this:1")
                        .replace("command:", "x-devenv: {kind: redis}\n    command:"))
    said = refusal(fresh_project)
    assert "devenv: no image `localhost/nobody/has-this:1`: it is not on this machine" in said


def test_container_that_ends_at_its_start_is_not_waited_for(fresh_project: OtherProject) -> None:
    fresh_project.write("compose.yaml", CACHE.replace(
        "[redis-server, --requirepass, s3cret, --appendonly, \"yes\"]",
        '[sh, -c, "echo first line; echo no such setting >&2; exit 3"]'))
    said = refusal(fresh_project)
    assert "devenv: `cache` ended with exit code 3; its last lines:" in said
    assert "| no such setting" in said


def test_backend_that_we_cannot_log_in_to(fresh_project: OtherProject) -> None:
    fresh_project.write("redis.conf", "requirepass hidden\n")
    fresh_project.write("compose.yaml", """
        services:
          cache:
            image: redis:8
            command: [redis-server, /etc/redis.conf]
            volumes: ["./redis.conf:/etc/redis.conf:ro"]
            healthcheck: {test: [CMD, redis-cli, ping]}
    """)
    said = refusal(fresh_project)
    assert "devenv: `cache` runs, but devenv cannot use it: AuthenticationError" in said
    assert "`x-devenv: {username: ..., password: ...}`" in said

    fresh_project.write("compose.yaml", (fresh_project.root / "compose.yaml").read_text().replace(
        "image: redis:8", "image: redis:8\n    x-devenv: {password: hidden}"))
    done = fresh_project.pytest("test_refused.py")
    assert counts(done) == {"passed": 3}, done.stdout


def test_variable_that_the_compose_file_demands(fresh_project: OtherProject) -> None:
    fresh_project.write("compose.yaml", CACHE.replace("s3cret,", '"${CACHE_PASSWORD:?set it}",'))
    assert "devenv: Compose refuses the files of" in refusal(fresh_project)


def test_directory_that_is_no_project(fresh_project: OtherProject) -> None:
    (fresh_project.root / "compose.yaml").unlink()
    try:
        assert "devenv: no project here:" in refusal(fresh_project)
    finally:
        fresh_project.write("compose.yaml", CACHE)
