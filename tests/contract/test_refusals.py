"""What keeps `devenv` from its work, met by a person: one clear error, in good time, and nothing changed."""

import os
import socket
import subprocess
import sys
from pathlib import Path
from time import monotonic

import pytest

COMPOSE = "services: {a: {image: b}}\n"


@pytest.fixture
def project(tmp_path):
    root = tmp_path / "with space and ü"
    root.mkdir()
    (root / "compose.yaml").write_text(COMPOSE)
    return root


@pytest.fixture
def hung_engine(tmp_path):
    """The address of a socket that accepts connections and never says a word."""
    path = tmp_path / "hung.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen(16)
        yield path


def run(*words, cwd, before=(), **environment):
    done = subprocess.run([*before, sys.executable, "-m", "devenv", *words], cwd=cwd, capture_output=True, text=True,
                          env={**os.environ, **environment}, timeout=60)
    assert "Traceback" not in done.stderr
    return done


@pytest.mark.parametrize("words", [["up"], ["status"], ["down"], ["logs"], ["images"], ["exec", "a", "--", "true"]])
def test_a_hung_engine_is_an_error_within_seconds(project, hung_engine, words):
    began = monotonic()
    done = run(*words, cwd=project, DOCKER_HOST=f"unix://{hung_engine}")
    assert done.returncode == 1
    assert f"engine at `unix://{hung_engine}` does not answer" in done.stderr and "restart it" in done.stderr
    # No speed is measured here: a command that hangs would wait for as long as the engine does.
    assert monotonic() - began < 30


def test_a_socket_without_permission_is_named_with_the_group_to_join(project, hung_engine):
    hung_engine.chmod(0)
    # Root passes by permissions, unless it gives that capability away.
    as_others = ["setpriv", "--inh-caps=-dac_override", "--bounding-set=-dac_override", "--"]
    done = run("up", cwd=project, before=[] if os.geteuid() else as_others, DOCKER_HOST=f"unix://{hung_engine}")
    assert done.returncode == 1
    assert f"no permission to use the Docker engine's socket `unix://{hung_engine}`" in done.stderr
    assert "usermod -aG docker" in done.stderr


@pytest.mark.parametrize("kind", ["plain text", "silence"])
def test_what_answers_there_and_is_no_engine_is_said(project, tmp_path, kind):
    path = tmp_path / "other.sock"
    code = (
        "import socket, sys\ns = socket.socket(socket.AF_UNIX); s.bind(sys.argv[1]); s.listen(); print(flush=True)\n"
        "while True:\n    c = s.accept()[0]; c.recv(999); c.sendall(sys.argv[2].encode()); c.close()\n"
    )
    said = "220 mail\r\n\r\n" if kind == "plain text" else ""
    with subprocess.Popen([sys.executable, "-c", code, str(path), said], stdout=subprocess.PIPE) as other:
        try:
            other.stdout.readline()
            done = run("up", cwd=project, DOCKER_HOST=f"unix://{path}")
        finally:
            other.kill()
    assert done.returncode == 1 and "no Docker engine answers" in done.stderr and "doctor --fix" in done.stderr


def test_an_engine_on_another_machine_by_ssh_is_refused_with_what_works(project):
    done = run("up", cwd=project, DOCKER_HOST="ssh://elsewhere")
    assert done.returncode == 1 and "cannot speak to" in done.stderr and "docker context use default" in done.stderr


@pytest.mark.parametrize("file", ["checkout.json", "lock"])
def test_a_full_disk_under_the_project_is_said(project, file):
    """`file` is the first that finds no room; the disk is a small one in a mount namespace of its own."""
    earlier = {"checkout.json": [], "lock": ["checkout.json"]}[file]
    done = run("status", cwd=project) if earlier else None
    kept = [(project / ".devenv" / name).read_text() for name in earlier] if done else []
    fill = ("mount -t tmpfs -o size=16k tmpfs .devenv && "
            + "".join(f"printf %s '{text}' > .devenv/{name} && " for name, text in zip(earlier, kept, strict=True))
            + "{ cat /dev/zero > .devenv/rest 2>/dev/null || true; } && exec \"$@\"")
    (project / ".devenv").mkdir(exist_ok=True)
    alone = ["unshare", "--mount", *(["--map-root-user"] if os.geteuid() else []), "sh", "-c", fill, "sh"]
    done = run("up", cwd=project, before=alone, DOCKER_HOST=f"unix://{project}/none.sock")
    assert done.returncode == 1, done.stderr
    assert f"the disk is full: cannot write `{project}/.devenv/" in done.stderr and "free some space" in done.stderr


def test_an_unreadable_compose_file_is_named(project):
    Path(project, "compose.yaml").write_bytes(b"services: {a: {image: \xff}}\n")
    done = run("up", cwd=project)
    assert done.returncode == 2 and "compose.yaml: broken YAML" in done.stderr and "UTF-8" in done.stderr
