"""The whole of test.yml, read from its YAML and run in a clean clone: `make test-workflows`."""

from tests.workflows.runner import Run, run_job


def test_the_steps_of_the_test_workflow_pass(tmp_path):
    run = Run(tmp_path / "work", tmp_path / "runner")
    run.temporary.mkdir()
    run_job(run, "test", "test")
    assert [line for line in run.done if "devenv" in line] == [
        f".venv/bin/devenv test {suite}" for suite in ("lint", "unit", "contract")
    ]
