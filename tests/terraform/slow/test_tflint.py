"""tflint over all of `terraform/`, with every rule of its Terraform plugin; the program takes minutes to build once."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from devenv.doctor.programs import ensure_programs
from devenv.engine import Engine
from devenv.shell import Runner
from tests.terraform.workspace import REPOSITORY, workspace


@pytest.fixture(scope="session", autouse=True)
def _tflint_is_there(tmp_path_factory: pytest.TempPathFactory) -> None:
    ensure_programs(["tflint"], Runner(), Engine(), tmp_path_factory.mktemp("logs"))


def issues(terraform: Path) -> set[str]:
    config = REPOSITORY / "terraform" / ".tflint.hcl"
    argv = ["tflint", "--recursive", f"--chdir={terraform}", f"--config={config}", "--format=json"]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=120, check=False)
    report = json.loads(done.stdout)
    assert not report["errors"], report["errors"]
    return {f"{one['range']['filename']}:{one['range']['start']['line']} {one['rule']['name']}"
            for one in report["issues"]}


def test_nothing_is_found() -> None:
    assert issues(REPOSITORY / "terraform") == set()


def test_an_unused_variable_is_found(tmp_path: Path) -> None:
    terraform = workspace(tmp_path).path / "terraform"
    file = terraform / "modules" / "redis" / "variables.tf"
    file.write_text(file.read_text() + '\nvariable "idle" {\n  type        = string\n  description = "Idle."\n}\n')
    assert any("terraform_unused_declarations" in one for one in issues(terraform))
