"""Lots, dealers, Billing and Lotus, told to the rooms and to the verifier's model at once, decision by decision."""

import random
from collections import Counter, deque
from collections.abc import Iterator
from decimal import Decimal
from itertools import count, islice

from schemas.dealer_billing import Dealer
from schemas.dealer_bills import HandOverPayment
from schemas.dealer_reference import COMMISSION, CommissionPolicy, CommissionRate
from schemas.fields import Contract, Fact
from schemas.lots import ChargeDeal, LotAnswer, TakeBackDeal
from schemas.topics import BILLING_CALLS
from streams.dealer_billing.commission import Month
from streams.dealer_billing.deal_row import Deal
from streams.dealer_billing.deals_room import DealerDeals, DealTables
from streams.dealer_billing.lot import Lot
from streams.dealer_billing.lots_room import DealerLots
from streams.dealer_billing.room import Tables
from streams.runtime.rows import Rows
from tests.rooms import DAY, HOUR, Stage, Told
from tests.torture.billing import Replies
from tests.torture.dealers import Dealers
from tests.torture.events import Event
from tests.torture.lots import Lots, now_us
from tests.torture.verifier import deals
from tests.torture.verifier.accounts import call
from tests.torture.verifier.check import RULES, SAYS
from tests.torture.verifier.model import Fields, Input, Model, Sent
from tests.torture.verifier.tables import _balance_row
from tests.unit.dealer_billing.book import new_rows
from tests.unit.torture.comparing import MESSAGES, differing, fields_of, plain, verdict
from tests.unit.torture.comparing import Tables as Rows_
from tests.unit.torture.stories import numbered, stories
from tests.unit.torture.test_torture_model import FACTS as FEW

FACTS = FEW._replace(dealers=["dlr-1", "dlr-2", "dlr-3", "dlr-4"])
BETWEEN = (ChargeDeal, TakeBackDeal, LotAnswer, HandOverPayment)
TIERS = [("small", "EUR", 5_000), ("middle", "EUR", 15_000), ("small", "USD", 10_000)]


