"""The project's test suites: which there are, how they end, and the receipt for a run of them."""

from devenv.suites.choice import suites
from devenv.suites.outcome import Outcome
from devenv.suites.run import run

__all__ = ["Outcome", "run", "suites"]
