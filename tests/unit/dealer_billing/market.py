"""An auction for tests: Lotus says what is sold, lots and dealers' books hear of each other.

`market.concluded("L1", 1, "D1", 1_000)` is what Lotus says, `market.price` and `market.winner` likewise; each gives the
lot's events, or its refusal. What books write to each other is delivered at once, or, with `is_slow`, by
`market.deliver()`. `market.tick("2026-04-02T00:00Z")` is the time. Five per cent are ours; months end in Moscow, and
are billed a day later.
"""

from collections import deque
from decimal import Decimal
from typing import Any, TypeVar

from schemas.billing import ReportCommission
from schemas.dealer_reference import COMMISSION, CommissionPolicy, CommissionRate
from schemas.fields import Contract, Fact
from schemas.lots import (
    ChargeDeal,
    CommissionBilled,
    DealConcluded,
    DealKind,
    LotAnswer,
    LotPriceChanged,
    LotWinnerChanged,
    TakeBackDeal,
)
from streams.dealer_billing.commission import Month
from streams.dealer_billing.conditions import hear_policy, hear_rate
from streams.dealer_billing.deal_row import Deal
from streams.dealer_billing.deals_room import DealerDeals, DealTables
from streams.dealer_billing.lot import Lot
from streams.dealer_billing.lots_room import DealerLots
from streams.dealer_billing.room import Tables
from streams.ledger.draft import Draft, Ledger, Refused
from streams.runtime.rows import Rows
from tests.rooms import moment

from .book import DealerBook, paid

MARCH = moment("2026-03-10T12:00:00Z")
AUCTION, FAST_BUYOUT = DealKind.AUCTION, DealKind.FAST_BUYOUT

Said = TypeVar("Said")
Row = TypeVar("Row")


def rate(share: str, valid_from: int = 0, version: int = 1) -> CommissionRate:
    return CommissionRate(rate_id=f"r{version}", version=version, share=Decimal(share), valid_from=valid_from)


class Buyer(DealerBook):
    """A dealer's book with what he buys; `sent` is all that it has said to Billing and to lots."""

    def __init__(self, dealer_id: str, rates: Rows[CommissionRate], policies: Rows[CommissionPolicy]) -> None:
        super().__init__(dealer_id)
        self.deals: Rows[Deal] = Rows(Deal, due=lambda deal: deal.again_at)
        self.months: Rows[Month] = Rows(Month, due=lambda month: month.due)
        self.now = MARCH
        self.said: list[Fact] = []
        bought = DealTables(self.deals, self.months, rates, policies)
        self.room = DealerDeals(Tables(*self.kept), bought, Ledger(*self.money))

    def give(self, message: Contract) -> list[Fact] | Refused:
        draft = Draft(self.book, self.now, Ledger(*self.money))
        verdict = self.room.decide(draft, message)
        if isinstance(verdict, Refused):
            self.said += self.room.refusal(message, verdict)
            return verdict
        return self._carry_out(draft, list(verdict))

    def pass_time(self, now: int) -> list[Fact]:
        self.now, told = now, list[Fact]()
        for due in self.room.due(now):
            assert not isinstance(due.verdict, Refused)
            told += self._carry_out(due.draft, list(due.verdict))
        return told

    def _carry_out(self, draft: Draft, events: list[Fact]) -> list[Fact]:
        draft.commit()
        for event in events:
            self.room.evolve(event)
        self.said += events
        return events

    def deal(self, lot_id: str) -> Deal:
        return self.deals[f"{self.book}|{lot_id}"]

    def month(self, month: str, currency: str = "EUR") -> Month:
        return self.months[f"{self.book}|{month}|{currency}"]

    def reported(self, lot_id: str) -> list[tuple[int, int]]:
        """What Billing was told of a lot's commission: which report it was, and how much."""
        reports = [each for each in self.said if isinstance(each, ReportCommission) and each.lot_id == lot_id]
        return [(report.version, report.commission_minor) for report in reports]

    def billed(self) -> list[tuple[str, int, tuple[str, ...]]]:
        """The months' bills that were drafted."""
        bills = [each for each in self.said if isinstance(each, CommissionBilled)]
        return [(bill.bill_id, bill.total.amount_minor, bill.lots) for bill in bills]


