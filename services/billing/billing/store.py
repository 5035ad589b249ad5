"""What this service keeps in MongoDB."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC
from typing import Any

from pymongo.errors import BulkWriteError, DuplicateKeyError
from servicekit.events import MessageCreated
from servicekit.mongodb import Database

from billing.months import month_of

Document = dict[str, Any]
DUPLICATE = 11000


def usage_event(message: MessageCreated) -> Document:
    """What is counted of a message. Its id is the message's, so that the same message cannot be there twice."""
    return {
        "_id": message.id,
        "tenant_id": message.tenant_id,
        "month": month_of(message.created_at),
        "day": f"{message.created_at.astimezone(UTC):%Y-%m-%d}",
        "bytes": message.size_bytes,
    }


class Store:
    """Usage events and invoices."""

    def __init__(self, database: Database) -> None:
        self._events = database["usage_events"]
        self._invoices = database["invoices"]

    async def count(self, messages: Sequence[MessageCreated]) -> int:
        """Record the messages that are not recorded yet; returns how many these were."""
        events = list({message.id: usage_event(message) for message in messages}.values())
        try:
            await self._events.insert_many(events, ordered=False)
        except BulkWriteError as error:
            failed = error.details["writeErrors"]
            if any(each["code"] != DUPLICATE for each in failed) or error.details.get("writeConcernErrors"):
                raise
            return len(events) - len(failed)
        return len(events)

    async def usage(self, tenant_id: str, month: str) -> list[Document]:
        """`{day, messages, bytes}` for each day of the month with messages, in order."""
        messages = await self._by_day(tenant_id, month, 1)
        sizes = await self._by_day(tenant_id, month, "$bytes")
        return [{"day": day, "messages": messages[day], "bytes": sizes[day]} for day in sorted(messages)]

    async def _by_day(self, tenant_id: str, month: str, summand: int | str) -> dict[str, int]:
        # One sum a question: asked for two in one $group, FerretDB 1.24 answers 0 for all but one of them.
        wanted = {"tenant_id": tenant_id, "month": month}
        stages: list[Document] = [{"$match": wanted}, {"$group": {"_id": "$day", "sum": {"$sum": summand}}}]
        cursor = await self._events.aggregate(stages)
        return {each["_id"]: each["sum"] for each in await cursor.to_list()}

    async def invoice(self, invoice_id: str) -> Document | None:
        """One invoice."""
        return await self._invoices.find_one({"_id": invoice_id})

    async def invoices(self, tenant_id: str) -> list[Document]:
        """A tenant's invoices, newest month first; one a month, so there is no paging."""
        return await self._invoices.find({"tenant_id": tenant_id}).sort("month", -1).to_list()

    async def put_invoice(self, invoice: Document) -> bool:
        """Write the invoice in place of an earlier one; True where there was none."""
        try:
            done = await self._invoices.replace_one({"_id": invoice["_id"]}, invoice, upsert=True)
        except DuplicateKeyError:  # another request has just written the first one
            done = await self._invoices.replace_one({"_id": invoice["_id"]}, invoice)
        return done.matched_count == 0
