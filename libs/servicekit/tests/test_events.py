from datetime import UTC, datetime, timedelta, timezone

import pytest
from pydantic import ValidationError
from servicekit.events import MessageCreated, timestamp
from servicekit.ids import time_ordered_id

VALUE = {
    "id": "m1",
    "tenant_id": "demo",
    "conversation_id": "c1",
    "sender": "ada",
    "text": "hello",
    "attachments": [],
    "created_at": "2026-11-25T03:23:00.123Z",
    "size_bytes": 5,
}


def test_a_message_is_read_and_fields_of_the_future_are_ignored():
    message = MessageCreated.model_validate(VALUE | {"mood": "good"})
    assert (message.id, message.created_at) == ("m1", datetime(2026, 11, 25, 3, 23, 0, 123000, UTC))


@pytest.mark.parametrize(
    "wrong", [{"id": ""}, {"size_bytes": -1}, {"created_at": "yesterday"}, {"created_at": "2026-11-25T03:23:00"}]
)
def test_what_cannot_be_counted_is_no_message(wrong):
    with pytest.raises(ValidationError):
        MessageCreated.model_validate(VALUE | wrong)


def test_a_timestamp_is_utc_to_the_millisecond():
    moment = datetime(2026, 11, 25, 4, 23, 0, 123456, timezone(timedelta(hours=1)))
    assert timestamp(moment) == "2026-11-25T03:23:00.123Z"


def test_ids_are_unique_and_sort_by_the_millisecond_of_making():
    made = [time_ordered_id() for _ in range(1000)]
    assert len(set(made)) == 1000
    assert [each[:12] for each in made] == sorted(each[:12] for each in made)
    assert {len(each) for each in made} == {32}
