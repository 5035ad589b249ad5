"""MongoDB, or what speaks its protocol."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from pymongo import AsyncMongoClient
from pymongo.asynchronous.database import AsyncDatabase

from servicekit.settings import MongodbSettings

Database = AsyncDatabase[dict[str, Any]]


def options(name: str) -> dict[str, Any]:
    """Client options: give up in seconds, and acknowledge only what is on disk."""
    return {
        "appname": name,
        "tz_aware": True,
        "serverSelectionTimeoutMS": 3000,
        "connectTimeoutMS": 2000,
        "socketTimeoutMS": 8000,
        "waitQueueTimeoutMS": 3000,
        "w": "majority",
        "journal": True,
        # DocumentDB refuses retryable writes; ours may be repeated by whoever asked for them.
        "retryWrites": False,
    }


@asynccontextmanager
async def connected(settings: MongodbSettings, name: str) -> AsyncIterator[Database]:
    """The service's database; connections are made when first needed."""
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(
        settings.mongodb_url.get_secret_value(), **options(name)
    )
    try:
        yield client[settings.mongodb_database]
    finally:
        await client.close()


async def check(database: Database) -> None:
    """A real read, which also needs the password to be right."""
    await database["readiness"].find_one({"_id": "none"})
