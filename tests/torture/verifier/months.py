"""Commission by the month: what it comes to, when it is billed, and how its bill follows it, by DLR-04 and DLR-09."""

from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from zoneinfo import ZoneInfo

from tests.torture.facts import Facts
from tests.torture.verifier import dealers
from tests.torture.verifier.dealers import Told
from tests.torture.verifier.model import Fields, Model, Verdict

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
DAY_US = 24 * 3_600_000_000
MOST_DEALS, MOST_MINOR, LONGEST_ID = 2_000, 10**15, 96


def commission(facts: Facts, concluded_at: int, price: int) -> int | None:
    """Our part of a price, rounded half up; None where no rate was valid."""
    shares = [share for share, valid_from in facts.dealing.rates if valid_from <= concluded_at]
    return int((shares[-1] * Decimal(price)).to_integral_value(ROUND_HALF_UP)) if shares else None


def place(model: Model, book: str, concluded_at: int, currency: str, minor: int) -> str:
    """The deal's own month, or the next that is not billed and has room."""
    moment = (EPOCH + concluded_at * MICROSECOND).astimezone(ZoneInfo(model.facts.dealing.zone))
    month = f"{moment.year:04}-{moment.month:02}"
    while row := model.months.get(f"{book}|{month}|{currency}"):
        if row["bill"] is None and len(row["deals"]) < MOST_DEALS and _total(row) + minor <= MOST_MINOR:
            break
        month = _next(month)
    return month


def accrue(told: Told, month: str, currency: str, lot_id: str, minor: int) -> None:
    """A deal comes to a month that has no bill."""
    key = f"{told.book}|{month}|{currency}"
    row = told.model.months.setdefault(
        key, {"bill_at": bill_at(told.model.facts, month), "deals": {}, "bill": None, "number": 0}
    )
    row["deals"].pop(lot_id, None)
    row["deals"][lot_id] = minor


def follow(told: Told, month: str, currency: str, lot_id: str, minor: int | None, why: str) -> None:
    """A deal of a month comes to something else, or goes: what the month is billed by follows."""
    row = told.model.months[f"{told.book}|{month}|{currency}"]
    before, dealer = _total(row), told.book.removeprefix("dealer:")
    row["deals"].pop(lot_id)
    if minor is not None:
        row["deals"][lot_id] = minor
    if row["bill"] is None or _total(row) == before:
        return
    if not _total(row):
        dealers.take_back(told, dealer, row["bill"], why)
        row["bill"] = None
        return
    amount, successor = {"amount_minor": _total(row), "currency": currency}, _bill_id(row, month, currency, dealer)
    dealers.replace(told, dealer, row["bill"], successor, amount, f"Commission of {month}: {why}")
    row |= {"bill": successor, "number": row["number"] + 1}


def bill(model: Model, book: str, month: str, currency: str, now: int) -> Verdict | None:
    """A tick bills a month that is over, once; None if it may not."""
    row = model.months.get(f"{book}|{month}|{currency}")
    if row is None or not is_due(model.facts, month, row, now):
        return None
    told, dealer = Told(model, book), book.removeprefix("dealer:")
    bill_id, amount = _bill_id(row, month, currency, dealer), {"amount_minor": _total(row), "currency": currency}
    dealers.draft(told, dealer, bill_id, "COMMISSION", amount, f"Commission of {month}")
    row |= {"bill": bill_id, "number": row["number"] + 1}
    return told.verdict()


def unbill(model: Model, book: str, bill_id: str, at: int) -> None:
    """Billing has refused a month's bill: another one a day later."""
    _, month, currency, _ = bill_id.split(":", 3)
    row = model.months[f"{book}|{month}|{currency}"]
    if row["bill"] == bill_id:
        row |= {"bill": None, "bill_at": at + DAY_US}


def is_due(facts: Facts, month: str, row: Fields, now: int) -> bool:
    """Whether a month is to be billed: never before its end."""
    return row["bill"] is None and _total(row) > 0 and max(row["bill_at"], bill_at(facts, month)) <= now


def bill_at(facts: Facts, month: str) -> int:
    """Midnight of the zone, some days after the month's end."""
    year, number = map(int, _next(month).split("-"))
    first = datetime(year, number, 1, tzinfo=ZoneInfo(facts.dealing.zone))
    return (first + timedelta(days=facts.dealing.bill_after_days) - EPOCH) // MICROSECOND


def _bill_id(row: Fields, month: str, currency: str, dealer: str) -> str:
    return f"commission:{month}:{currency}:{row['number'] + 1}:{dealer}"[:LONGEST_ID]


def _total(row: Fields) -> int:
    return sum(row["deals"].values())


def _next(month: str) -> str:
    year, number = map(int, month.split("-"))
    return f"{year + number // 12:04}-{number % 12 + 1:02}"
