from __future__ import annotations

import shutil

import pytest

from tests.terraform.workspace import Workspace, workspace


@pytest.fixture(scope="session", autouse=True)
def _terraform_is_there() -> None:
    if shutil.which("terraform") is None:
        pytest.fail(
            "`terraform` is not installed, and these tests are about nothing else. "
            "`devenv test terraform` builds it from packages; or install Terraform 1.11 or newer, then run them again.",
            pytrace=False,
        )


@pytest.fixture(scope="session")
def modules(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A copy in which `terraform test` is ready to run."""
    copy = workspace(tmp_path_factory.mktemp("modules"))
    copy.init("tests")
    return copy
