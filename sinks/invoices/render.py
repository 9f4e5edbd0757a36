"""An invoice as PDF/A-3b: the same invoice gives the same bytes (BEY-02).

The template lays out; every word and figure is made here, from whole minor units. Typst brings its own fonts, so the
machine's are not looked at.
"""

import json
import os
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import typst

from schemas.fields import DECIMALS, format_minor
from sinks.invoices.invoice import Invoice, Item, Line, NotInvoiceable, Reason, local

EDITION = "invoice-1/typst-0.15.0"
"""Raise it whenever template, wording or Typst change the bytes; the golden test says when. `verify` does not make
files of another edition again, and says so."""

TEMPLATE = Path(__file__).with_name("template.typ")
_FONTS = typst.Fonts(include_system_fonts=False)
_compilers = threading.local()
_threads = ThreadPoolExecutor(os.cpu_count(), thread_name_prefix="typst")

_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
_WORDS = {Item.UNLOCK: "Unlock fee", Item.RIDE: "Riding time"}


def render(invoice: Invoice) -> bytes:
    """The PDF. Raises `NotInvoiceable` where it has a character that the fonts do not have."""
    return _compile(invoice, format="pdf", pdf_standards=["a-3b"])


def render_all(invoices: Iterable[Invoice]) -> list[bytes | NotInvoiceable]:
    """Several at once, in order, each by itself: Typst works outside of Python's lock."""
    return list(_threads.map(_rendered, invoices))


def _rendered(invoice: Invoice) -> bytes | NotInvoiceable:
    try:
        return render(invoice)
    except NotInvoiceable as error:
        return error


def picture(invoice: Invoice) -> bytes:
    """The page as PNG, for people and tests."""
    return _compile(invoice, format="png", ppi=110)


def _compile(invoice: Invoice, **options: Any) -> bytes:
    issued = invoice.issued_at
    try:
        made = _compiler().compile(
            sys_inputs={"page": json.dumps(page(invoice), ensure_ascii=False)},
            timestamp=int(issued.timestamp()),
            **options,
        )
    except typst.TypstError as error:
        raise NotInvoiceable(Reason.UNPRINTABLE, f"invoice {invoice.number}: {error.message}") from error
    return bytes(made)


def _compiler() -> Any:
    """One for each thread: a compiler remembers the fonts and the template, and is not shared."""
    if not hasattr(_compilers, "own"):
        _compilers.own = typst.Compiler(str(TEMPLATE), font_paths=_FONTS)
    return _compilers.own


def page(invoice: Invoice) -> dict[str, Any]:
    """All that the template prints, as text."""
    money = _money(invoice.currency)
    rate = f"{_plain(invoice.vat_rate * 100)} %"
    started = local(invoice.issuer, invoice.started_at)
    ended = invoice.issued_at
    return {
        "number": invoice.number,
        "moment": [ended.year, ended.month, ended.day, ended.hour, ended.minute, ended.second],
        "issuer": {
            "name": invoice.issuer.legal_name,
            "address": [*invoice.issuer.address, invoice.issuer.country],
            "vat": invoice.issuer.vat_number,
            "contact": invoice.issuer.contact,
        },
        "customer": invoice.rider_id,
        "issued": _day(ended),
        "supplied": _span(started, ended),
        "zone": f"{invoice.issuer.zone}, UTC{ended.isoformat()[-6:]}",
        "trip": invoice.trip_id,
        "vehicle": invoice.vehicle_id,
        "model": f"{invoice.model_id} ({invoice.vehicle_type})",
        "schedule": invoice.schedule,
        "currency": invoice.currency,
        "rate": rate,
        "lines": [_line(line, invoice, rate) for line in invoice.lines],
        "net": money(invoice.net_minor),
        "vat_amount": money(invoice.vat_minor),
        "gross": money(invoice.gross_minor),
        "paid": _paid(invoice),
    }


def _line(line: Line, invoice: Invoice, rate: str) -> dict[str, str]:
    money = _money(invoice.currency)
    return {
        "what": _WORDS[line.item],
        "quantity": _duration(line.quantity) if line.item is Item.RIDE else str(line.quantity),
        "unit": _unit_price(line.unit_minor, invoice.currency) + (" / min" if line.item is Item.RIDE else ""),
        "net": money(line.net_minor),
        "rate": rate,
        "vat": money(line.vat_minor),
        "gross": money(line.gross_minor),
    }


def _paid(invoice: Invoice) -> list[dict[str, str]]:
    money = _money(invoice.currency)
    parts = (("Wallet of the sharing group", invoice.wallet_minor), ("Rider's payment card", invoice.card_minor))
    return [{"how": how, "amount": money(amount)} for how, amount in parts if amount]


def _money(currency: str) -> Callable[[int], str]:
    """Amounts in this currency, without its code: `1,234.56`."""
    return lambda amount_minor: format_minor(amount_minor, currency).removesuffix(f" {currency}")


def _unit_price(unit_minor: Decimal, currency: str) -> str:
    """A price per unit with all its decimals, at least those of the currency: `0.255`."""
    exponent = DECIMALS.get(currency, 2)
    exact = unit_minor.scaleb(-exponent).normalize()
    decimals = -int(exact.as_tuple().exponent)
    return f"{exact:,.{max(decimals, exponent)}f}"


def _plain(number: Decimal) -> str:
    """`25` for 25.000000000, `8.1` for 8.100000000."""
    return f"{number.normalize():f}"


def _duration(seconds: int) -> str:
    """To the second, as the fare is: `1 h 02 min 05 s`."""
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return (f"{hours} h {minutes:02d}" if hours else str(minutes)) + f" min {seconds:02d} s"


def _span(started: datetime, ended: datetime) -> list[str]:
    """Two lines: the day and the times, or two moments where the ride went over midnight."""
    if started.date() == ended.date():
        return [_day(started), f"{started:%H:%M:%S} – {ended:%H:%M:%S}"]
    return [f"{_day(started)}, {started:%H:%M:%S}", f"to {_day(ended)}, {ended:%H:%M:%S}"]


def _day(moment: datetime) -> str:
    return f"{moment.day} {_MONTHS[moment.month - 1]} {moment.year}"
