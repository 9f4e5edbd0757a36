"""What dealers are charged for lots, as lots, dealers' books and bills tell of it: the auditor's own fold.

A lot's buyer is charged as the lot says, and nobody else for it. A commission is the deal's price by the rate that was
valid when it was concluded, and is in one month; a month's bill, and that of a fast buyout, stands and comes to what it
is for (DLR-04, DLR-09). Where a dealer's book has refused what a lot asks, lot and book may differ: people were told.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction
from typing import NamedTuple

from streams.audit.bill import Bill
from streams.audit.evidence import Row, Told
from streams.audit.findings import Finding, Kind


class Key(NamedTuple):
    """A deal."""

    book: str
    lot_id: str


class Month(NamedTuple):
    """Whose commission, of when, and in which currency."""

    book: str
    month: str
    currency: str


class Deals:
    """Takes what lots and dealers' books tell, each book's events in their order."""

    def __init__(self) -> None:
        self._lots: dict[str, Row] = {}
        self._refused: dict[Key, bool] = {}
        self._deals: dict[Key, Told] = {}
        """The last event of each that is not taken back."""
        self._accrued: defaultdict[Month, dict[str, int]] = defaultdict(dict)
        """Commission by lot, in minor units."""
        self._months: dict[Month, str | None] = {}
        """The key of the bill that each is on."""
        self._bills: dict[str, Month | Key] = {}
        """What bills are for, by their keys."""

    def enter(self, told: Told) -> Iterator[Finding]:
        """Take one event. What is told of a month's bill is held to the deals that were told before it."""
        fields, book = told.fields, f"dealer:{told.fields.get('dealer_id')}"
        match told.name:
            case "LotSold":
                self._lots[fields["lot_id"]] = fields
            case "LotDealAnswered":
                self._refused[Key(book, fields["lot_id"])] = fields["answer"] == "refused"
            case "DealCharged" | "DealWaits" | "DealTakenBack":
                self._change(Key(book, fields["lot_id"]), told)
            case "CommissionBilled":
                month, bill = Month(book, fields["month"], fields["total"]["currency"]), f"{book}|{fields['bill_id']}"
                self._months[month] = bill
                accrued = self._accrued[month]
                expected = f"{sum(accrued.values())} for {sorted(accrued)}"
                if (found := f"{fields['total']['amount_minor']} for {sorted(fields['lots'])}") != expected:
                    yield Finding(Kind.DEALS_DIFFER, bill, expected, found)
            case "CommissionUnbilled":
                self._months[Month(book, fields["month"], fields["currency"])] = None
            case "BillDrafted" if fields.get("month"):
                self._bills[f"{book}|{fields['bill_id']}"] = Month(book, fields["month"], fields["common"]["currency"])
            case "BillDrafted" if fields.get("lot_id"):
                self._bills[f"{book}|{fields['bill_id']}"] = Key(book, fields["lot_id"])

    def differing(self, bills: Mapping[str, Bill], rates: Iterable[Row]) -> Iterator[Finding]:
        """What lots, deals, rates and bills say of each other that is not so, when nothing is on its way any more."""
        yield from self._sold()
        yield from self._rated(sorted(rates, key=lambda rate: rate["valid_from"]))
        yield from self._billed(bills)

    # ---- inside

    def _change(self, key: Key, told: Told) -> None:
        before = self._deals.pop(key, None)
        if before is not None and (month := _month_of(key, before)):
            del self._accrued[month][key.lot_id]
        if told.name != "DealTakenBack":
            self._deals[key] = told
        if month := _month_of(key, told):
            self._accrued[month][key.lot_id] = told.fields["charged_minor"]

    def _sold(self) -> Iterator[Finding]:
        """A lot's buyer has its newest version, and nobody else stands for it."""
        expected = {Key(f"dealer:{lot['dealer_id']}", lot_id): lot for lot_id, lot in self._lots.items()}
        for key in sorted(expected.keys() | self._deals.keys()):
            if self._refused.get(key):
                continue
            lot, deal = expected.get(key), self._deals.get(key)
            said = None if lot is None else (lot["version"], lot["terms"])
            stands = None if deal is None else (deal.fields["version"], deal.fields["terms"])
            if said != stands:
                yield Finding(Kind.DEALS_DIFFER, "|".join(key), f"{said}, as the lot", str(stands))

    def _rated(self, rates: list[Row]) -> Iterator[Finding]:
        """A commission is the price by the rate of its moment, rounded half up, once."""
        for key, deal in self._deals.items():
            if _month_of(key, deal) is None:
                continue
            terms = deal.fields["terms"]
            shares = [rate["share"] for rate in rates if rate["valid_from"] <= terms["concluded_at"]]
            exact = Fraction(shares[-1]) * terms["price"]["amount_minor"] if shares else None
            owed = None if exact is None else (2 * exact.numerator + exact.denominator) // (2 * exact.denominator)
            if deal.fields["charged_minor"] != owed:
                expected = f"{owed}, by the rate of its moment"
                yield Finding(Kind.DEALS_DIFFER, "|".join(key), expected, str(deal.fields["charged_minor"]))

    def _billed(self, bills: Mapping[str, Bill]) -> Iterator[Finding]:
        """What is on a bill is on one that stands, of that sum; and a bill that stands is of what is on it."""
        owed: dict[str, tuple[int, str]] = {}
        for month, bill_id in self._months.items():
            if bill_id is not None:
                owed[bill_id] = sum(self._accrued[month].values()), month.currency
        for key, deal in self._deals.items():
            if deal.name == "DealCharged" and deal.fields["bill_id"] is not None:
                price = deal.fields["terms"]["price"]
                owed[f"{key.book}|{deal.fields['bill_id']}"] = price["amount_minor"], price["currency"]
        standing = {
            bill_id: (bills[bill_id].common, bills[bill_id].currency)
            for bill_id in self._bills.keys() | owed.keys()
            if bill_id in bills and bills[bill_id].life in ("draft", "sent")
        }
        for bill_id in sorted(owed.keys() | standing.keys()):
            if owed.get(bill_id) != standing.get(bill_id):
                expected = f"{owed.get(bill_id)}, for {self._bills.get(bill_id)}"
                yield Finding(Kind.DEALS_DIFFER, bill_id, expected, str(standing.get(bill_id)))


def _month_of(key: Key, deal: Told) -> Month | None:
    """In which month the commission of a deal that is charged is."""
    if deal.name != "DealCharged" or deal.fields["month"] is None:
        return None
    return Month(key.book, deal.fields["month"], deal.fields["terms"]["price"]["currency"])
