"""The HTTP interface."""

from __future__ import annotations

from typing import Any

from servicekit.bodies import read_body
from servicekit.events import timestamp
from servicekit.ids import time_ordered_id
from servicekit.paging import cursor_for, cursor_of, limit_of
from servicekit.problems import Problem
from servicekit.tenant import tenant_of
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from messaging import attachments, messages
from messaging.models import NewAttachment, NewConversation, NewMessage
from messaging.store import Document, now


def shown_conversation(conversation: Document) -> dict[str, Any]:
    """The conversation as clients see it."""
    created_at = timestamp(conversation["created_at"])
    return {"id": conversation["_id"], "title": conversation["title"], "created_at": created_at}


async def create_conversation(request: Request) -> JSONResponse:
    """POST /v1/conversations."""
    tenant_id = tenant_of(request)
    new = await read_body(request, NewConversation)
    conversation = {"_id": time_ordered_id(), "tenant_id": tenant_id, "title": new.title, "created_at": now()}
    await request.app.state.store.add_conversation(conversation)
    return JSONResponse(shown_conversation(conversation), 201)


async def list_conversations(request: Request) -> JSONResponse:
    """GET /v1/conversations."""
    limit = limit_of(request)
    found = await request.app.state.store.conversations(tenant_of(request), cursor_of(request, str), limit + 1)
    return page([shown_conversation(each) for each in found], [each["_id"] for each in found], limit)


async def get_conversation(request: Request) -> JSONResponse:
    """GET /v1/conversations/{id}."""
    found = await messages.conversation_of(request.app.state.store, tenant_of(request), request.path_params["id"])
    return JSONResponse(shown_conversation(found))


async def create_message(request: Request) -> JSONResponse:
    """POST /v1/messages."""
    state = request.app.state
    tenant_id = tenant_of(request)
    new = await read_body(request, NewMessage)
    written = await messages.write(state.store, state.bucket, tenant_id, new, request.headers.get("idempotency-key"))
    if written.new:
        state.relay.offer(written.message)
    return JSONResponse(messages.shown(written.message), 201 if written.new else 200)


async def get_message(request: Request) -> JSONResponse:
    """GET /v1/messages/{id}."""
    message_id = request.path_params["id"]
    found = await request.app.state.store.message(message_id)
    if found is None or found["tenant_id"] != tenant_of(request):
        raise Problem(404, f"There is no message {message_id}.")
    return JSONResponse(messages.shown(found))


async def list_messages(request: Request) -> JSONResponse:
    """GET /v1/conversations/{id}/messages."""
    store, limit = request.app.state.store, limit_of(request)
    conversation = await messages.conversation_of(store, tenant_of(request), request.path_params["id"])
    found = await store.messages(conversation["_id"], cursor_of(request, str), limit + 1)
    return page([messages.shown(each) for each in found], [each["position"] for each in found], limit)


async def create_attachment(request: Request) -> JSONResponse:
    """POST /v1/conversations/{id}/attachments."""
    state = request.app.state
    tenant_id = tenant_of(request)
    new = await read_body(request, NewAttachment)
    conversation_id = request.path_params["id"]
    announced = await attachments.announce(state.store, state.bucket, state.settings, tenant_id, conversation_id, new)
    return JSONResponse(announced, 201)


async def get_attachment(request: Request) -> JSONResponse:
    """GET /v1/conversations/{id}/attachments/{attachment_id}."""
    state = request.app.state
    which = (tenant_of(request), request.path_params["id"], request.path_params["attachment_id"])
    return JSONResponse(await attachments.show(state.store, state.bucket, state.settings, *which))


def page(items: list[dict[str, Any]], keys: list[str], limit: int) -> JSONResponse:
    """The first `limit` items, and the cursor of the next page where one more was found."""
    next_cursor = cursor_for(keys[limit - 1]) if len(items) > limit else None
    return JSONResponse({"items": items[:limit], "next_cursor": next_cursor})


ROUTES = [
    Route("/v1/conversations", create_conversation, methods=["POST"]),
    Route("/v1/conversations", list_conversations),
    Route("/v1/conversations/{id}", get_conversation),
    Route("/v1/conversations/{id}/messages", list_messages),
    Route("/v1/conversations/{id}/attachments", create_attachment, methods=["POST"]),
    Route("/v1/conversations/{id}/attachments/{attachment_id}", get_attachment),
    Route("/v1/messages", create_message, methods=["POST"]),
    Route("/v1/messages/{id}", get_message),
]
