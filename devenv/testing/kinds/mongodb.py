"""MongoDB, and what speaks its protocol (FerretDB)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

from devenv.testing.handles import HOST, Backend

MARK = "devenv_mark"


@dataclass(frozen=True)
class Mongodb(Backend):
    """A MongoDB server; isolated by a database."""

    kind: ClassVar[str] = "mongodb"
    library: ClassVar[str] = "pymongo"
    package: ClassVar[str] = "pymongo"
    default_port: ClassVar[int] = 27017

    @property
    def url(self) -> str:
        """`mongodb://user:password@127.0.0.1:PORT/?directConnection=true`."""
        # Direct: a replica set of one would send its clients to a name that only containers know.
        return f"mongodb://{self._login()}{HOST}:{self.port}/?directConnection=true"

    def client(self, **options: Any) -> Any:
        """A `pymongo.MongoClient`."""
        return self.module().MongoClient(self.url, **options)

    def async_client(self, **options: Any) -> Any:
        """A `pymongo.AsyncMongoClient`."""
        return self.module().AsyncMongoClient(self.url, **options)

    @staticmethod
    def isolation(name: str) -> dict[str, str]:
        """A database."""
        return {"MONGODB_DATABASE": name}

    def mark(self) -> dict[str, Any]:
        """A document of ours, and the names of the databases that there are."""
        self._own[MARK].marks.replace_one({"_id": "mark"}, {"_id": "mark", "seen": 0}, upsert=True)
        return {"databases": sorted(self._own.list_database_names())}

    def damage(self, baseline: Mapping[str, Any]) -> str:
        """Writes to the mark, and looks whether a database is gone."""
        if not self._own[MARK].marks.update_one({"_id": "mark"}, {"$inc": {"seen": 1}}).matched_count:
            return "its data was deleted"
        lost = set(baseline["databases"]) - set(self._own.list_database_names())
        return f"the database `{min(lost)}` was dropped" if lost else ""

    def clean(self, name: str) -> None:
        """Drop the database."""
        self._own.drop_database(name)

    def close(self) -> None:
        """Close the plugin's own connection."""
        if client := self.__dict__.pop("_own", None):
            client.close()

    @cached_property
    def _own(self) -> Any:
        return self.client(serverSelectionTimeoutMS=5000, connectTimeoutMS=5000, socketTimeoutMS=10000,
                           appname="devenv")

    def _inferred(self) -> tuple[str, str]:
        return (self.said("MONGO_INITDB_ROOT_USERNAME", "MONGODB_ROOT_USER", "FERRETDB_USER"),
                self.said("MONGO_INITDB_ROOT_PASSWORD", "MONGODB_ROOT_PASSWORD", "FERRETDB_PASSWORD"))
