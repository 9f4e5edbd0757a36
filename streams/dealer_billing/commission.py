"""Our percentage of what dealers buy at the auction, and its monthly bill (DLR-04, DLR-09).

    a month of a dealer    a deal comes    its price         it is taken back     a tick, when it is    Billing refuses
    in one currency                         changes                                time to bill          the bill
    (none)                 -> OPEN         .                 .                    .                     .
    OPEN                   accrued         accrued anew      accrued no more      one bill for all      .
                                                                                  its deals -> BILLED;
                                                                                  of nothing: none
    BILLED                 goes to the     the bill is       corrected; of the    .                     again a day
                           next month      corrected         last deal: voided                          later -> OPEN
                           not BILLED                        -> OPEN

A commission is the deal's price by the rate that was valid when it was concluded, rounded half up, once; a rate that
comes after deals were charged without it changes them as another price does. A bill is the sum of such whole amounts,
so that nothing is left to allocate. A month is one of the policy's zone. A deal that is told
late goes on the bill of its own month, if there is none yet, else on that of the next month without one. A month has
2,000 deals at most; more go to the next month in the same way. What is accrued is in these rows and in no account:
a receivable arises when Billing has the bill. Months are kept for ever, a row for each month in which a dealer bought.

A tick bills months that are over, each once, also several after a standstill. The policy that counts is that of the
moment; while there is none, nothing is billed.
"""

from datetime import date, datetime, time, timedelta
from decimal import ROUND_HALF_UP
from typing import Protocol, TypeAlias, assert_never
from zoneinfo import ZoneInfo

import msgspec
from msgspec.structs import replace

from schemas.billing import ReportCommission
from schemas.dealer_billing import AccountType, Operation
from schemas.dealer_bills import BillDrafted
from schemas.dealer_reference import CommissionPolicy, CommissionRate
from schemas.fields import LONGEST_TEXT, MAX_MINOR, Fact, Money, from_micros, to_micros
from schemas.lots import CommissionBilled, CommissionUnbilled, DealCharged, DealTakenBack
from schemas.refusals import Reason
from streams.dealer_billing.owing import draft_bill, replace_bill, take_back
from streams.dealer_billing.payment_row import Meant, Payment
from streams.dealer_billing.registration import Account
from streams.ledger.draft import Draft, Refused, refused

MAX_DEALS = 2_000
"""Deals of one month at most: bounds the row, and the events that name them."""
HOUR_US = 3_600_000_000
BILL = "commission"
"""The first part of these bills' ids, `commission:MONTH:CURRENCY:NUMBER:DEALER`. The dealer's id, cut where it does not
fit, makes them differ between dealers: a payment that is reported for the wrong dealer finds no bill of his."""
LONGEST_ID = 96

CommissionEvent: TypeAlias = DealCharged | DealTakenBack | CommissionBilled | CommissionUnbilled


class Accrued(msgspec.Struct, frozen=True):
    """A deal's commission, in minor units; it may be nothing."""

    lot_id: str
    commission_minor: int


class Month(msgspec.Struct, frozen=True, omit_defaults=True):
    """A dealer's commission of a month in one currency: billed at `bill_at`; on `bill_id`, the last of `number`."""

    bill_at: int
    deals: tuple[Accrued, ...] = ()
    bill_id: str | None = None
    number: int = 0

    @property
    def total_minor(self) -> int:
        """What its deals come to now."""
        return sum(deal.commission_minor for deal in self.deals)

    @property
    def due(self) -> int | None:
        """When it is billed, in UTC micros; None where it is billed already, or comes to nothing."""
        return self.bill_at if self.bill_id is None and self.total_minor else None


class Desk(Protocol):
    """What decisions about deals read of one dealer's book, and of reference data."""

    dealer_id: str

    def account(self, account: AccountType) -> Account | None: ...

    def month(self, month: str, currency: str) -> Month | None: ...

    def bill(self, bill_id: str) -> Meant: ...

    def waiting(self, bill_id: str) -> list[Payment]: ...


