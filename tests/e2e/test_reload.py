"""Edits served live, on the real stack: nothing lost, the image unchanged."""

import asyncio
import json
from contextlib import AsyncExitStack

import httpx
import pytest

from tests.e2e.checkout import docker
from tests.e2e.flow import DEADLINE_S, next_of, until
from tests.e2e.load import under_load

# Appended to a service's app module: a route whose answer the tests edit.
PROBE = '''

from starlette.responses import PlainTextResponse as _Text
from starlette.routing import Route as _Route


async def _token(request):
    return _Text("{token}")


app.router.routes.insert(0, _Route("/_token", _token))
'''


class Source:
    """One module of a service in the checkout, edited as an editor does it: a new file moved over the old one."""

    def __init__(self, path):
        self.path = path
        self.original = path.read_text()

    def serve(self, token, broken=False):
        text = self.original + PROBE.replace("{token}", token) + ("\ndef broken(:\n" if broken else "")
        self.write(text)

    def write(self, text):
        fresh = self.path.with_suffix(".tmp~")
        fresh.write_text(text)
        fresh.replace(self.path)

    def restore(self):
        self.write(self.original)


@pytest.fixture
def gateway(checkout):
    source = Source(checkout.root / "services" / "gateway" / "gateway" / "app.py")
    yield source
    source.restore()


@pytest.fixture
def sockets(checkout):
    source = Source(checkout.root / "services" / "sockets" / "sockets" / "app.py")
    yield source
    source.restore()


def served(url):
    async def read():
        async with httpx.AsyncClient(timeout=10) as http:
            answer = await http.get(f"{url}/_token")
        return answer.text if answer.status_code == 200 else answer.status_code

    return read


async def test_twenty_edits_under_load_lose_no_request(checkout, client, gateway):
    """One of the edits is a syntax error; 50 WebSockets are open and are closed as designed."""
    url = checkout.urls["gateway"]
    image = docker("inspect", "-f", "{{.Image}}", checkout.container("gateway"))
    container = checkout.container("gateway")
    conversation = await client.conversation("reload")
    gateway.serve("edit-0")
    await until(served(url), "edit-0", "the first edit was not served")
    async with AsyncExitStack() as stack:
        streams = [await stack.enter_async_context(client.stream(conversation)) for _ in range(50)]
        for stream in streams:
            await next_of(stream, "ready")
        async with under_load(f"{url}/_token", rate=200) as load:
            for number in range(1, 21):
                if number == 10:
                    gateway.serve("never", broken=True)
                    await asyncio.sleep(0.3)  # long enough to be tried; the old code goes on
                    assert await served(url)() == "edit-9"
                else:
                    gateway.serve(f"edit-{number}")
                    await until(served(url), f"edit-{number}", "an edit was not served")
        codes = [await close_code(stream) for stream in streams]
    assert set(load.outcomes) == {200}, load.outcomes
    assert "never" not in load.bodies
    assert set(codes) == {1012}, codes
    assert checkout.container("gateway") == container
    assert docker("inspect", "-f", "{{.Image}}", container) == image


async def close_code(stream):
    async with asyncio.timeout(DEADLINE_S):
        await stream.wait_closed()
    return stream.close_code


async def test_an_edit_of_shared_code_reaches_every_service(checkout, client):
    shared = Source(checkout.root / "libs" / "servicekit" / "servicekit" / "app.py")
    try:
        shared.write(shared.original.replace('{"alive": True}', '{"alive": True, "edited": True}'))
        assert shared.path.read_text() != shared.original
        async with httpx.AsyncClient(timeout=10) as http:
            for name in ("gateway", "messaging", "sockets", "billing"):
                async def alive(name=name):
                    return (await http.get(f"{checkout.urls[name]}/healthz")).json().get("edited")

                await until(alive, True, f"{name} does not serve the edit")
    finally:
        shared.restore()


async def test_messages_are_counted_once_while_their_consumer_is_reloaded(checkout, client):
    """Edits of `billing` under a stream of messages: none lost, none doubled."""
    before = await client.usage()
    conversation = await client.conversation("hand-over")
    source = Source(checkout.root / "services" / "billing" / "billing" / "app.py")
    try:
        for number in range(60):
            await client.send(conversation, f"message {number}")
            if number % 15 == 5:
                source.write(source.original + f"\n# edit {number}\n")
        await until(client.usage, before + 60, "messages were lost or doubled")
    finally:
        source.restore()


async def test_subscribers_reconnect_after_an_edit_and_receive_again(checkout, client, sockets):
    conversation = await client.conversation("reconnect")
    async with client.stream(conversation) as stream:
        await next_of(stream, "ready")
        sockets.serve("edited")
        assert await close_code(stream) == 1012
    await until(served(checkout.urls["sockets"]), "edited", "the edit was not served")
    async with client.stream(conversation) as stream:
        await next_of(stream, "ready")
        sent = await client.send(conversation, "after the edit")
        assert (await next_of(stream, "message.created"))["message"]["id"] == sent["id"]


async def test_as_built_serves_the_code_of_the_image(checkout, gateway):
    url = checkout.urls["gateway"]
    gateway.serve("mounted")
    await until(served(url), "mounted", "the edit was not served")
    gateway.restore()
    checkout.up("--as-built")
    gateway.serve("not in the image")
    assert await served(url)() == 404
    assert json.loads(checkout.run("status", "--json").stdout)["mode"] == "as built"
    gateway.restore()
    checkout.up()
