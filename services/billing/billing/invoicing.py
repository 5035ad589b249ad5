"""Making a month's invoice. While the month is open it is refreshed when asked for; afterwards it stays as it is."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any

from servicekit.s3 import Bucket

from billing import months
from billing.documents import Invoice, as_csv, as_html
from billing.settings import Settings
from billing.store import Document, Store


def invoice_id(tenant_id: str, month: str) -> str:
    """One invoice a tenant and month."""
    return f"{tenant_id}-{month}"


async def make(
    store: Store, bucket: Bucket, settings: Settings, tenant_id: str, month: str, now: datetime
) -> tuple[Document, bool]:
    """The month's invoice, and whether it is its first; files before the document, so that no link is dead."""
    identity = invoice_id(tenant_id, month)
    earlier = await store.invoice(identity)
    if earlier and earlier["final"]:
        return earlier, False
    # Asked before reading the usage: what is counted in between must not be missing from a final invoice.
    final = months.is_closed(month, now, settings.billing_grace_s)
    days = await store.usage(tenant_id, month)
    invoice = Invoice(
        id=identity,
        tenant_id=tenant_id,
        month=month,
        lines=tuple((day["day"], day["messages"], day["bytes"]) for day in days),
        price_per_message_cents=settings.billing_price_per_message_cents,
        currency=settings.billing_currency,
        final=final,
    )
    document: Document = {
        "_id": identity,
        "tenant_id": tenant_id,
        "month": month,
        "messages": invoice.messages,
        "amount_cents": invoice.amount_cents,
        "currency": invoice.currency,
        "final": final,
        "csv_key": await put(bucket, tenant_id, month, "csv", "text/csv; charset=utf-8", as_csv(invoice)),
        "html_key": await put(bucket, tenant_id, month, "html", "text/html; charset=utf-8", as_html(invoice)),
        "made_at": now,
    }
    return document, await store.put_invoice(document)


async def put(bucket: Bucket, tenant_id: str, month: str, suffix: str, content_type: str, body: bytes) -> str:
    """Write a file under a name that follows from its content: two requests at once cannot mix their files."""
    key = f"{tenant_id}/{month}/{hashlib.sha256(body).hexdigest()[:16]}.{suffix}"
    await bucket.put(key, body, content_type)
    return key


async def shown(bucket: Bucket, settings: Settings, invoice: Document) -> dict[str, Any]:
    """The invoice as clients see it, with links that work for a while."""
    fields = {name: invoice[name] for name in ("month", "messages", "amount_cents", "currency", "final")}
    name, expires_in_s = f"invoice-{invoice['_id']}", settings.invoice_link_expires_s
    return {
        "id": invoice["_id"],
        **fields,
        "csv_url": await bucket.download_url(invoice["csv_key"], f"{name}.csv", expires_in_s),
        "html_url": await bucket.download_url(invoice["html_key"], f"{name}.html", expires_in_s, inline=True),
    }
