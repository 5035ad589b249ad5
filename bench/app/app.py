"""The app of the reload benchmark: a route whose answer is edited, behind the imports of an ordinary service."""

import aiokafka  # noqa: F401
import boto3  # noqa: F401
import pymongo  # noqa: F401
import redis.asyncio  # noqa: F401
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

TOKEN = "start"


async def token(request):
    return PlainTextResponse(TOKEN)


app = Starlette(routes=[Route("/", token)])