class Place(msgspec.Struct, frozen=True):
    """A month that a deal goes to, and when that is billed."""

    month: str
    bill_at: int


# ---- decide


def rate_at(rates: list[CommissionRate], at: int) -> CommissionRate | None:
    """The latest that was valid at a moment, in UTC micros."""
    valid = [rate for rate in rates if rate.valid_from <= at]
    return max(valid, key=lambda rate: (rate.valid_from, rate.version), default=None)


def commission_minor(rate: CommissionRate, price_minor: int) -> int:
    """Our percentage of a price, both in minor units, rounded half up, once."""
    return int((rate.share * price_minor).to_integral_value(ROUND_HALF_UP))


def place(desk: Desk, policy: CommissionPolicy, concluded_at: int, currency: str, minor: int) -> Place:
    """The month that a deal goes to: its own, or the next that is not billed and has room."""
    month = from_micros(concluded_at).astimezone(ZoneInfo(policy.zone)).strftime("%Y-%m")
    while (row := desk.month(month, currency)) is not None and not _takes(row, minor):
        month = following(month)
    return Place(month, bill_at(policy, month) if row is None else row.bill_at)


def bill_at(policy: CommissionPolicy, month: str) -> int:
    """When a month is billed, in UTC micros: so many days after its end, at midnight."""
    day = date.fromisoformat(f"{following(month)}-01") + timedelta(policy.bill_after_days)
    return to_micros(datetime.combine(day, time(), ZoneInfo(policy.zone)))


def following(month: str) -> str:
    """The month after a month."""
    year, number = map(int, month.split("-"))
    return f"{year + number // 12:04}-{number % 12 + 1:02}"


def bill_month(desk: Desk, month: str, currency: str, row: Month) -> list[Fact] | Refused:
    """Draft the month's bill. Refuses ACCOUNT_NOT_OPEN, which deals that are charged make impossible."""
    drafted = _drafted(desk, month, currency, row, row.total_minor, f"Commission of {month}")
    asked = draft_bill(desk.account(AccountType.COMMISSION), drafted)
    return asked if isinstance(asked, Refused) else [*asked, _billed(desk, month, row, drafted)]


def not_yet(policy: CommissionPolicy | None, month: str, now: int) -> int | None:
    """When to look again at a month that was due but may not be billed (any more), as the policy has changed."""
    if policy is None:
        return now + HOUR_US
    at = bill_at(policy, month)
    return at if at > now else None


def follow(draft: Draft, desk: Desk, month: str, currency: str, after: Month, reason: str) -> list[Fact] | Refused:
    """Let a month's bill follow what its deals come to `after` a change; nothing where it has none.

    Refuses AMOUNT_TOO_LARGE, and ACCOUNT_NOT_OPEN, which is impossible.
    """
    before, total = desk.month(month, currency), after.total_minor
    assert before is not None
    if total > MAX_MINOR:
        return refused(Reason.AMOUNT_TOO_LARGE, month=month, currency=currency, wanted=total)
    if before.bill_id is None or total == before.total_minor:
        return []
    meant, waiting = desk.bill(before.bill_id), desk.waiting(before.bill_id)
    if not total:
        told = take_back(draft, meant, waiting, desk.dealer_id, reason)
        unbilled = _unbilled(desk, month, currency, before.bill_id, before.bill_at)
        return told if isinstance(told, Refused) else [*told, unbilled]
    drafted = _drafted(desk, month, currency, before, total, f"Commission of {month}: {reason}")
    told = replace_bill(draft, desk.account(AccountType.COMMISSION), meant, waiting, drafted)
    return told if isinstance(told, Refused) else [*told, _billed(desk, month, after, drafted)]


