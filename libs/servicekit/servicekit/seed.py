"""`python -m servicekit.seed`: a demo tenant, its key, and a conversation to look at. May run again; local only.

Prints `export DEMO_API_KEY=...` on stdout and nothing else; the key is DEMO_API_KEY where that is set, else a new one.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import sys
from datetime import UTC, datetime
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from pydantic import SecretStr
from pymongo import MongoClient
from pymongo.database import Database
from pymongo.errors import PyMongoError

from servicekit.mongodb import options
from servicekit.settings import MongodbSettings, SettingsError

TENANT = "demo"
TITLE = "Welcome"
MESSAGES = (
    ("ada", "Hello! This conversation came with `devenv seed`."),
    ("grace", "Post to it, and everyone who follows it sees the message at once."),
    ("ada", "Edit a service's code while it runs: the next request is served by the new code."),
)


class Settings(MongodbSettings):
    """Where keys are kept, where messages are written, and the key to use."""

    messaging_url: str
    demo_api_key: SecretStr | None = None
    demo_rate_per_minute: int = 6000


def put_key(database: Database[dict[str, Any]], key: str, rate_per_minute: int) -> None:
    """Make `key` the tenant's only demo key."""
    document = {
        "_id": hashlib.sha256(key.encode()).hexdigest(),
        "tenant_id": TENANT,
        "name": "demo",
        "rate_per_minute": rate_per_minute,
        "created_at": datetime.now(UTC),
        "revoked_at": None,
    }
    database["api_keys"].replace_one({"_id": document["_id"]}, document, upsert=True)
    database["api_keys"].delete_many({"tenant_id": TENANT, "name": "demo", "_id": {"$ne": document["_id"]}})


def post(settings: Settings, path: str, body: dict[str, Any], idempotency_key: str = "") -> dict[str, Any]:
    """The messaging service's answer."""
    headers = {"X-Tenant-Id": TENANT, "X-Request-Id": "seed", "Content-Type": "application/json"}
    if idempotency_key:
        headers["Idempotency-Key"] = idempotency_key
    with urlopen(Request(settings.messaging_url + path, json.dumps(body).encode(), headers), timeout=15) as answer:
        found: dict[str, Any] = json.load(answer)
    return found


def put_conversation(database: Database[dict[str, Any]], settings: Settings) -> None:
    """Make the conversation unless it is there; its messages are written once by their idempotency keys."""
    there = database["conversations"].find_one({"tenant_id": TENANT, "title": TITLE})
    conversation_id = there["_id"] if there else post(settings, "/v1/conversations", {"title": TITLE})["id"]
    for sender, text in MESSAGES:
        message = {"conversation_id": conversation_id, "sender": sender, "text": text}
        said = hashlib.sha256(text.encode()).hexdigest()[:8]
        post(settings, "/v1/messages", message, f"seed-{conversation_id}-{said}")


def main() -> int:
    """Seed, print the key, and return the exit code."""
    try:
        settings = Settings.load()
    except SettingsError as error:
        print(f"seed: {error}", file=sys.stderr)
        return 2
    given = settings.demo_api_key
    key = given.get_secret_value() if given else f"demo-{secrets.token_urlsafe(24)}"
    url = settings.mongodb_url.get_secret_value()
    try:
        with MongoClient[dict[str, Any]](url, **options("seed")) as client:
            database = client[settings.mongodb_database]
            put_key(database, key, settings.demo_rate_per_minute)
            put_conversation(database, settings)
    except PyMongoError as error:
        print(f"seed: MongoDB failed: {error}", file=sys.stderr)
        return 1
    except HTTPError as error:
        print(f"seed: messaging answered {error.code} to {error.url}: {error.read().decode()}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"seed: {settings.messaging_url} cannot be reached: {error}", file=sys.stderr)
        return 1
    print(f"export DEMO_API_KEY={key}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
