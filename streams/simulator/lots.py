"""Lots in a run: what Lotus says of them from a seed, and what must hold between their books and those of dealers."""

import random
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Any

from schemas.fields import Message, Money
from schemas.lots import DealConcluded, DealKind, LotPriceChanged, LotWinnerChanged
from schemas.publishing import Upstream
from schemas.topics import LOT_DEALS
from streams.demo.day import DAY_START_US, HOUR_US, plan
from streams.simulator.worker import Worker

LOTS_EACH = 2
MOST_CHANGES = 3
MOST_DAYS_AGO = 70
"""How long before the day deals were concluded: over the ends of two months, which are billed at once then."""
STRANGER_SHARE, DOLLARS_SHARE, DISORDER_SHARE = 0.05, 0.1, 0.15


def stories(rnd: random.Random, dealers: Sequence[str]) -> Iterator[Upstream]:
    """Every lot's versions, mostly in their order; lots between each other."""
    lots = [list(_versions(rnd, dealers, f"lot-{number:03}")) for number in range(LOTS_EACH * len(dealers))]
    for versions in lots:
        if rnd.random() < DISORDER_SHARE:
            rnd.shuffle(versions)
    while left := [versions for versions in lots if versions]:
        yield rnd.choice(left).pop(0)


def _versions(rnd: random.Random, dealers: Sequence[str], lot_id: str) -> Iterator[Upstream]:
    yield _event(_concluded(rnd, dealers, lot_id, 1))
    for version in range(2, 2 + rnd.randrange(MOST_CHANGES + 1)):
        message: Message
        fate = rnd.random()
        if fate < 0.4:
            message = LotPriceChanged(lot_id=lot_id, version=version, price=_price(rnd))
        elif fate < 0.85:
            message = LotWinnerChanged(lot_id=lot_id, version=version, dealer_id=_buyer(rnd, dealers))
        else:
            message = _concluded(rnd, dealers, lot_id, version)
        yield _event(message)


def _concluded(rnd: random.Random, dealers: Sequence[str], lot_id: str, version: int) -> DealConcluded:
    return DealConcluded(
        lot_id=lot_id,
        version=version,
        dealer_id=_buyer(rnd, dealers),
        kind=rnd.choice((DealKind.AUCTION, DealKind.AUCTION, DealKind.FAST_BUYOUT)),
        price=_price(rnd),
        concluded_at=DAY_START_US - rnd.randrange(MOST_DAYS_AGO) * 24 * HOUR_US,
    )


def _buyer(rnd: random.Random, dealers: Sequence[str]) -> str:
    return rnd.choice(dealers) if rnd.random() >= STRANGER_SHARE else "dlr-stranger"


def _price(rnd: random.Random) -> Money:
    currency = "USD" if rnd.random() < DOLLARS_SHARE else "EUR"
    return Money(amount_minor=rnd.randrange(1, 900_000), currency=currency)


def _event(message: Any) -> Upstream:
    event_id = f"{message.lot_id}-v{message.version}"
    return plan(LOT_DEALS, message, event_id, 10 * HOUR_US, "lotus").event


# ---- what must hold at the end

Rows = dict[str, Any]


def astray(workers: Iterable[Worker]) -> Iterator[str]:
    """What differs between lots, dealers' deals, their months and their bills, when nothing is on its way any more."""
    tables: dict[str, Rows] = defaultdict(dict)
    for worker in workers:
        for table in worker.tables:
            for partition in worker.partitions:
                tables[table.name] |= table.peek(partition)
    yield from _lots(tables["dealer_lots"], tables["deals"])
    yield from _rated(tables["deals"], tables["commission_rates"])
    yield from _months(tables["commission_months"], tables["deals"], tables["bills"])


def _lots(lots: Rows, deals: Rows) -> Iterator[str]:
    """A lot's buyer has its newest version, and nobody else is charged for it."""
    standing: dict[str, list[str]] = defaultdict(list)
    for key, deal in deals.items():
        if deal.state != "taken_back":
            standing[key.split("|")[1]].append(key)
    for book, lot in lots.items():
        lot_id = book.partition(":")[2]
        if lot.dealer_id is None:
            continue
        key = f"dealer:{lot.dealer_id}|{lot_id}"
        if standing[lot_id] != [key]:
            yield f"lot_astray: {book} is {lot.dealer_id}'s, but stands for {standing[lot_id]}"
        elif (deal := deals[key]).version != lot.version or deal.terms != lot.terms:
            yield f"lot_astray: {key} has version {deal.version}, and the lot {lot.version}"


def _rated(deals: Rows, rates: Rows) -> Iterator[str]:
    """A commission is that of the rate that was valid when the deal was concluded, whenever the rate came."""
    for key, deal in deals.items():
        if deal.state != "charged" or deal.bill_id is not None:
            continue
        valid = [rate for rate in rates.values() if rate.valid_from <= deal.terms.concluded_at]
        share = max(valid, key=lambda rate: rate.valid_from).share
        owed = int(share * deal.terms.price.amount_minor + Decimal("0.5"))
        if deal.charged_minor != owed:
            yield f"rate_astray: {key} is charged {deal.charged_minor}, but by {share} it is {owed}"


def _months(months: Rows, deals: Rows, bills: Rows) -> Iterator[str]:
    """A commission is in one month, a settlement on one bill; a bill comes to what it is for, and stands."""
    accrued: dict[str, list[int]] = defaultdict(list)
    for key, month in months.items():
        book = key.split("|")[0]
        for each in month.deals:
            accrued[f"{book}|{each.lot_id}"].append(each.commission_minor)
        if month.bill_id is not None:
            yield from _bill(f"{book}|{month.bill_id}", month.total_minor, bills)
    for key, deal in deals.items():
        is_charged = deal.state == "charged" and deal.bill_id is None
        if accrued[key] != ([deal.charged_minor] if is_charged else []):
            yield f"commission_astray: {key} is charged {deal.charged_minor}, but accrued {accrued[key]}"
        if deal.bill_id is not None:
            yield from _bill(f"{key.split('|')[0]}|{deal.bill_id}", deal.charged_minor, bills)


def _bill(key: str, common_minor: int, bills: Rows) -> Iterator[str]:
    bill = bills[key]
    if bill.life in ("voided", "corrected") or bill.common_minor != common_minor:
        yield f"bill_astray: {key} is {bill.life} of {bill.common_minor}, for {common_minor}"
