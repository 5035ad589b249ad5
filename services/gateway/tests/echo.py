"""An upstream that tells what arrived."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route


async def echo(request: Request) -> Response:
    """The request, as JSON."""
    return JSONResponse(
        {
            "method": request.method,
            "path": request.scope["raw_path"].decode(),
            "query": request.scope["query_string"].decode(),
            "headers": dict(request.headers),
            "body": (await request.body()).decode(),
        },
        201 if request.method == "POST" else 200,
        {"X-From-Service": "1", "Connection": "x-hop", "X-Hop": "1"},
    )


METHODS = ["GET", "POST", "PUT", "DELETE", "PATCH"]
ECHO = Starlette(routes=[Route("/{path:path}", echo, methods=METHODS)])
