from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.other_project import OtherProject


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OtherProject]:
    """A project with one backend, for all tests of a module; its path has what paths should not need to avoid."""
    made = OtherProject(tmp_path_factory.mktemp("a project ü"))
    yield made
    made.end()
    made.wait_until_gone()


@pytest.fixture
def fresh_project(tmp_path: Path) -> Iterator[OtherProject]:
    """A project with one backend, for one test."""
    made = OtherProject(tmp_path / "fresh project")
    yield made
    made.end()
    made.wait_until_gone()
