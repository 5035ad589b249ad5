"""The examples of the guides run as they stand."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.integration.other_project import OtherProject, counts

GUIDES = Path(__file__).parents[2] / "docs" / "guides"


@pytest.mark.parametrize(("guide", "expected"), [("testing-without-devenv.md", 2), ("testing.md", 2)])
def test_examples_of_the_guide_pass(fresh_project: OtherProject, guide: str, expected: int) -> None:
    blocks = re.findall(r"```\w+\n# ([\w.]+)\n(.*?)```", (GUIDES / guide).read_text(), flags=re.DOTALL)
    assert "compose.yaml" in dict(blocks)
    for name, text in blocks:
        fresh_project.write(name, text)
    done = fresh_project.pytest()
    assert counts(done) == {"passed": expected}, done.stdout