def report(desk: Desk, lot_id: str, number: int, minor: int, currency: str) -> ReportCommission | Refused:
    """Tell Billing what a deal's commission comes to. Refuses ACCOUNT_NOT_OPEN."""
    row = desk.account(AccountType.COMMISSION)
    if row is None or row.contract_id is None:
        state = "none" if row is None else row.state
        return refused(Reason.ACCOUNT_NOT_OPEN, dealer=desk.dealer_id, account=AccountType.COMMISSION, state=state)
    return ReportCommission(
        call_id=f"{desk.dealer_id}/{AccountType.COMMISSION}/commission/{lot_id}/{number}",
        dealer_id=desk.dealer_id,
        account=AccountType.COMMISSION,
        contract_id=row.contract_id,
        lot_id=lot_id,
        version=number,
        commission_minor=minor,
        currency=currency,
    )


def refuse_bill(desk: Desk, bill_id: str, again_at: int) -> list[Fact]:
    """Billing has refused a month's bill: its deals are on none."""
    _, month, currency, _ = bill_id.split(":", 3)
    row = desk.month(month, currency)
    if row is None or row.bill_id != bill_id:
        return []
    return [_unbilled(desk, month, currency, bill_id, again_at)]


# ---- evolve


def evolve(row: Month | None, event: CommissionEvent) -> Month:
    """A month after an event."""
    if isinstance(event, DealCharged):
        assert event.bill_at is not None
        return accrue(row or Month(event.bill_at), event.lot_id, event.charged_minor)
    assert row is not None
    match event:
        case DealTakenBack():
            return give_up(row, event.lot_id)
        case CommissionBilled():
            assert event.total.amount_minor == row.total_minor
            return replace(row, bill_id=event.bill_id, number=event.number)
        case CommissionUnbilled():
            return replace(row, bill_id=None, bill_at=event.bill_at)
        case _:
            assert_never(event)


def month_of(event: CommissionEvent) -> tuple[str | None, str | None]:
    """The month and currency that an event is about; None where it is about no commission."""
    match event:
        case DealCharged():
            return event.month, event.terms.price.currency
        case CommissionBilled():
            return event.month, event.total.currency
        case DealTakenBack() | CommissionUnbilled():
            return event.month, event.currency
        case _:
            assert_never(event)


def accrue(row: Month, lot_id: str, minor: int) -> Month:
    """The month with this commission of a deal, in place of what it had for it."""
    return replace(row, deals=(*give_up(row, lot_id).deals, Accrued(lot_id, minor)))


def give_up(row: Month, lot_id: str) -> Month:
    """The month without a deal."""
    return replace(row, deals=tuple(deal for deal in row.deals if deal.lot_id != lot_id))


# ---- inside


def _takes(row: Month, minor: int) -> bool:
    return row.bill_id is None and len(row.deals) < MAX_DEALS and row.total_minor + minor <= MAX_MINOR


def _drafted(desk: Desk, month: str, currency: str, row: Month, total: int, text: str) -> BillDrafted:
    return BillDrafted(
        bill_id=f"{BILL}:{month}:{currency}:{row.number + 1}:{desk.dealer_id}"[:LONGEST_ID],
        dealer_id=desk.dealer_id,
        account=AccountType.COMMISSION,
        operation=Operation.GET_REWARD,
        common=Money(amount_minor=total, currency=currency),
        text=text[:LONGEST_TEXT],
        corrects=row.bill_id,
        month=month,
    )


def _billed(desk: Desk, month: str, row: Month, drafted: BillDrafted) -> CommissionBilled:
    return CommissionBilled(
        dealer_id=desk.dealer_id,
        month=month,
        bill_id=drafted.bill_id,
        number=row.number + 1,
        total=drafted.common,
        lots=tuple(deal.lot_id for deal in row.deals),
    )


def _unbilled(desk: Desk, month: str, currency: str, bill_id: str, again_at: int) -> CommissionUnbilled:
    return CommissionUnbilled(
        dealer_id=desk.dealer_id, month=month, currency=currency, bill_id=bill_id, bill_at=again_at
    )
