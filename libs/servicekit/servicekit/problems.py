"""Errors as RFC 9457 problem details."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.websockets import WebSocket

from servicekit import logs


class Problem(Exception):
    """An error that the client is told about; raise it anywhere in a request."""

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        title: str | None = None,
        type: str = "about:blank",
        headers: Mapping[str, str] | None = None,
        **members: Any,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.title = title or HTTPStatus(status).phrase
        self.type = type
        self.headers = dict(headers or {})
        self.members = members

    def response(self) -> JSONResponse:
        """The response that carries this problem."""
        body = {"type": self.type, "title": self.title, "status": self.status, "detail": self.detail}
        body |= {**self.members, "request_id": logs.request_id.get()}
        return JSONResponse(body, self.status, self.headers, media_type="application/problem+json")


async def on_problem(request: Request, problem: Exception) -> JSONResponse:
    """Starlette's handler for `Problem`."""
    assert isinstance(problem, Problem)
    return problem.response()


async def on_http_exception(request: Request, error: Exception) -> JSONResponse:
    """Starlette's handler for its own 404, 405 and the like."""
    assert isinstance(error, HTTPException)
    detail = {
        404: f"There is nothing at {request.url.path}.",
        405: f"{request.url.path} does not answer {request.method}.",
    }.get(error.status_code, error.detail)
    return Problem(error.status_code, detail, headers=error.headers).response()


async def deny(websocket: WebSocket, answer: Response) -> None:
    """Refuse a WebSocket with an ordinary HTTP answer."""
    await websocket.send_denial_response(answer)
    # uvicorn logs an error unless the connection has ended when the handler returns; its end is the loop's next step.
    await asyncio.sleep(0)
