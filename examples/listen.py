"""Print the first message of a conversation: listen.py URL CONVERSATION.

A stream tells what happens from now on. What came before, or while a client was away, it asks for after `ready`.
"""

import asyncio
import json
import os
import sys

import httpx
import websockets

HEADERS = {"Authorization": f"Bearer {os.environ['DEMO_API_KEY']}"}


async def listen(url, conversation):
    address = f"{url.replace('http', 'ws', 1)}/v1/stream?conversation_id={conversation}"
    async with asyncio.timeout(60), websockets.connect(address, additional_headers=HEADERS) as stream:
        async for frame in stream:
            event = json.loads(frame)
            found = await missed(url, conversation) if event["type"] == "ready" else event.get("message")
            if found:
                print(found["sender"], "says", found["text"])
                return


async def missed(url, conversation):
    async with httpx.AsyncClient(headers=HEADERS) as http:
        answer = await http.get(f"{url}/v1/conversations/{conversation}/messages", params={"limit": 1})
    return next(iter(answer.json()["items"]), None)


asyncio.run(listen(*sys.argv[1:]))
