"""Where an image comes from: provenance, tests and bill of materials, attached to its digest and signed."""

from devenv.supply.verify import Verdict, verify

__all__ = ["Verdict", "verify"]
