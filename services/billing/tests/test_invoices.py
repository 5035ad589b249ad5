from datetime import UTC, datetime
from decimal import Decimal

import pytest
from billing import invoicing, months
from billing.documents import Invoice, as_csv, as_html
from servicekit.problems import Problem

NOVEMBER = datetime(2026, 11, 20, 12, tzinfo=UTC)
DECEMBER = datetime(2026, 12, 1, 12, tzinfo=UTC)


def invoice(**given):
    values = {
        "id": "demo-2026-11",
        "tenant_id": "demo",
        "month": "2026-11",
        "lines": (("2026-11-01", 2, 10), ("2026-11-03", 1, 5)),
        "price_per_message_cents": Decimal("0.5"),
        "currency": "EUR",
        "final": True,
    }
    return Invoice(**values | given)


def test_the_total_is_rounded_once():
    assert (invoice().messages, invoice().amount_cents, invoice().amount) == (3, 2, "0.02 EUR")
    assert invoice(price_per_message_cents=Decimal("1234.5")).amount == "37.04 EUR"
    assert invoice(lines=()).amount == "0.00 EUR"


def test_the_csv_has_a_line_a_day_and_the_total():
    assert as_csv(invoice()).decode().split("\r\n") == [
        "day,messages,bytes",
        "2026-11-01,2,10",
        "2026-11-03,1,5",
        "total,3,15",
        "amount,0.02 EUR,",
        "",
    ]


def test_the_page_escapes_what_it_shows():
    page = as_html(invoice(tenant_id="<script>alert(1)</script>")).decode()
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
    assert "<td>2026-11-01</td><td>2</td><td>10</td>" in page
    assert "Preliminary" not in page
    assert "Preliminary" in as_html(invoice(final=False)).decode()


@pytest.mark.parametrize("text", ["2026-13", "2026-1", "26-01", "2026-01-01", "", "0000-01", "2026-0١", "2026-11\n"])
def test_what_is_no_month_is_refused(text):
    with pytest.raises(Problem) as raised:
        months.parse(text, NOVEMBER)
    assert raised.value.status == 422


def test_a_month_to_come_is_refused_and_the_current_one_is_not():
    assert months.parse("2026-11", NOVEMBER) == "2026-11"
    with pytest.raises(Problem, match="has not begun"):
        months.parse("2026-12", NOVEMBER)


def test_a_month_closes_after_its_grace():
    assert not months.is_closed("2026-11", datetime(2026, 12, 1, 0, 59, tzinfo=UTC), 3600)
    assert months.is_closed("2026-11", datetime(2026, 12, 1, 1, 0, tzinfo=UTC), 3600)


async def test_an_open_month_is_refreshed_and_a_closed_one_stays(store, bucket, settings, message):
    async def make(now):
        return await invoicing.make(store, bucket, settings, "demo", "2026-11", now)

    await store.count([message("a", created_at=NOVEMBER)])
    first, new = await make(NOVEMBER)
    assert (first["messages"], first["final"], new) == (1, False, True)

    await store.count([message("b", created_at=NOVEMBER), message("c", "other", NOVEMBER)])
    second, new = await make(NOVEMBER)
    assert (second["messages"], second["final"], new) == (2, False, False)

    final, new = await make(DECEMBER)
    assert (final["messages"], final["amount_cents"], final["final"], new) == (2, 2, True, False)

    await store.count([message("late", created_at=NOVEMBER)])
    assert await make(DECEMBER) == (final, False)


async def test_the_files_are_there_before_the_invoice_names_them(store, bucket, settings, message):
    await store.count([message("a", created_at=NOVEMBER)])
    put = store.put_invoice

    async def checked(document):
        assert {document["csv_key"], document["html_key"]} <= set(bucket.objects)
        return await put(document)

    store.put_invoice = checked
    made, _ = await invoicing.make(store, bucket, settings, "demo", "2026-11", NOVEMBER)
    body, content_type = bucket.objects[made["csv_key"]]
    assert made["csv_key"].startswith("demo/2026-11/")
    assert (content_type, b"total,1,5" in body) == ("text/csv; charset=utf-8", True)


async def test_usage_of_the_current_month_is_the_default(client, store, message):
    await store.count([message("a"), message("b", size_bytes=7), message("c", "other")])
    month = months.month_of(datetime.now(UTC))
    assert (await client.get("/v1/usage")).json() == {"month": month, "messages": 2, "bytes": 12}
    assert (await client.get("/v1/usage", params={"month": "2020-01"})).json()["messages"] == 0
    assert (await client.get("/v1/usage", params={"month": "soon"})).status_code == 422


async def test_an_invoice_is_made_then_refreshed_then_read(client, store, message):
    await store.count([message("a"), message("b")])
    month = months.month_of(datetime.now(UTC))
    made = await client.post("/v1/invoices", json={"month": month})
    again = await client.post("/v1/invoices", json={"month": month})
    assert (made.status_code, again.status_code) == (201, 200)
    shown = made.json()
    assert shown["csv_url"].startswith(f"http://store/demo/{month}/")
    assert shown["html_url"].endswith(f"name=invoice-demo-{month}.html&inline=True")
    del shown["csv_url"], shown["html_url"]
    assert shown == {
        "id": f"demo-{month}",
        "month": month,
        "messages": 2,
        "amount_cents": 2,
        "currency": "EUR",
        "final": False,
    }
    assert (await client.get(f"/v1/invoices/{month}")).json() == again.json()
    assert (await client.get("/v1/invoices")).json() == {"items": [again.json()], "next_cursor": None}


async def test_another_tenant_has_no_invoice(client, store, message):
    month = months.month_of(datetime.now(UTC))
    await client.post("/v1/invoices", json={"month": month})
    other = {"X-Tenant-Id": "other"}
    assert (await client.get(f"/v1/invoices/{month}", headers=other)).status_code == 404
    assert (await client.get("/v1/invoices", headers=other)).json()["items"] == []


@pytest.mark.parametrize("body", [{}, {"month": 5}, {"month": "2026-99"}, {"month": "2026-01", "x": 1}])
async def test_a_bad_request_for_an_invoice_is_refused(client, body):
    assert (await client.post("/v1/invoices", json=body)).status_code == 422