class Both:
    """The rooms of lots and of dealers, the model of both, Billing, and the mail between books: late, but in order."""

    def __init__(self, seed: int) -> None:
        self.model, self.outcomes = Model(FACTS), Counter[tuple[str, str, str | None]]()
        self._dice, self._replies = random.Random(seed), Replies(seed)
        self._mail, self._answers = dict[str, deque[Fact]](), list[Event]()
        self.asked, self.done = list[tuple[str, Fields]](), dict[str, bool]()
        self._number = count()
        self.lots: Rows[Lot] = Rows(Lot)
        self.of_lots = Stage(lambda _: DealerLots(self.lots), self.lots)
        self.kept = new_rows()
        del self.kept.dealers["D1"]
        for dealer in FACTS.dealers:
            self.kept.dealers[dealer] = Dealer(dealer_id=dealer, cme_dealer_id=f"cme-{dealer}", name="Anvil Motors")
        self.deals: Rows[Deal] = Rows(Deal, due=lambda deal: deal.again_at)
        self.months: Rows[Month] = Rows(Month, due=lambda month: month.due)
        bought = DealTables(self.deals, self.months, rates(), policies())
        self.of_dealers = Stage(
            lambda ledger: DealerDeals(Tables(*self.kept), bought, ledger), *self.kept, self.deals, self.months
        )
        self.of_dealers.now = self.of_lots.now = now_us() + HOUR  # the load goes by the machine's clock
        for segment, currency, least in TIERS:
            self.kept.set_tier(segment, least, currency)
        self.model.tiers = list(TIERS)
        self.wait(1)

    # ---- what is said

    def tell(self, event: Event) -> None:
        message = MESSAGES[event.name].model_validate(event.fields)
        self._decide(event.key, event.name, message, event.fields, event.event_id, event.age_us)

    def deliver(self, most: int = 10**6) -> None:
        """What books have told each other, and what Billing has to say, in any order of books."""
        for _ in range(most):
            books = sorted(book for book, queue in self._mail.items() if queue)
            if self._answers and (not books or self._dice.random() < 0.3):
                event = self._answers.pop(self._dice.randrange(len(self._answers)))
                if event.name.startswith("Billing") and "call_id" in event.fields:
                    self.done.setdefault(event.fields["call_id"], event.name == "BillingDone")
                self.tell(event)
            elif books:
                book = self._dice.choice(books)
                message = self._mail[book].popleft()
                self._decide(book, type(message).__name__, message, fields_of(message), f"mail-{next(self._number)}")
            else:
                return

    def _decide(self, book: str, name: str, message: Contract, fields: Fields, event_id: str, age_us: int = 0) -> None:
        stage = self.of_lots if book.startswith("lot:") else self.of_dealers
        at = stage.now - age_us
        told = stage.send(message, id=event_id, at=at)  # type: ignore[arg-type]
        expected = self.model.answer(
            Input(told.entry.decision_id, event_id, "/upstream", at, book, name, fields), RULES
        )
        assert verdict(told.entry) == expected._replace(sent=()), (name, fields, told.figures)
        assert Counter(self._post(told)) == Counter(expected.sent), (name, fields)
        self.outcomes[name, told.entry.outcome.value, told.entry.reason] += 1

    def _post(self, told: Told) -> Iterator[Sent]:
        """What books send; it will be heard by another book, or answered by Billing."""
        for each in told.sent:
            name, fields = type(each.message).__name__, fields_of(each.message)
            if each.topic is BILLING_CALLS:
                self.asked.append((name, fields))
                self._answers += self._replies.to([fields])
                yield call(name, fields)
            elif isinstance(each.message, BETWEEN):
                self._mail.setdefault(each.topic.key.of(each.message), deque()).append(each.message)  # type: ignore
                yield SAYS[each.topic.name](name, fields)

    # ---- time

    def wait(self, micros: int) -> None:
        """Let time pass; what a tick tells is the sum of its decisions."""
        self.of_lots.wait(micros)
        told = self.of_dealers.wait(micros)
        sent = list[Sent]()
        for entry in told.entries:
            expected = deals.due(self.model, entry.book, entry.decision_id.split("/")[1:], self.of_dealers.now)
            assert expected is not None, entry
            assert verdict(entry) == expected._replace(sent=())
            sent += expected.sent
            self.outcomes["tick", entry.decision_id.split("/")[-1], None] += 1
        assert Counter(self._post(told)) == Counter(sent)

    # ---- then

    def tables(self) -> Rows_:
        """The rooms' tables as their changelogs have them."""
        kept = self.kept
        rows = {
            "registered_dealers": kept.registered, "dealer_accounts": kept.accounts, "bills": kept.bills,
            "billing_payments": kept.payments, "waiting_payments": kept.waiting, "deposits": kept.deposits,
            "deposit_payments": kept.moved, "dealer_lots": self.lots, "deals": self.deals,
            "commission_months": self.months,
        }  # fmt: skip
        return {name: plain(each) for name, each in rows.items()}

    def balances(self) -> Rows_:
        return {key: _balance_row(row) for key, row in plain(self.of_dealers.ledger.balances).items()}  # type: ignore


def rates() -> Rows[CommissionRate]:
    rows: Rows[CommissionRate] = Rows(CommissionRate)
    for version, (share, valid_from) in enumerate(FACTS.dealing.rates, 1):
        rows[f"r{version}"] = CommissionRate(
            rate_id=f"r{version}", version=version, share=Decimal(share), valid_from=valid_from
        )
    return rows


def policies() -> Rows[CommissionPolicy]:
    rows: Rows[CommissionPolicy] = Rows(CommissionPolicy)
    rows[COMMISSION] = CommissionPolicy(policy_id=COMMISSION, zone=FACTS.dealing.zone, bill_after_days=1)
    return rows


def told(seed: int, events: int) -> Both:
    both, dice, telling = Both(seed), random.Random(seed), random.Random(seed)
    sources = [each(telling, FACTS, ids) for ids in (numbered(),) for each in (Dealers, Lots)]
    tellers = [each for source in sources for each in source.tellers]
    for number, event in enumerate(islice(stories(telling, tellers), events)):
        both.tell(event)
        both.deliver(dice.choice((0, 1, 4, 12)))
        if number % 15 == 14:
            assert not differing(both.model, {"deposits": plain(both.kept.deposits)})
            both.wait(dice.choice((1, HOUR, 25 * HOUR)) if number % 300 > 250 else 1)
    return both


def settle(both: Both) -> None:
    """As a run comes to rest: all mail and answers, one tick long after, all mail."""
    for _ in range(3):
        both.deliver()
        both.wait(5 * DAY)
    both.deliver()
