"""Run one job's steps in order in a clean clone, with outputs and environment passed on as GitHub does.

What stands in for each action is written in `tests/workflows/stand_ins.py`; a job that uses another one fails.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.workflows.expressions import evaluate, substitute
from tests.workflows.files import actions, workflows
from tests.workflows.sigstore import GITHUB
from tests.workflows.stand_ins import STAND_INS

# What GitHub gives to `shell: bash`.
BASH = ("bash", "--noprofile", "--norc", "-eo", "pipefail", "-c")
_OURS = ("PATH", "HOME", "LANG", "TMPDIR", "XDG_CACHE_HOME", "DOCKER_HOST", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE",
         "CURL_CA_BUNDLE", "GOPROXY", "GOFLAGS", "NODE_EXTRA_CA_CERTS")


@dataclass
class Run:
    """One job as it runs: where, with what inputs, and what its steps have said so far."""

    workspace: Path
    temporary: Path
    inputs: Mapping[str, Any] = field(default_factory=dict)
    github: Mapping[str, Any] = field(default_factory=dict)
    needs: Mapping[str, Any] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    outputs: dict[str, dict[str, Any]] = field(default_factory=dict)
    done: list[str] = field(default_factory=list)
    failed: bool = False
    workflow: str = ""

    def context(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """What an expression can name."""
        return {
            "inputs": inputs, "github": self.github, "needs": self.needs, "env": self.environment,
            "steps": self.outputs,
            "runner": {"temp": str(self.temporary)},
            "functions": {"failure": self.failed, "always": True, "cancelled": False, "success": not self.failed},
        }


def run_job(run: Run, workflow: str, job: str) -> dict[str, str]:
    """Run the steps of a job; returns the outputs of its workflow. Raises AssertionError at the first failure."""
    whole, run.workflow = workflows()[workflow], workflow
    body = whole["jobs"][job]
    context = run.context(run.inputs)
    run.environment.update({k: substitute(str(v), context) for k, v in body.get("env", {}).items()})
    _steps(run, body["steps"], run.inputs)
    said = {name: substitute(value, context) for name, value in body.get("outputs", {}).items()}
    context["jobs"] = {**run.needs, job: {"outputs": said}}
    declared = (whole["on"].get("workflow_call") or {}).get("outputs", {})
    return {name: substitute(one["value"], context) for name, one in declared.items()}


def _steps(run: Run, steps: list[dict[str, Any]], inputs: Mapping[str, Any]) -> None:
    for step in steps:
        condition = step.get("if", "success()")
        wanted = evaluate(str(condition), run.context(inputs))
        # Without a status function in it, a condition also means `success()`.
        if not wanted or (run.failed and "()" not in str(condition)):
            continue
        if "run" in step:
            _command(run, step, inputs)
        else:
            _action(run, step, inputs)


def _action(run: Run, step: dict[str, Any], inputs: Mapping[str, Any]) -> None:
    name = step["uses"].partition("@")[0]
    given = {key: substitute(str(value), run.context(inputs)) for key, value in step.get("with", {}).items()}
    composite = actions().get(name)
    if composite is not None:
        defaults = {key: one.get("default", "") for key, one in composite.get("inputs", {}).items()}
        _steps(run, composite["runs"]["steps"], {**defaults, **given})
        return
    assert name in STAND_INS, f"no stand-in for `{name}`: write one in tests/workflows/stand_ins.py"
    run.done.append(name)
    run.outputs[step.get("id", name)] = {"outputs": STAND_INS[name](run, given) or {}}


def _command(run: Run, step: dict[str, Any], inputs: Mapping[str, Any]) -> None:
    context = run.context(inputs)
    script = substitute(step["run"], context)
    output = run.temporary / "output"
    output.write_text("")
    done = subprocess.run(
        [*BASH, script], cwd=run.workspace / step.get("working-directory", "."), capture_output=True, text=True,
        check=False, env={
            **{name: os.environ[name] for name in _OURS if name in os.environ},
            **{name: value for name, value in os.environ.items() if name.startswith(("PIP_", "DOCKER_"))},
            **GITHUB, "CI": "true", "GITHUB_WORKSPACE": str(run.workspace),
            "GITHUB_OUTPUT": str(output), "GITHUB_STEP_SUMMARY": str(run.temporary / "summary"),
            "GITHUB_ENV": str(run.temporary / "env"), "RUNNER_TEMP": str(run.temporary),
            "GITHUB_ACTOR": "octocat", **run.environment,
            **{key: substitute(str(value), context) for key, value in step.get("env", {}).items()},
        },
    )
    run.done.append(step["run"])
    if done.returncode:
        run.failed = True
        raise AssertionError(f"`{script}` ended with {done.returncode}:\n{done.stdout[-3000:]}\n{done.stderr[-6000:]}")
    run.environment.update(_pairs(run.temporary / "env"))
    if "id" in step:
        run.outputs[step["id"]] = {"outputs": _pairs(output)}


def _pairs(file: Path) -> dict[str, str]:
    """`NAME=value` lines; the form for several lines is used by none of our steps."""
    lines = file.read_text().splitlines() if file.exists() else []
    assert not any("<<" in line.partition("=")[0] for line in lines), lines
    return dict(line.split("=", 1) for line in lines if line)


def clean_clone(target: Path, source: Path) -> None:
    """What is committed and what would be, as a repository with one commit more."""
    from tests.e2e.checkout import copy_of_the_working_tree

    subprocess.run(["git", "clone", "--quiet", str(source), str(target)], check=True)
    for path in subprocess.run(["git", "ls-files", "-z"], cwd=target, check=True, capture_output=True,
                               text=True).stdout.split("\0"):
        if path and not (source / path).exists():
            (target / path).unlink()
    copy_of_the_working_tree(target)
    identity = ("-c", "user.name=test", "-c", "user.email=test@example.com")
    subprocess.run(["git", "add", "--all"], cwd=target, check=True)
    subprocess.run(["git", *identity, "commit", "--quiet", "--allow-empty", "--message", "as it is now"],
                   cwd=target, check=True)
