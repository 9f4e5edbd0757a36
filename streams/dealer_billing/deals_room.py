"""The room of dealer billing with what lots bring into it: deals, commission and settlements, over one partition."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, Protocol, TypeVar

from msgspec.structs import replace

from schemas.billing import BillingDone, BillingRefused, CallRefused, ReportCommission
from schemas.dealer_billing import AccountType, Refused
from schemas.dealer_bills import BillVoided, CorrectBill, CreateBill, VoidBill
from schemas.dealer_reference import COMMISSION, CommissionPolicy, CommissionRate
from schemas.fields import Contract, Fact
from schemas.lots import (
    ChargeDeal,
    CommissionBilled,
    CommissionUnbilled,
    DealAnswer,
    DealCharged,
    DealTakenBack,
    DealWaits,
    LotAnswer,
    TakeBackDeal,
)
from schemas.refusals import Reason
from streams.dealer_billing import commission, deal, deal_row, settlement
from streams.dealer_billing.accounts import DEALER, dealer_of
from streams.dealer_billing.commission import CommissionEvent, Month
from streams.dealer_billing.deal import AGAIN_US, REFUSED_US
from streams.dealer_billing.deal_row import Deal, DealDesk, DealEvent, State
from streams.dealer_billing.payment_row import Meant, Payment
from streams.dealer_billing.registration import Account
from streams.dealer_billing.room import DealerBilling, Tables
from streams.ledger import draft as drafts
from streams.ledger.draft import Draft, Ledger, refused
from streams.ledger.tables import DueRows, Rows
from streams.rooms import DUE_PER_TICK, DueDecision, Verdict

OURS = (f"{settlement.BILL}:", f"{commission.BILL}:")
"""The first parts of the ids of bills that follow from lots."""

Row = TypeVar("Row")


class Listed(Rows[Row], Protocol[Row]):
    """Rows of which there are so few that all may be looked at."""

    def __iter__(self) -> Iterator[str]: ...


class DealTables(NamedTuple):
    """One partition of what deals and commission are kept in, and of what they go by."""

    deals: DueRows[Deal]
    """By `book|lot`, due when a deal that waits is tried again, or one is to be looked at for its rate."""
    months: DueRows[Month]
    """By `book|month|currency`, due when the month is billed."""
    rates: Listed[CommissionRate]
    """By rate id."""
    policies: Rows[CommissionPolicy]
    """By policy id: there is one."""


class DealerDeals(DealerBilling):
    """Decides the dealers in one partition, with what they buy."""

    def __init__(self, tables: Tables, deals: DealTables, ledger: Ledger) -> None:
        super().__init__(tables, ledger)
        self._deals = deals

    # ---- decide

    def decide(self, draft: Draft, message: Contract) -> Verdict:
        """Answer one message of upstream, of Billing, of a lot, or of another dealer's book."""
        desk = BookDesk(self, draft.book)
        match message:
            case ChargeDeal():
                return deal.charge(draft, desk, message)
            case TakeBackDeal():
                return deal.take_back_deal(draft, desk, message)
            case BillingDone() | BillingRefused() if message.lot_id is not None:
                return _hear_of_report(message)
            case BillingRefused():
                return self._hear_refusal(draft, desk, message)
            case CreateBill() | VoidBill() | CorrectBill():
                verdict = super().decide(draft, message)
                return verdict if isinstance(verdict, drafts.Refused) else _unless_ours(message, verdict)
            case _:
                return super().decide(draft, message)

    def _hear_refusal(self, draft: Draft, desk: DealDesk, message: BillingRefused) -> Verdict:
        """A bill that follows from lots and is refused leaves its deals on none: they are billed again later."""
        verdict = super().decide(draft, message)
        if isinstance(verdict, drafts.Refused):
            return verdict
        events, again_at = list(verdict), draft.at + REFUSED_US
        for voided in (event for event in verdict if isinstance(event, BillVoided)):
            if voided.bill_id.startswith(f"{settlement.BILL}:"):
                figures = {"bill": voided.bill_id, "code": message.code, "text": message.text}
                events += deal.refuse_bill(desk, voided.bill_id, figures, again_at)
            elif voided.bill_id.startswith(f"{commission.BILL}:"):
                events += commission.refuse_bill(desk, voided.bill_id, again_at)
        return events

    # ---- evolve

    def evolve(self, event: Fact) -> None:
        """Change the rows that an event changes."""
        match event:
            case DealCharged() | DealTakenBack():
                self._change_month(event)
                self._change_deal(event)
            case DealWaits() | ReportCommission():
                self._change_deal(event)
            case CommissionBilled() | CommissionUnbilled():
                self._change_month(event)
            case LotAnswer():
                pass  # for the lot
            case _:
                super().evolve(event)

    def _change_deal(self, event: DealEvent) -> None:
        rows, key = self._deals.deals, f"{DEALER}{event.dealer_id}|{event.lot_id}"
        rows[key] = deal_row.evolve(rows.get(key), event)

    def _change_month(self, event: CommissionEvent) -> None:
        month, currency = commission.month_of(event)
        if month is not None:
            rows, key = self._deals.months, f"{DEALER}{event.dealer_id}|{month}|{currency}"
            rows[key] = commission.evolve(rows.get(key), event)

    def refusal(self, message: Contract, refused: drafts.Refused) -> list[Fact]:
        """The event that says no; a lot that has asked hears it too."""
        if not isinstance(message, ChargeDeal | TakeBackDeal):
            return super().refusal(message, refused)
        no = Refused(
            dealer_id=message.dealer_id, refused_id=message.lot_id, reason=refused.reason, figures=refused.figures
        )
        return [no, deal.answer(message, DealAnswer.REFUSED, refused)]

    # ---- time

    def due(self, now: int) -> Iterable[DueDecision]:
        """Try again what could not be charged, bill the months that are over."""
        yield from super().due(now)
        yield from self._deals_due(now)
        yield from self._months_due(now)

    def _deals_due(self, now: int) -> Iterator[DueDecision]:
        rows = self._deals.deals
        for key in rows.due(now, DUE_PER_TICK):
            row, (book, lot_id) = rows.get(key), key.split("|")
            assert row is not None
            draft, desk = Draft(book, now, self._ledger), BookDesk(self, book)
            if row.state is State.CHARGED:
                told, which = deal.rate_again(draft, desk, lot_id, row), f"{row.reports + 1}|rated"
                later = now + AGAIN_US if told else None
            else:
                told, which = deal.try_again(desk, lot_id, row), f"{row.version}|{now}|again"
                later = now + AGAIN_US
            if told and not isinstance(told, drafts.Refused):
                yield DueDecision(f"{key}|{which}", draft, told)
            else:
                rows[key] = replace(row, again_at=later)

    def _months_due(self, now: int) -> Iterator[DueDecision]:
        rows, policy = self._deals.months, self._deals.policies.get(COMMISSION)
        for key in rows.due(now, DUE_PER_TICK):
            row, (book, month, currency) = rows.get(key), key.split("|")
            assert row is not None
            if (later := commission.not_yet(policy, month, now)) is not None:
                rows[key] = replace(row, bill_at=later)
                continue
            verdict = commission.bill_month(BookDesk(self, book), month, currency, row)
            assert not isinstance(verdict, drafts.Refused), verdict
            yield DueDecision(f"{key}|{row.number + 1}|billed", Draft(book, now, self._ledger), verdict)


