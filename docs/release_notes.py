"""What CHANGELOG.md says of a version, for its release: `python docs/release_notes.py v0.1.0`.

Ends with 1 where the tag is not the version of the package, or where the changes are not written down.
"""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def version() -> str:
    """The version of the package, from the one place where it stands."""
    text = (ROOT / "devenv" / "__init__.py").read_text()
    return re.search(r'^__version__ = "(.+)"$', text, re.MULTILINE)[1]


def notes(tag: str, changelog: str, current: str) -> str:
    """The section of `tag` in the changelog; raises ValueError that says what does not fit."""
    wanted = tag.removeprefix("v")
    if wanted != current:
        raise ValueError(f"the tag {tag} is not the version in devenv/__init__.py, {current}: "
                         f"set `__version__ = \"{wanted}\"`, or tag v{current}")
    found = re.search(rf"^## {re.escape(wanted)}\n(.*?)(?=^## |\Z)", changelog, re.MULTILINE | re.DOTALL)
    if found is None or not found[1].strip():
        raise ValueError(f"CHANGELOG.md says nothing under `## {wanted}`: write what changes for users")
    return found[1].strip() + "\n"


if __name__ == "__main__":
    try:
        sys.stdout.write(notes(sys.argv[1], (ROOT / "CHANGELOG.md").read_text(), version()))
    except ValueError as problem:
        sys.exit(f"error: {problem}")
