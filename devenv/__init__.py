"""Local-first developer environments for teams with several services."""

__version__ = "0.1.0"
