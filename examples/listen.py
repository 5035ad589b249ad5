"""Print the first message of a conversation that arrives on the WebSocket: listen.py URL CONVERSATION."""

import asyncio
import json
import os
import sys

import websockets


async def listen(url, conversation):
    address = f"{url.replace('http', 'ws', 1)}/v1/stream?conversation_id={conversation}"
    headers = {"Authorization": f"Bearer {os.environ['DEMO_API_KEY']}"}
    async with asyncio.timeout(60), websockets.connect(address, additional_headers=headers) as stream:
        async for frame in stream:
            event = json.loads(frame)
            if event["type"] == "message.created":
                print(event["message"]["sender"], "says", event["message"]["text"])
                return


asyncio.run(listen(*sys.argv[1:]))
