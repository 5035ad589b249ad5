import subprocess
import sys

import pytest

from devenv.steps import Journal, run


def one(context):
    """Do one."""
    context.append("one")


def two(context):
    """Do two."""
    context.append("two")


def bad(context):
    """Do badly."""
    raise RuntimeError("no")


def test_steps_run_in_order_and_are_reported_by_their_docstrings(tmp_path, capsys):
    context = []
    run("x", (one, two), context, Journal(tmp_path / "j"))
    assert context == ["one", "two"]
    assert [line.split(" 0.")[0] for line in capsys.readouterr().err.splitlines()] == ["✓ Do one", "✓ Do two"]


def test_a_finished_run_leaves_nothing_unfinished(tmp_path):
    journal = Journal(tmp_path / "j")
    run("x", (one,), [], journal)
    assert journal.unfinished() is None


def test_a_failed_run_names_the_step(tmp_path):
    journal = Journal(tmp_path / "j")
    with pytest.raises(RuntimeError):
        run("x", (one, bad), [], journal)
    assert journal.unfinished() == "bad"


def test_a_killed_run_names_the_step(tmp_path):
    script = ("import sys; from pathlib import Path; from devenv.steps import Journal, run\n"
              "def first(c): 'First.'\ndef second(c): 'Second.'\n"
              "run('x', (first, second), None, Journal(Path(sys.argv[1])))")
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path / "j")], check=False, capture_output=True,
                          env={"DEVENV_FAILPOINT": "second:before", "PATH": ""})
    assert done.returncode == -9
    assert Journal(tmp_path / "j").unfinished() == "second"


def test_a_journal_torn_in_mid_write_is_no_trouble(tmp_path):
    (tmp_path / "j").write_text('{"step": "a"}\n{"ste')
    assert Journal(tmp_path / "j").unfinished() is None
