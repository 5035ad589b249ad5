"""How the containers, networks and volumes of a test set are told from all others at the engine."""

from __future__ import annotations

PROJECT = "devenv.project"  # the checkout's name, as Compose knows it
SET = "devenv.set"  # the set it belongs to, unique on this engine
NAME = "devenv.name"  # the service or backend it runs
