"""Which images the plugin's containers ran, told to `devenv test`, which writes it into the receipt."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

# The file to add to; unset where nobody asks.
VARIABLE = "DEVENV_TEST_RAN"


@dataclass(frozen=True)
class Ran:
    """A container that a test was given."""

    project: str
    service: str
    image_id: str


def note(project: str, service: str, image_id: str) -> None:
    """Add a line; several workers may do so at once."""
    if path := os.environ.get(VARIABLE):
        line = json.dumps({"project": project, "service": service, "image_id": image_id}) + "\n"
        with Path(path).open("a") as file:
            file.write(line)


def read(path: Path) -> tuple[Ran, ...]:
    """All that was noted."""
    lines = path.read_text().splitlines() if path.exists() else []
    return tuple(Ran(**json.loads(line)) for line in lines)
