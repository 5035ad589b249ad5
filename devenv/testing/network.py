"""A network for each set: services find each other by name there, and nobody else finds them."""

from __future__ import annotations

from devenv.engine import Engine, EngineError
from devenv.errors import DevenvError
from devenv.testing.labels import PROJECT, SET


def make_network(engine: Engine, project: str, set_id: str) -> None:
    """Make the set's network, unless it is there; raises DevenvError where the engine has no addresses left."""
    if engine.get("/networks", filters={"name": [f"^{set_id}$"]}):
        return
    try:
        engine.post("/networks/create", {"Name": set_id, "Labels": {PROJECT: project, SET: set_id}})
    except EngineError as refusal:
        raise DevenvError(f"no network for the test set: {refusal.message}",
                          "`docker network prune` frees those that nothing uses") from None
