"""The documents say what is so."""

import importlib.util
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def test_the_command_reference_is_current():
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "generate.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert (ROOT / "docs" / "reference" / "cli.md").read_text() == module.render(), "run `make docs`"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    text = re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text):
        if "://" not in target:
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_no_word_of_comfort(page):
    found = re.findall(r"\b(simply|just|easy|easily)\b", re.sub(r"`[^`]*`", "", page.read_text()), re.IGNORECASE)
    assert not found, f"{page.name} says {found}"


def test_every_key_of_the_settings_file_is_documented():
    from devenv import config

    text = (ROOT / "docs" / "reference" / "config.md").read_text()
    source = Path(config.__file__).read_text()
    for keys in re.findall(r"_unknown\([^{]*\{([^}]*)\}", source):
        for key in re.findall(r'"(\w+)"', keys):
            assert key in text, f"docs/reference/config.md does not mention `{key}`"


def test_the_readme_names_the_two_commands():
    text = (ROOT / "README.md").read_text()
    assert "\nmake up\n" in text and "\nmake test\n" in text
