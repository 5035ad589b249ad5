from datetime import UTC, datetime, timedelta, timezone

import pytest
from billing.store import Store, usage_event
from pymongo.errors import BulkWriteError


class Events:
    """A collection whose `insert_many` fails as it is told."""

    def __init__(self, *codes, **details):
        self.codes, self.details, self.inserted = codes, details, None

    async def insert_many(self, documents, ordered):
        assert not ordered
        self.inserted = documents
        if self.codes or self.details:
            raise BulkWriteError({"writeErrors": [{"code": code} for code in self.codes]} | self.details)


def test_a_day_and_a_month_are_those_in_utc(message):
    new_year = datetime(2027, 1, 1, 0, 30, tzinfo=timezone(timedelta(hours=1)))
    event = usage_event(message("a", created_at=new_year, size_bytes=9))
    assert event == {"_id": "a", "tenant_id": "demo", "month": "2026-12", "day": "2026-12-31", "bytes": 9}


async def test_new_messages_are_told_from_those_counted_before(message):
    store = Store({"usage_events": Events(11000), "invoices": None})
    assert await store.count([message("a"), message("b"), message("a")]) == 1


@pytest.mark.parametrize("events", [Events(11000, 14031), Events(writeConcernErrors=[{"code": 64}])])
async def test_any_other_failure_is_no_success(message, events):
    with pytest.raises(BulkWriteError):
        await Store({"usage_events": events, "invoices": None}).count([message("a"), message("b")])


async def test_a_message_twice_in_a_batch_is_one_event(message):
    events = Events()
    store = Store({"usage_events": events, "invoices": None})
    moment = datetime(2026, 11, 25, tzinfo=UTC)
    assert await store.count([message("a", created_at=moment)] * 2) == 1
    assert [each["_id"] for each in events.inserted] == ["a"]
