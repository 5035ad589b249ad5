import json

import pytest
from messaging.messages import event, write
from messaging.models import NewMessage
from servicekit.events import MessageCreated
from servicekit.problems import Problem

CONVERSATION = {"_id": "c1", "tenant_id": "demo", "title": "Sample"}
NEW = NewMessage(conversation_id="c1", sender="ada", text="grüß")


@pytest.fixture
def conversations(store):
    store.conversations_["c1"] = CONVERSATION
    return store


async def test_of_two_requests_with_one_key_at_once_one_writes(conversations, bucket):
    seen = conversations.message

    async def nothing_yet(message_id):
        conversations.message = seen  # both have looked before either wrote
        await write(conversations, bucket, "demo", NEW, "k1")

    conversations.message = nothing_yet
    second = await write(conversations, bucket, "demo", NEW, "k1")
    assert not second.new
    assert len(conversations.messages_) == 1


async def test_of_two_bodies_with_one_key_at_once_the_later_is_a_conflict(conversations, bucket):
    seen = conversations.message

    async def nothing_yet(message_id):
        conversations.message = seen
        await write(conversations, bucket, "demo", NEW, "k1")

    conversations.message = nothing_yet
    with pytest.raises(Problem) as raised:
        await write(conversations, bucket, "demo", NEW.model_copy(update={"text": "bye"}), "k1")
    assert raised.value.status == 409


async def test_the_event_is_what_consumers_read(conversations, bucket):
    written = await write(conversations, bucket, "demo", NEW, None)
    value = json.dumps(event(written.message))
    message = MessageCreated.model_validate_json(value)
    assert (message.id, message.tenant_id, message.conversation_id) == (written.message["_id"], "demo", "c1")
    assert (message.text, message.size_bytes) == ("grüß", 6)
    assert message.created_at == written.message["created_at"]


async def test_a_message_waits_for_the_relay_from_its_writing_on(conversations, bucket):
    written = await write(conversations, bucket, "demo", NEW, None)
    assert written.message["unpublished_since"] == written.message["created_at"]
