"""Request bodies as pydantic models."""

from __future__ import annotations

from typing import TypeVar

from pydantic import BaseModel, ValidationError
from starlette.requests import Request

from servicekit.problems import Problem

Model = TypeVar("Model", bound=BaseModel)


async def read_body(request: Request, model: type[Model]) -> Model:
    """The JSON body as `model`; raises a 422 `Problem` that points at each bad field, or a 400 one for no JSON."""
    try:
        return model.model_validate_json(await request.body())
    except ValidationError as error:
        problems = error.errors(include_url=False, include_context=False, include_input=False)
    if problems[0]["type"] == "json_invalid":
        raise Problem(400, f"The body is not JSON: {problems[0]['msg']}.")
    errors = [{"pointer": "".join(f"/{part}" for part in p["loc"]), "detail": p["msg"]} for p in problems]
    detail = "; ".join(f"{e['pointer'] or 'body'}: {e['detail']}" for e in errors)
    raise Problem(422, detail, errors=errors)