class BookDesk:
    """What a decision about deals reads: see `deal_row.DealDesk`."""

    def __init__(self, room: DealerDeals, book: str, told: Sequence[Fact] = ()) -> None:
        self._room, self._book, self._told = room, book, told
        self.dealer_id = dealer_of(book)

    def after(self, events: Sequence[Fact]) -> "BookDesk":
        return BookDesk(self._room, self._book, (*self._told, *events))

    @property
    def rates(self) -> list[CommissionRate]:
        rows = self._room._deals.rates
        return [rate for rate in map(rows.get, rows) if rate is not None]

    @property
    def policy(self) -> CommissionPolicy | None:
        return self._room._deals.policies.get(COMMISSION)

    @property
    def is_known(self) -> bool:
        return self._room._tables.dealers.get(self.dealer_id) is not None

    def account(self, account: AccountType) -> Account | None:
        return self._room._account(self._book, account)

    def deal(self, lot_id: str) -> Deal | None:
        row = self._room._deals.deals.get(f"{self._book}|{lot_id}")
        for event in self._told:
            if isinstance(event, DealEvent) and event.lot_id == lot_id:
                row = deal_row.evolve(row, event)
        return row

    def month(self, month: str, currency: str) -> Month | None:
        row = self._room._deals.months.get(f"{self._book}|{month}|{currency}")
        for event in self._told:
            if isinstance(event, CommissionEvent) and commission.month_of(event) == (month, currency):
                row = commission.evolve(row, event)
        return row

    def bill(self, bill_id: str) -> Meant:
        return self._room._exactly(self._book, bill_id)

    def waiting(self, bill_id: str) -> list[Payment]:
        return self._room._waiting(self._book, bill_id)


def _hear_of_report(answer: BillingDone | BillingRefused) -> list[Fact]:
    """Billing has what a commission comes to; where it will not, somebody has to see to it there."""
    if isinstance(answer, BillingDone):
        return []
    return [
        CallRefused(
            dealer_id=answer.dealer_id,
            call_id=answer.call_id,
            account=answer.account,
            code=answer.code,
            text=answer.text,
            lot_id=answer.lot_id,
        )
    ]


def _unless_ours(command: CreateBill | VoidBill | CorrectBill, verdict: Verdict) -> Verdict:
    """Bills that follow from lots change with them: nobody else makes, voids or corrects one."""
    ids = (command.bill_id, command.successor_id) if isinstance(command, CorrectBill) else (command.bill_id,)
    ours = next((bill_id for bill_id in ids if bill_id.startswith(OURS)), None)
    return verdict if ours is None else refused(Reason.NOT_PERMITTED, bill=ours, follows_from="lots")
