"""Heal what a killed Compose leaves behind.

While it replaces a container, Compose gives one of the two the name `<12 hex digits>_<name>`: the new one
until the old one is gone (v2), or the old one (v1). Killed in between, the next `docker compose up` meets
a name that is taken.
"""

from __future__ import annotations

import re

from devenv.engine import Engine
from devenv.runtimes.containers import observe

_RENAMED = re.compile(r"^[0-9a-f]{12}_(?P<name>.+)$")


def heal(engine: Engine, project: str) -> list[str]:
    """Give a renamed container its name back, or remove it where its successor exists; returns what was done."""
    everything = [one for containers in observe(engine, project).values() for one in containers]
    names = {one.name for one in everything}
    done = []
    for one in everything:
        match = _RENAMED.match(one.name)
        if not match:
            continue
        if match["name"] in names:
            engine.delete(f"/containers/{one.identity}", force=1)
            done.append(f"removed `{one.name}`, which `{match['name']}` had replaced")
        else:
            engine.post(f"/containers/{one.identity}/rename", name=match["name"])
            names.add(match["name"])
            done.append(f"renamed `{one.name}` back to `{match['name']}`")
    return done