class Market:
    """Dealers with open accounts, and the lots that they buy."""

    def __init__(self, *dealers: str, is_slow: bool = False) -> None:
        self.rates: Rows[CommissionRate] = Rows(CommissionRate)
        self.policies: Rows[CommissionPolicy] = Rows(CommissionPolicy)
        self.rates["r1"] = rate("0.05")
        self.set_policy("Europe/Moscow", 1)
        self.buyers = {dealer: Buyer(dealer, self.rates, self.policies) for dealer in dealers or ("D1", "D2")}
        self.lots: Rows[Lot] = Rows(Lot)
        self.room = DealerLots(self.lots)
        self.told: list[Fact] = []
        """What lots have said."""
        self.now = MARCH
        self.post: dict[tuple[str, str], deque[Any]] = {}
        """By writer and reader: between two books the order is kept."""
        self._is_slow = is_slow
        self._heard = dict.fromkeys(self.buyers, 0)

    def set_policy(self, zone: str, days: int) -> None:
        self.policies[COMMISSION] = CommissionPolicy(policy_id=COMMISSION, zone=zone, bill_after_days=days)

    def hear_rate(self, rate: CommissionRate) -> None:
        """Change data tells every dealer's book of a rate."""
        for buyer in self.buyers.values():
            hear_rate(_copied(self.rates, CommissionRate), buyer.deals, rate.rate_id, rate)
        self.rates[rate.rate_id] = rate

    def hear_policy(self, zone: str, days: int) -> None:
        """Change data tells every dealer's book of a policy."""
        policy = CommissionPolicy(policy_id=COMMISSION, zone=zone, bill_after_days=days)
        for buyer in self.buyers.values():
            hear_policy(_copied(self.policies, CommissionPolicy), buyer.months, COMMISSION, policy)
        self.policies[COMMISSION] = policy

    # ---- Lotus

    def concluded(
        self, lot_id: str, version: int, dealer_id: str, price: int, kind: DealKind = AUCTION, at: int | None = None,
        currency: str = "EUR",
    ) -> list[Fact] | Refused:  # fmt: skip
        return self.say(
            DealConcluded(
                lot_id=lot_id,
                version=version,
                dealer_id=dealer_id,
                kind=kind,
                price=paid(price, currency),
                concluded_at=MARCH if at is None else at,
            )
        )

    def price(self, lot_id: str, version: int, price: int, currency: str = "EUR") -> list[Fact] | Refused:
        return self.say(LotPriceChanged(lot_id=lot_id, version=version, price=paid(price, currency)))

    def winner(self, lot_id: str, version: int, dealer_id: str) -> list[Fact] | Refused:
        return self.say(LotWinnerChanged(lot_id=lot_id, version=version, dealer_id=dealer_id))

    def say(self, message: Contract) -> list[Fact] | Refused:
        book = f"lot:{message.lot_id}"  # type: ignore[attr-defined]
        verdict = self.room.decide(Draft(book, self.now, Ledger({}, {}, {})), message)  # type: ignore[arg-type]
        if isinstance(verdict, Refused):
            return verdict
        self.told += verdict
        for event in verdict:
            self.room.evolve(event)
            if isinstance(event, ChargeDeal | TakeBackDeal):
                self.post.setdefault((book, event.dealer_id), deque()).append(event)
        if not self._is_slow:
            self.deliver()
        return list(verdict)

    # ---- between books

    def deliver(self) -> None:
        """Everything that is on its way."""
        while ways := [way for way, messages in self.post.items() if messages]:
            self.deliver_one(ways[0])

    def deliver_one(self, way: tuple[str, str]) -> None:
        message = self.post[way].popleft()
        if isinstance(message, LotAnswer):
            self.say(message)
        elif message.dealer_id in self.buyers:
            self.buyers[message.dealer_id].give(message)
        self.gather()

    def gather(self) -> None:
        """What dealers' books have said to lots."""
        for dealer, buyer in self.buyers.items():
            for event in buyer.said[self._heard[dealer] :]:
                if isinstance(event, LotAnswer):
                    self.post.setdefault((dealer, event.lot_id), deque()).append(event)
            self._heard[dealer] = len(buyer.said)

    # ---- time

    def tick(self, now: str | int) -> list[Fact]:
        """What the dealers' books do at a moment; Billing issues nothing by itself."""
        self.now = moment(now) if isinstance(now, str) else now
        told = [event for buyer in self.buyers.values() for event in buyer.pass_time(self.now)]
        self.gather()
        if not self._is_slow:
            self.deliver()
        return told


def said(buyer: Buyer, kind: type[Said]) -> list[Said]:
    """What a dealer's book has said of a kind."""
    return [event for event in buyer.said if isinstance(event, kind)]


def _copied(rows: Rows[Row], kind: type[Row]) -> Rows[Row]:
    """Each book's partition has rows of its own."""
    copies: Rows[Row] = Rows(kind)
    for key in rows:
        copies[key] = rows[key]
    return copies
