"""The HTTP interface."""

from __future__ import annotations

from datetime import UTC, datetime

from pydantic import BaseModel, ConfigDict
from servicekit.bodies import read_body
from servicekit.problems import Problem
from servicekit.tenant import tenant_of
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from billing import invoicing, months


class NewInvoice(BaseModel):
    """POST /v1/invoices."""

    model_config = ConfigDict(extra="forbid")
    month: str


async def get_usage(request: Request) -> JSONResponse:
    """GET /v1/usage."""
    now = datetime.now(UTC)
    month = months.parse(request.query_params.get("month", months.month_of(now)), now)
    days = await request.app.state.store.usage(tenant_of(request), month)
    totals = {name: sum(day[name] for day in days) for name in ("messages", "bytes")}
    return JSONResponse({"month": month, **totals})


async def create_invoice(request: Request) -> JSONResponse:
    """POST /v1/invoices."""
    state, now = request.app.state, datetime.now(UTC)
    tenant_id = tenant_of(request)
    month = months.parse((await read_body(request, NewInvoice)).month, now)
    invoice, new = await invoicing.make(state.store, state.bucket, state.settings, tenant_id, month, now)
    return JSONResponse(await invoicing.shown(state.bucket, state.settings, invoice), 201 if new else 200)


async def list_invoices(request: Request) -> JSONResponse:
    """GET /v1/invoices."""
    state = request.app.state
    found = await state.store.invoices(tenant_of(request))
    items = [await invoicing.shown(state.bucket, state.settings, invoice) for invoice in found]
    return JSONResponse({"items": items, "next_cursor": None})


async def get_invoice(request: Request) -> JSONResponse:
    """GET /v1/invoices/{month}."""
    state = request.app.state
    month = months.parse(request.path_params["month"], datetime.now(UTC))
    found = await state.store.invoice(invoicing.invoice_id(tenant_of(request), month))
    if found is None:
        raise Problem(404, f"There is no invoice for {month}; POST /v1/invoices makes one.")
    return JSONResponse(await invoicing.shown(state.bucket, state.settings, found))


ROUTES = [
    Route("/v1/usage", get_usage),
    Route("/v1/invoices", create_invoice, methods=["POST"]),
    Route("/v1/invoices", list_invoices),
    Route("/v1/invoices/{month}", get_invoice),
]
