"""The workflows: clean by the linters, tied to commands that exist, and one set of digests from build to deployment."""

import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.workflows.expressions import evaluate, substitute
from tests.workflows.files import FOLDER, ROOT, actions, load, steps, workflows
from tests.workflows.stand_ins import STAND_INS

STEPS = list(steps())
RUNS = [step for step in STEPS if "run" in step.body]
# Actions that reach GitHub, AWS or PyPI: there is nothing here that could stand in for them.
ELSEWHERE = {"aws-actions/configure-aws-credentials", "pypa/gh-action-pypi-publish"}
# Programs of the runner's image, besides the shell's own words.
PROGRAMS = {"aws", "cat", "cosign", "docker", "echo", "gh", "go", "helm", "kubectl", "mkdir", "terraform", "tr"}


def environment():
    """Ours, with the programs of this environment and of devenv's folder."""
    from devenv.doctor.programs import folder

    path = [str(Path(sys.executable).parent), os.environ["PATH"], str(folder())]
    return {**os.environ, "PATH": os.pathsep.join(path)}


@pytest.mark.parametrize("words", [("actionlint",), ("zizmor", "--offline", "--no-progress", "--quiet", ".")],
                         ids=lambda words: words[0])
def test_linters_have_nothing_to_say(words):
    program = shutil.which(words[0], path=environment()["PATH"])
    assert program, f"`{words[0]}` is missing: run `devenv test contract`, which builds it"
    done = subprocess.run([program, *words[1:]], cwd=ROOT, env=environment(), capture_output=True, text=True,
                          check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_linter_sees_shell_scripts(tmp_path):
    """actionlint passes over `run:` in silence where it finds no shellcheck."""
    folder = tmp_path / ".github" / "workflows"
    folder.mkdir(parents=True)
    job = {"runs-on": "ubuntu-24.04", "steps": [{"run": "rm -rf $UNQUOTED/*"}]}
    (folder / "bad.yml").write_text(__import__("json").dumps({"on": "push", "jobs": {"one": job}}))
    done = subprocess.run(["actionlint", str(folder / "bad.yml")], cwd=tmp_path, env=environment(),
                          capture_output=True, text=True, check=False)
    assert done.returncode == 1 and "SC2086" in done.stdout, done.stdout + done.stderr


@pytest.mark.parametrize("name", workflows())
def test_a_workflow_grants_nothing_at_its_top_and_ends_in_time(name):
    workflow = workflows()[name]
    assert workflow["name"] == name and workflow["permissions"] == {}
    assert not set(workflow["on"]) & {"pull_request_target", "workflow_run", "issue_comment"}
    if set(workflow["on"]) - {"workflow_call"}:
        assert "concurrency" in workflow
    if any("run" in step for body in workflow["jobs"].values() for step in body.get("steps", [])):
        # Without it, GitHub's bash passes over a failure before a pipe.
        assert workflow["defaults"]["run"]["shell"] == "bash"
    for job, body in workflow["jobs"].items():
        assert "permissions" in body, f"{job} grants by default"
        if "steps" in body:
            assert body["timeout-minutes"] <= 90, job


@pytest.mark.parametrize("path", sorted((ROOT / ".github").rglob("*.yml")), ids=lambda path: path.name)
def test_actions_are_pinned_to_a_commit_with_its_version(path):
    for line in re.findall(r"uses: (.*)", path.read_text()):
        pinned = re.fullmatch(r"[\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", line)
        assert pinned or line.startswith("./.github/"), line


def test_one_action_has_one_version():
    pins = {}
    for step in STEPS:
        name, _, commit = step.body.get("uses", "").partition("@")
        pins.setdefault(name, set()).add(commit)
    assert not {name: commits for name, commits in pins.items() if len(commits) > 1}


@pytest.mark.parametrize("step", [step for step in STEPS if "actions/checkout@" in step.body.get("uses", "")], ids=str)
def test_a_checkout_keeps_no_credentials(step):
    assert step.body["with"]["persist-credentials"] == "false" or step.body["with"]["persist-credentials"] is False


@pytest.mark.parametrize("step", STEPS, ids=str)
def test_every_action_has_a_stand_in_or_a_reason(step):
    name = step.body.get("uses", "run").partition("@")[0]
    assert name == "run" or name in STAND_INS or name in ELSEWHERE or name in actions()


@pytest.mark.parametrize("step", RUNS, ids=str)
def test_a_step_runs_commands_that_a_person_can_type(step):
    script = step.body["run"]
    assert "${{" not in script, "give it by `env:`: what GitHub pastes into a script is run"
    for words in commands(script):
        check(words)


def commands(script):
    """The simple commands of a script, without redirections and without what is inside `$(...)` on its own."""
    lexer = shlex.shlex(script.replace("\\\n", " "), posix=True, punctuation_chars="|&;<>()\n")
    lexer.whitespace, lexer.whitespace_split, lexer.commenters = " \t", True, ""
    words, skip = [], False
    for token in lexer:
        if set(token) <= set("|&;()\n"):
            if words:
                yield words
            words = []
        elif set(token) <= set("<>"):
            skip = True
        elif skip:
            skip = False
        else:
            words.append(token)
    if words:
        yield words
    for inner in re.findall(r"\$\(([^()]*)\)", script):
        yield from commands(inner)


def check(words):
    program, arguments = words[0], words[1:]
    if program == ".venv/bin/devenv":
        parse(arguments)
    elif program == ".venv/bin/zizmor":
        assert (Path(sys.executable).parent / "zizmor").is_file() and arguments[-1] == "."
    elif program == "make":
        assert re.search(rf"^{re.escape(arguments[0])}:", (ROOT / "Makefile").read_text(), re.MULTILINE), arguments
    elif program == ".venv/bin/python":
        if arguments[0] == "-m":
            assert __import__("importlib.util").util.find_spec(arguments[1]), arguments
        else:
            assert (ROOT / arguments[0]).is_file(), arguments
    else:
        assert program in PROGRAMS, f"`{program}` is neither ours nor in the runner's image"


def parse(arguments):
    """Let devenv read its own command line, without doing anything; variables stand for a word."""
    from devenv.cli.main import App, cli

    words = [re.sub(r"\$\{?\w+[^}\s]*\}?", "word", word) for word in arguments]
    root = cli.make_context("devenv", words[:], resilient_parsing=True)
    root.obj = App(directory=ROOT, debug=False)
    name, command, rest = cli.resolve_command(root, words)
    with command.make_context(name, rest, parent=root) as context:
        if name == "test":
            known = tomllib.loads((ROOT / "devenv.toml").read_text())["test"]
            assert set(context.params["names"]) <= set(known), words


@pytest.mark.parametrize("arguments", [["biuld"], ["build", "--psuh", "x"], ["test", "untit"]], ids=" ".join)
def test_the_check_of_commands_finds_a_mistake(arguments):
    import click

    with pytest.raises((click.ClickException, AssertionError)):
        check([".venv/bin/devenv", *arguments])


def test_commands_are_found_between_pipes_and_redirections():
    script = 'echo "$A" | docker login "${R%%/*}" --password-stdin\n.venv/bin/devenv build > "x y" && make docs'
    assert [words[0] for words in commands(script)] == ["echo", "docker", ".venv/bin/devenv", "make"]


def test_every_suite_is_run_by_a_workflow():
    known = set(tomllib.loads((ROOT / "devenv.toml").read_text())["test"])
    tests = [words[2:] for step in RUNS for words in commands(step.body["run"]) if words[1:2] == ["test"]]
    seen = {word for words in tests for word in words}
    assert known <= seen


@pytest.mark.parametrize(("workflow", "built", "name"), [
    ("ci", "build", "integration"), ("ci", "build", "e2e-kind"), ("release", "images", "integration"),
])
def test_what_is_tested_is_what_was_built(workflow, built, name):
    jobs = workflows()[workflow]["jobs"]
    assert jobs[built]["uses"] == "./.github/workflows/build.yml" and jobs[name]["uses"].endswith(f"/{name}.yml")
    assert built in jobs[name]["needs"]
    assert jobs[name]["with"]["images"] == f"${{{{ needs.{built}.outputs.images }}}}"
    scripts = [step.body["run"] for step in RUNS if step.workflow == name]
    assert "echo \"$IMAGES\" > images.json" in scripts and ".venv/bin/devenv build --from images.json" in scripts
    assert load(FOLDER / f"{name}.yml")["jobs"][name]["env"]["IMAGES"] == "${{ inputs.images }}"


@pytest.mark.parametrize(("push", "commands_run"), [
    (True, ["echo", "docker", ".venv/bin/devenv", "echo", "tr"]), (False, [".venv/bin/devenv"]),
])
def test_a_pull_request_builds_and_pushes_nothing(push, commands_run):
    context = {**CONTEXT, "inputs": {"push": push}}
    assert evaluate(workflows()["build"]["jobs"]["sign"]["if"], context) == push
    chosen = [step for step in RUNS if (step.workflow, step.job) == ("build", "build")
              and evaluate(step.body.get("if", "true"), context)]
    assert [words[0] for step in chosen for words in commands(step.body["run"])] == commands_run
    assert any("--push" in step.body["run"] for step in chosen) == push


def test_images_are_built_in_one_place():
    building = [step for step in RUNS if ".venv/bin/devenv build" in step.body["run"]
                and "--from" not in step.body["run"]]
    assert {step.workflow for step in building} == {"build"}


def test_what_is_scanned_each_week_is_what_main_has_pushed():
    """Whoever opens a pull request may upload an artifact of any name: only a push to main counts."""
    ours = [words for step in RUNS if (step.workflow, step.job) == ("security", "images")
            for words in commands(step.body["run"])]
    [listed] = [words for words in ours if words[:3] == ["gh", "run", "list"]]
    assert " --workflow ci.yml --branch main --event push --status success " in " ".join(listed)
    [downloaded] = [words for words in ours if words[:3] == ["gh", "run", "download"]]
    [uploaded] = [step.body for step in STEPS
                  if step.workflow == "build" and "/upload-artifact@" in step.body.get("uses", "")]
    assert downloaded[3:] == ["$RUN", "--name", uploaded["with"]["name"]] and uploaded["if"] == "inputs.push"
    assert [".venv/bin/devenv", "scan", "--from", uploaded["with"]["path"]] in ours


def test_a_receipt_is_signed_for_the_images_that_passed_everything():
    jobs = workflows()["ci"]["jobs"]
    assert {"build", "e2e-kind", "integration", "test"} <= set(jobs["receipt"]["needs"])
    assert jobs["receipt"]["env"]["IMAGES"] == "${{ needs.build.outputs.images }}"


def test_a_job_that_can_sign_or_publish_runs_nothing_of_an_earlier_run():
    for name, workflow in workflows().items():
        for job, body in workflow["jobs"].items():
            if "id-token" in body["permissions"] and "steps" in body:
                setups = [step for step in body["steps"] if step.get("uses") == "./.github/actions/setup"]
                assert all(step["with"]["cache"] == "" for step in setups), f"{name}: {job}"


def test_what_is_deployed_was_built_and_tested_in_the_same_run():
    job = workflows()["ci"]["jobs"]["staging"]
    assert job["uses"] == "./.github/workflows/deploy.yml" and {"build", "receipt"} <= set(job["needs"])
    assert job["with"]["images"] == "${{ needs.build.outputs.images }}"
    assert job["if"].startswith("github.event_name == 'push' && ")


@pytest.mark.parametrize(("images", "words"), [
    ("{}", [["build", "--from", "images.json"], ["promote", "$ENVIRONMENT", "--yes"]]),
    ("", [["promote", "$ENVIRONMENT", "--from", "staging", "--yes"]]),
])
def test_a_deployment_takes_tested_images_or_what_staging_runs(images, words):
    context = {**CONTEXT, "inputs": {"images": images, "environment": "any"}}
    chosen = [step for step in RUNS if step.workflow == "deploy" and evaluate(step.body.get("if", "true"), context)]
    ours = [one for step in chosen for one in commands(step.body["run"]) if one[0] == ".venv/bin/devenv"]
    assert [one[1:] for one in ours] == words


def test_a_deployment_is_never_cut_off_and_waits_behind_its_environment():
    deploy = workflows()["deploy"]
    assert deploy["concurrency"] == {"group": "deploy-${{ inputs.environment }}", "cancel-in-progress": False}
    assert deploy["jobs"]["deploy"]["environment"] == "${{ inputs.environment }}"


def test_every_artifact_that_is_downloaded_is_uploaded_before():
    def named(action, workflow):
        return {step.body["with"]["name"] for step in STEPS
                if step.workflow == workflow and f"/{action}@" in step.body.get("uses", "")}

    for name, workflow in workflows().items():
        if set(workflow["on"]) - {"workflow_call", "workflow_dispatch"}:
            called = {name} | {Path(job["uses"]).stem for job in workflow["jobs"].values() if "uses" in job}
            wanted = set().union(*(named("download-artifact", one) for one in called))
            assert wanted <= set().union(*(named("upload-artifact", one) for one in called)), name


def test_a_release_publishes_what_passed():
    jobs = workflows()["release"]["jobs"]
    assert jobs["dist"]["env"]["IMAGES"] == "${{ needs.images.outputs.images }}"
    assert {"dist", "integration", "test"} <= set(jobs["pypi"]["needs"]) and jobs["github"]["needs"] == "pypi"
    assert {"id-token"} == set(jobs["pypi"]["permissions"])


# ---- the runner's own parts

CONTEXT = {"inputs": {"push": True, "images": "", "name": "a"}, "steps": {}, "needs": {}, "github": {"ref": "r"},
           "functions": {"failure": False, "success": True}}


@pytest.mark.parametrize(("expression", "value"), [
    ("inputs.push", True), ("${{ !inputs.push }}", False), ("inputs.images != ''", False), ("failure()", False),
    ("success() && inputs.name == 'a'", True), ("(inputs.name == 'b') || inputs.push", True), ("steps.x.outputs.y", ""),
])
def test_expressions_are_evaluated(expression, value):
    assert evaluate(expression, CONTEXT) == value


@pytest.mark.parametrize("expression", ["inputs.other", "secrets.KEY", "hashFiles()", "inputs.push }", "a ==", "1 > 0"])
def test_an_expression_that_is_not_understood_is_an_error(expression):
    with pytest.raises((ValueError, IndexError)):
        evaluate(expression, CONTEXT)


def test_expressions_in_a_text_are_replaced():
    assert substitute("a-${{ github.ref }}-${{ inputs.push }}", CONTEXT) == "a-r-true"
