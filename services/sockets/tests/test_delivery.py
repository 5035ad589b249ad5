"""From a record to a frame."""

import json

import pytest
from sockets.delivery import RECORDS, Delivery
from sockets.hub import Conversation, Hub
from sockets.recent import Recent

from services.sockets.tests.records import Record, record


@pytest.fixture
def hub():
    return Hub(queue_bytes=10_000)


@pytest.fixture
def deliver(hub):
    return Delivery(hub, Recent(100))


def counted(outcome):
    return RECORDS.labels(outcome)._value.get()


async def test_a_listener_gets_the_message_as_the_rest_api_shows_it(hub, deliver):
    listener = hub.join({Conversation("acme", "c-1")})
    deliver(record(text="grüße"))
    assert json.loads(await listener.next_frame()) == {
        "type": "message.created",
        "message": {
            "id": "m-1",
            "conversation_id": "c-1",
            "sender": "ada",
            "text": "grüße",
            "attachments": [],
            "created_at": "2026-11-23T10:00:00.123Z",
        },
    }


async def test_a_message_that_kafka_delivers_twice_is_shown_once(hub, deliver):
    listener = hub.join({Conversation("acme", "c-1")})
    for id in ("m-1", "m-1", "m-2", "m-1"):
        deliver(record(id))
    shown = [json.loads(await listener.next_frame())["message"]["id"] for _ in range(2)]
    assert shown == ["m-1", "m-2"]
    assert listener._frames.empty()


@pytest.mark.parametrize("value", [b"", b"{", b"[]", b"null", b'{"id": "m-1"}', b"\xff", None])
async def test_a_record_that_is_no_message_is_counted_and_does_not_stop_the_next(hub, deliver, value):
    listener = hub.join({Conversation("acme", "c-1")})
    before = counted("unreadable")
    deliver(Record(value))
    deliver(record())
    assert counted("unreadable") == before + 1
    assert json.loads(await listener.next_frame())["message"]["id"] == "m-1"


async def test_fields_that_came_later_do_not_reach_clients(hub, deliver):
    listener = hub.join({Conversation("acme", "c-1")})
    deliver(record(internal_score=7))
    assert "internal_score" not in await listener.next_frame()
