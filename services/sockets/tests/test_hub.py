"""The hub: who gets a frame, and what becomes of those who do not take theirs."""

import asyncio

from sockets.hub import Conversation, Hub

A, B = Conversation("acme", "a"), Conversation("acme", "b")


async def test_a_frame_goes_to_those_who_listen_to_its_conversation():
    hub = Hub(queue_bytes=100)
    both, other = hub.join({A, B}), hub.join({B})
    assert hub.publish(A, "for a") == 1
    assert hub.publish(B, "for b") == 2
    assert [await both.next_frame(), await both.next_frame()] == ["for a", "for b"]
    assert await other.next_frame() == "for b"


async def test_the_same_conversation_id_of_another_tenant_is_another_conversation():
    hub = Hub(queue_bytes=100)
    hub.join({A})
    assert hub.publish(Conversation("globex", "a"), "secret") == 0


async def test_a_full_queue_marks_its_subscriber_only():
    hub = Hub(queue_bytes=10)
    slow, quick = hub.join({A}), hub.join({A})
    for number in range(5):
        hub.publish(A, f"frame{number}")
        assert await quick.next_frame() == f"frame{number}"
    assert slow.too_slow.is_set()
    assert not quick.too_slow.is_set()


async def test_a_subscriber_that_is_too_slow_collects_no_more():
    hub = Hub(queue_bytes=10)
    slow = hub.join({A})
    for _ in range(1000):
        hub.publish(A, "12345678")
    assert slow._frames.qsize() == 1


async def test_a_frame_larger_than_the_queue_passes_when_nothing_waits():
    subscriber = Hub(queue_bytes=10).join({A})
    subscriber.offer("x" * 100)
    assert len(await subscriber.next_frame()) == 100
    assert not subscriber.too_slow.is_set()


async def test_a_frame_is_waited_for():
    hub = Hub(queue_bytes=10)
    waiting = asyncio.create_task(hub.join({A}).next_frame())
    await asyncio.sleep(0)
    hub.publish(A, "now")
    assert await waiting == "now"


async def test_nothing_is_kept_of_those_who_left():
    hub = Hub(queue_bytes=10)
    first, second = hub.join({A, B}), hub.join({A})
    hub.leave(first)
    assert hub.online() == {A: [second.id]}
    hub.leave(second)
    assert (hub.online(), hub.count) == ({}, 0)
    hub.publish(A, "nobody")
    assert hub.online() == {}
