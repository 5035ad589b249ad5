"""Snapshots: the data of all backends together, of one moment, under a name."""

from devenv.snapshots.manifest import Part, Snapshot
from devenv.snapshots.restore import check, restore
from devenv.snapshots.save import save
from devenv.snapshots.store import delete, find, load

__all__ = ["Part", "Snapshot", "check", "delete", "find", "load", "restore", "save"]
