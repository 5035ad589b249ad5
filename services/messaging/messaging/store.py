"""What this service keeps in MongoDB. Look-ups are by `_id` alone; who may see a document is decided by the caller."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from pymongo import UpdateOne
from pymongo.errors import DuplicateKeyError
from servicekit.mongodb import Database

Document = dict[str, Any]


def now() -> datetime:
    """The time as MongoDB keeps it: UTC, to the millisecond."""
    moment = datetime.now(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


class Store:
    """Conversations, attachments and messages, and the lease under which left-over messages are published."""

    def __init__(self, database: Database) -> None:
        self._conversations = database["conversations"]
        self._attachments = database["attachments"]
        self._messages = database["messages"]
        self._leases = database["leases"]

    async def add_conversation(self, conversation: Document) -> None:
        """Insert a conversation."""
        await self._conversations.insert_one(conversation)

    async def conversation(self, conversation_id: str) -> Document | None:
        """One conversation."""
        return await self._conversations.find_one({"_id": conversation_id})

    async def conversations(self, tenant_id: str, before: str | None, limit: int) -> list[Document]:
        """A tenant's conversations, newest first, those made before the id `before`."""
        wanted: Document = {"tenant_id": tenant_id} | ({"_id": {"$lt": before}} if before else {})
        return await self._conversations.find(wanted).sort("_id", -1).limit(limit).to_list()

    async def add_attachment(self, attachment: Document) -> None:
        """Insert an attachment."""
        await self._attachments.insert_one(attachment)

    async def attachment(self, attachment_id: str) -> Document | None:
        """One attachment."""
        return await self._attachments.find_one({"_id": attachment_id})

    async def add_message(self, message: Document) -> bool:
        """Insert a message together with its publish state; False where a message with this id is there already."""
        try:
            await self._messages.insert_one(message)
        except DuplicateKeyError:
            return False
        return True

    async def message(self, message_id: str) -> Document | None:
        """One message."""
        return await self._messages.find_one({"_id": message_id})

    async def messages(self, conversation_id: str, after: str | None, limit: int) -> list[Document]:
        """A conversation's messages, oldest first, those after the position `after`."""
        wanted: Document = {"conversation_id": conversation_id} | ({"position": {"$gt": after}} if after else {})
        return await self._messages.find(wanted).sort("position", 1).limit(limit).to_list()

    async def unpublished(self, older_than_s: float, limit: int) -> list[Document]:
        """Messages that have waited longer than `older_than_s` to be published, oldest first."""
        wanted = {"unpublished_since": {"$lt": now() - timedelta(seconds=older_than_s)}}
        return await self._messages.find(wanted).sort("position", 1).limit(limit).to_list()

    async def mark_published(self, message_ids: Iterable[str]) -> None:
        """Record that these messages are on Kafka."""
        done = {"$set": {"unpublished_since": None}}
        await self._messages.bulk_write([UpdateOne({"_id": each}, done) for each in message_ids], ordered=False)

    async def take_lease(self, name: str, owner: str, seconds: float) -> bool:
        """Take or extend the lease `name`; False while another owner holds it."""
        moment = now()
        free = {"_id": name, "$or": [{"owner": owner}, {"until": {"$lt": moment}}]}
        mine = {"$set": {"owner": owner, "until": moment + timedelta(seconds=seconds)}}
        try:
            await self._leases.find_one_and_update(free, mine, upsert=True)
        except DuplicateKeyError:  # it is there, but did not match: another's
            return False
        return True
