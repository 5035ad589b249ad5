"""The command line as a person meets it."""

import subprocess
import sys

import pytest
from click.testing import CliRunner

from devenv.cli.main import COMMANDS, cli


def help_of(*words):
    return CliRunner().invoke(cli, [*words, "--help"], catch_exceptions=False)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_an_example(name):
    result = help_of(name)
    assert result.exit_code == 0
    assert f"devenv {name}" in result.output.replace('"$(', " ")


@pytest.mark.parametrize("name", COMMANDS)
def test_the_short_help_is_the_first_sentence_of_the_long_one(name):
    assert COMMANDS[name] in " ".join(help_of(name).output.split())


def test_help_imports_no_command_no_yaml_and_no_drivers():
    code = (
        "import sys\nfrom click.testing import CliRunner\nfrom devenv.cli.main import cli\n"
        "assert CliRunner().invoke(cli, ['--help']).exit_code == 0\n"
        "heavy = {'yaml', 'docker', 'pydantic', 'rich', 'watchfiles', 'devenv.compose', 'devenv.cli.up'}\n"
        "heavy &= set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def run(*words, cwd, **environment):
    import os

    return subprocess.run([sys.executable, "-m", "devenv", *words], cwd=cwd, capture_output=True, text=True,
                          env={**os.environ, **environment}, timeout=60)


@pytest.mark.parametrize(("words", "said"), [
    (["upp"], "Did you mean `up`"),
    (["up", "--nonsense"], "No such option"),
    (["reset"], "say so with --data"),
    (["--project-directory", "/nowhere", "status"], "not a directory"),
])
def test_a_wrong_command_line_exits_with_2(tmp_path, words, said):
    done = run(*words, cwd=tmp_path)
    assert done.returncode == 2 and said in done.stderr and "Traceback" not in done.stderr


@pytest.mark.parametrize("name", ["up", "status", "down", "logs", "images", "test", "receipts"])
def test_outside_of_a_project_every_command_says_so(tmp_path, name):
    done = run(name, cwd=tmp_path)
    assert done.returncode == 2 and "no project here" in done.stderr and "Traceback" not in done.stderr


def test_without_an_engine_the_next_move_is_named(tmp_path):
    (tmp_path / "compose.yaml").write_text("services: {a: {image: b}}\n")
    done = run("up", cwd=tmp_path, DOCKER_HOST=f"unix://{tmp_path}/none.sock")
    assert done.returncode == 1 and "no Docker engine answers" in done.stderr and "doctor --fix" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(("file", "text", "said"), [
    ("compose.yaml", "services:\n  a: {image: b\n", "compose.yaml:"),
    ("compose.yaml", "services:\n\ta: b\n", "compose.yaml:2"),
    ("compose.yaml", "- a\n", "is a mapping"),
    ("devenv.toml", "[up]\ntimeout = 3\n", "did you mean `up.timeout_s`"),
    ("devenv.toml", "[up\n", "not valid TOML"),
])
def test_a_broken_file_is_named_with_its_place_and_nothing_is_changed(tmp_path, file, text, said):
    project = tmp_path / "with space and ü"
    project.mkdir()
    (project / "compose.yaml").write_text("services: {a: {image: b}}\n")
    (project / file).write_text(text)
    done = run("up", cwd=project)
    assert done.returncode == 2 and said in done.stderr and "Traceback" not in done.stderr


def test_a_name_that_no_service_has_comes_with_a_suggestion(tmp_path):
    (tmp_path / "compose.yaml").write_text("services: {redis: {image: 'redis:8'}}\n")
    done = run("up", "rediss", cwd=tmp_path)
    assert done.returncode == 2 and "did you mean `redis`" in done.stderr


def test_errors_are_json_where_json_was_asked_for(tmp_path):
    import json

    done = run("status", "--json", cwd=tmp_path)
    data = json.loads(done.stdout)
    assert done.returncode == 2 and data["kind"] == "error" and data["version"] == 1 and data["hint"]
