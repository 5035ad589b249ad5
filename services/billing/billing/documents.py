"""An invoice as CSV and as HTML."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from html import escape

COLUMNS = ("day", "messages", "bytes")


@dataclass(frozen=True)
class Invoice:
    """What a tenant owes for a month; each line is (day, messages, bytes)."""

    id: str
    tenant_id: str
    month: str
    lines: tuple[tuple[str, int, int], ...]
    price_per_message_cents: Decimal
    currency: str
    final: bool

    @property
    def messages(self) -> int:
        """How many messages were sent in the month."""
        return sum(messages for _, messages, _ in self.lines)

    @property
    def amount_cents(self) -> int:
        """What they cost, rounded once, half a cent upwards."""
        return int((self.messages * self.price_per_message_cents).quantize(Decimal(1), ROUND_HALF_UP))

    @property
    def amount(self) -> str:
        """What they cost, as it is written: 12.34 EUR."""
        return f"{Decimal(self.amount_cents) / 100:.2f} {self.currency}"


def as_csv(invoice: Invoice) -> bytes:
    """The lines, then the total."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    writer.writerows(invoice.lines)
    writer.writerow(("total", invoice.messages, sum(size for _, _, size in invoice.lines)))
    writer.writerow(("amount", invoice.amount, ""))
    return text.getvalue().encode()


def as_html(invoice: Invoice) -> bytes:
    """A page to print."""
    title = f"Invoice {invoice.id}"
    state = "" if invoice.final else "<p><strong>Preliminary: the month is not over.</strong></p>"
    header = "".join(f"<th>{escape(name)}</th>" for name in COLUMNS)
    rows = "\n".join(
        "<tr>" + "".join(f"<td>{escape(str(value))}</td>" for value in line) + "</tr>" for line in invoice.lines
    )
    return f"""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>{escape(title)}</title>
<style>body {{ font: 1rem system-ui; margin: 3rem }} td, th {{ padding: .2rem 1rem; text-align: right }}</style>
<h1>{escape(title)}</h1>
<p>Tenant {escape(invoice.tenant_id)}, {escape(invoice.month)}</p>
{state}
<table>
<tr>{header}</tr>
{rows}
</table>
<p>{invoice.messages} messages at {invoice.price_per_message_cents} cents: <strong>{escape(invoice.amount)}</strong></p>
</html>
""".encode()
