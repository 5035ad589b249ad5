"""Form: the same files everywhere, formatted, valid, and both environments alike."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from devenv.terraform import rehearsal
from tests.terraform.workspace import REPOSITORY, Workspace, workspace

TERRAFORM = REPOSITORY / "terraform"
ROOTS = ["bootstrap", "envs/production", "envs/staging"]
FOLDERS = [*ROOTS, *(f"modules/{path.name}" for path in sorted((TERRAFORM / "modules").iterdir()))]


@pytest.fixture(scope="session")
def roots(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return workspace(tmp_path_factory.mktemp("roots"))


def blocks(path: Path, kind: str) -> dict[str, str]:
    """Top-level blocks of one kind in a file, by name; relies on `terraform fmt`, which another test demands."""
    return dict(re.findall(rf'^{kind} "(\w+)" {{\n(.*?)^}}', path.read_text(), re.MULTILINE | re.DOTALL))


def test_files_are_formatted(roots: Workspace) -> None:
    roots.must(".", "fmt", "-check", "-recursive", "-no-color")


@pytest.mark.parametrize("root", ROOTS)
def test_roots_are_valid(roots: Workspace, root: str) -> None:
    roots.init(root, "-backend=false")
    roots.must(root, "validate", "-no-color")


@pytest.mark.parametrize("folder", FOLDERS)
def test_folders_have_the_standard_files(folder: str) -> None:
    names = {path.name for path in (TERRAFORM / folder).iterdir()}
    assert {"main.tf", "variables.tf", "outputs.tf", "versions.tf"} <= names


@pytest.mark.parametrize("folder", FOLDERS)
def test_variables_are_typed_and_described(folder: str) -> None:
    variables = blocks(TERRAFORM / folder / "variables.tf", "variable")
    assert variables
    for name, body in variables.items():
        assert re.search(r"^  description = \"", body, re.MULTILINE), f"{folder}: {name} has no description"
        assert re.search(r"^  type +=", body, re.MULTILINE), f"{folder}: {name} has no type"


@pytest.mark.parametrize("folder", FOLDERS)
def test_outputs_are_described(folder: str) -> None:
    outputs = blocks(TERRAFORM / folder / "outputs.tf", "output")
    assert outputs
    for name, body in outputs.items():
        assert re.search(r"^  description = \"", body, re.MULTILINE), f"{folder}: {name} has no description"


def test_environments_have_the_same_outputs_and_variables() -> None:
    staging, production = TERRAFORM / "envs" / "staging", TERRAFORM / "envs" / "production"
    assert list(blocks(staging / "outputs.tf", "output")) == ["cluster", "registry_url", "backends", "dns"]
    for name in ["outputs.tf", "variables.tf"]:
        assert (staging / name).read_text() == (production / name).read_text()


def test_no_terraform_runs_programs_or_uses_workspaces() -> None:
    for path in TERRAFORM.rglob("*.tf"):
        found = re.findall(r"local-exec|remote-exec|terraform\.workspace|null_resource", path.read_text())
        assert not found, f"{path.relative_to(REPOSITORY)}: {found}"


def test_a_rehearsal_lists_what_it_leaves_out() -> None:
    text = (TERRAFORM / "modules" / "platform" / "main.tf").read_text()
    switched = re.findall(r'source += "\.\./([a-z-]+)"\n +for_each = local\.managed', text)
    assert tuple(sorted(switched)) == rehearsal.left_out(TERRAFORM)


def test_one_file_says_the_version_of_kubernetes() -> None:
    assert re.fullmatch(r"1\.\d\d", json.loads((REPOSITORY / "k8s" / "versions.json").read_text())["kubernetes"])
    said = [path for path in TERRAFORM.rglob("*.tf") if re.search(r'kubernetes_version\s*=\s*"1\.', path.read_text())]
    assert said == []
