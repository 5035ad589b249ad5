"""What a release says: the changelog's section of its own version, and of no other."""

import importlib.util
from pathlib import Path

import pytest

from devenv import __version__

FILE = Path(__file__).parents[2] / "docs" / "release_notes.py"
CHANGES = "# Changes\n\n## 1.1.0\n\n- Newer.\n\n## 1.0.0\n\n- First.\n"


@pytest.fixture(scope="module")
def module():
    spec = importlib.util.spec_from_file_location("release_notes", FILE)
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


def test_the_version_stands_in_one_place(module):
    assert module.version() == __version__


@pytest.mark.parametrize(("version", "said"), [("1.1.0", "- Newer.\n"), ("1.0.0", "- First.\n")])
def test_a_release_has_the_section_of_its_version(module, version, said):
    assert module.notes(f"v{version}", CHANGES, version) == said


def test_a_tag_of_another_version_is_refused(module):
    with pytest.raises(ValueError, match="v1.0.0 is not the version"):
        module.notes("v1.0.0", CHANGES, "1.1.0")


@pytest.mark.parametrize("changelog", ["# Changes\n", "## 1.2.0\n\n## 1.1.0\n\n- Older.\n"])
def test_a_version_without_a_word_is_refused(module, changelog):
    with pytest.raises(ValueError, match="says nothing under"):
        module.notes("v1.2.0", changelog, "1.2.0")
