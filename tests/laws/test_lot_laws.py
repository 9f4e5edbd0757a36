"""Laws of lots over any story: whatever comes when, each deal is on one live bill, and bills come to what deals do."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.dealer_billing import AccountType
from schemas.lots import CommissionBilled, DealKind
from streams.audit.dealers import Dealers
from streams.ledger.draft import Refused
from streams.runtime.rows import Rows
from tests.rooms import DAY, HOUR
from tests.unit.audit.dealing import read
from tests.unit.dealer_billing.market import AUCTION, FAST_BUYOUT, MARCH, Buyer, Market, rate

from . import searched

pytestmark = pytest.mark.requirement("DLR-04", "DLR-09")

DEALERS = ("D1", "D2", "D3")
DEARER_FROM = MARCH - 50 * DAY
DEARER = rate("0.1", DEARER_FROM, 2)
"""From then on it is ten per cent, not five; dealers' books may hear of it long after."""

WHO, PRICES = st.sampled_from(DEALERS), st.integers(1, 3_000)
CURRENCIES = st.sampled_from(["EUR"] * 6 + ["USD"])
SALES = st.tuples(
    st.just("concluded"), WHO, PRICES, st.sampled_from([AUCTION, AUCTION, FAST_BUYOUT]), st.integers(0, 70), CURRENCIES
)
CHANGES = st.one_of(
    st.tuples(st.just("price"), PRICES, CURRENCIES),
    st.tuples(st.just("price"), PRICES, CURRENCIES),
    st.tuples(st.just("winner"), WHO),
    st.tuples(st.just("winner"), WHO),
    SALES,
)
LOTS = st.lists(st.tuples(SALES, st.lists(CHANGES, max_size=5)), min_size=1, max_size=4)
MOVES = st.one_of(
    st.tuples(st.just("lotus"), st.integers(0, 30)),
    st.tuples(st.just("lotus"), st.integers(0, 30)),
    st.tuples(st.just("deliver"), st.integers(0, 30)),
    st.tuples(st.just("deliver"), st.integers(0, 30)),
    st.tuples(st.just("tick"), st.sampled_from([1, 20, 24 * 9, 24 * 40, 24 * 100])),
    st.tuples(st.just("issue"), st.integers(0, 30)),
    st.tuples(st.just("refuse"), st.integers(0, 30)),
    st.tuples(st.just("pay"), st.integers(0, 30), st.integers(1, 400)),
    st.tuples(st.just("open"), st.integers(0, 30)),
    st.tuples(st.just("rate"), st.integers(0, 5)),
)
STORIES = st.tuples(LOTS, st.lists(MOVES, min_size=10, max_size=60))
Change = tuple[Any, ...]


@dataclass
class Sold:
    """What a lot comes to at the end, worked out from its versions alone."""

    dealer: str = ""
    price: int = 0
    currency: str = ""
    kind: DealKind = AUCTION
    days_ago: int = 0

    @property
    def charged(self) -> int:
        if self.kind is FAST_BUYOUT:
            return self.price
        per_cent = 5 if MARCH - self.days_ago * DAY < DEARER_FROM else 10
        return (2 * self.price * per_cent + 100) // 200


def sold(versions: list[Change]) -> Sold:
    lot = Sold()
    for how, *rest in versions:
        if how == "concluded":
            lot = Sold(rest[0], rest[1], rest[4], rest[2], rest[3])
        elif how == "price":
            lot.price, lot.currency = rest
        else:
            lot.dealer = rest[0]
    return lot


class Story:
    """A market on which all is slow, and some accounts open late."""

    def __init__(self, lots: list[tuple[Change, list[Change]]]) -> None:
        self.market = Market(*DEALERS, is_slow=True)
        self.versions = {f"L{number}": [first, *rest] for number, (first, rest) in enumerate(lots)}
        self.said = [(lot, number) for lot, all_ in self.versions.items() for number in range(1, len(all_) + 1)]
        self.payments, self.received = 0, Counter[str]()
        self.closed = {dealer: dict.fromkeys(AccountType, True) for dealer in DEALERS[1:]}
        for dealer in self.closed:
            buyer = self.market.buyers[dealer]
            self.shut = {account: buyer.kept.accounts[f"{buyer.book}|{account}"] for account in AccountType}
            for account in AccountType:
                del buyer.kept.accounts[f"{buyer.book}|{account}"]

    def play(self, move: Change) -> None:
        how, number, *rest = move
        match how:
            case "lotus":
                self.say(*self.said[number % len(self.said)])
            case "deliver":
                if ways := sorted(way for way, messages in self.market.post.items() if messages):
                    self.market.deliver_one(ways[number % len(ways)])
            case "tick":
                self.market.tick(self.market.now + number * HOUR)
            case "rate" if number:
                pass  # seldom: in most stories it comes when all else has
            case "rate":
                self.market.hear_rate(DEARER)
            case "open":
                self.open(DEALERS[1 + number % 2])
            case _:
                self._on_a_bill(how, number, *rest)

    def say(self, lot_id: str, version: int) -> None:
        how, *rest = self.versions[lot_id][version - 1]
        if how == "concluded":
            dealer, price, kind, days_ago, currency = rest
            self.market.concluded(lot_id, version, dealer, price, kind, MARCH - days_ago * DAY, currency)
        else:
            getattr(self.market, how)(lot_id, version, *rest)

    def open(self, dealer: str) -> None:
        buyer = self.market.buyers[dealer]
        for account, row in self.shut.items():
            buyer.kept.accounts[f"{buyer.book}|{account}"] = row

    def _on_a_bill(self, how: str, number: int, amount: int = 0) -> None:
        bills = [
            (buyer, key.split("|")[1]) for buyer in self.market.buyers.values() for key in sorted(buyer.kept.bills)
        ]
        if not bills:
            return
        buyer, bill_id = bills[number % len(bills)]
        buyer.now = self.market.now
        if how == "pay":
            self.payments += 1
            currency = buyer.bill(bill_id).currency
            if not isinstance(buyer.pay(f"P{self.payments}", bill_id, amount, currency), Refused):
                self.received[currency] += amount
        else:
            getattr(buyer, how)(bill_id)
        self.market.gather()

    def end(self) -> None:
        """All has been said, has come, and is billed."""
        for lot_id, version in self.said:
            self.say(lot_id, version)
        for dealer in self.closed:
            self.open(dealer)
        self.market.hear_rate(DEARER)
        self.market.deliver()
        for _ in range(3):
            self.market.tick(self.market.now + 40 * DAY)
            self.market.deliver()


def told(story: Any) -> Story:
    lots, moves = story
    made = Story(lots)
    for move in moves:
        made.play(move)
    made.end()
    return made


def live(buyer: Buyer, prefix: str) -> dict[str, tuple[int, str]]:
    """Bills that stand, by id: their sum and currency."""
    rows = {key.split("|")[1]: buyer.kept.bills[key] for key in buyer.kept.bills}
    return {
        bill_id: (bill.common_minor, bill.currency)
        for bill_id, bill in rows.items()
        if bill_id.startswith(prefix) and bill.life not in ("voided", "corrected")
    }


@searched(60)
@given(STORIES)
def test_commission_billed_is_what_the_deals_come_to_that_stand(story: Any) -> None:
    made = told(story)
    expected, found = Counter[tuple[str, str]](), Counter[tuple[str, str]]()
    for versions in made.versions.values():
        lot = sold(versions)
        if lot.kind is AUCTION:
            expected[lot.dealer, lot.currency] += lot.charged
    for dealer, buyer in made.market.buyers.items():
        for common, currency in live(buyer, "commission:").values():
            found[dealer, currency] += common
    assert +found == +expected


@searched(60)
@given(STORIES)
def test_each_deal_is_on_exactly_one_live_bill_and_no_month_has_two(story: Any) -> None:
    made = told(story)
    for dealer, buyer in made.market.buyers.items():
        on, months = Counter[str](), Counter[str]()
        lots_of = {bill.bill_id: bill.lots for bill in buyer.said if isinstance(bill, CommissionBilled)}
        for bill_id in live(buyer, "commission:"):
            months[bill_id.rsplit(":", 2)[0]] += 1
            on.update(lots_of[bill_id])
        on.update(bill_id.split(":")[1] for bill_id in live(buyer, "lot:"))
        mine = {lot_id: sold(versions) for lot_id, versions in made.versions.items()}
        mine = {lot_id: lot for lot_id, lot in mine.items() if lot.dealer == dealer}
        assert set(months.values()) <= {1}
        assert set(on.values()) <= {1}
        assert set(on) <= set(mine)
        assert {lot_id for lot_id, lot in mine.items() if lot.charged} <= set(on)


@searched(60)
@given(STORIES)
def test_a_settlement_is_the_price_that_stands_for_the_dealer_who_buys(story: Any) -> None:
    made = told(story)
    for dealer, buyer in made.market.buyers.items():
        settled = {bill_id.split(":")[1]: sum_ for bill_id, sum_ in live(buyer, "lot:").items()}
        lots = {lot_id: sold(versions) for lot_id, versions in made.versions.items()}
        assert settled == {
            lot_id: (lot.price, lot.currency)
            for lot_id, lot in lots.items()
            if (lot.dealer, lot.kind) == (dealer, FAST_BUYOUT)
        }


@searched(60)
@given(STORIES)
def test_billing_knows_last_what_each_commission_comes_to_and_each_report_has_its_own_number(story: Any) -> None:
    made = told(story)
    for dealer, buyer in made.market.buyers.items():
        for lot_id, versions in made.versions.items():
            lot, reports = sold(versions), buyer.reported(lot_id)
            assert [number for number, _ in reports] == list(range(1, len(reports) + 1))
            is_his = (lot.dealer, lot.kind) == (dealer, AUCTION)
            assert (reports[-1][1] if reports else 0) == (lot.charged if is_his else 0)


@searched(60)
@given(STORIES)
def test_every_lot_has_the_last_version_and_its_buyers_answer(story: Any) -> None:
    made = told(story)
    for lot_id, versions in made.versions.items():
        row, lot = made.market.lots[f"lot:{lot_id}"], sold(versions)
        assert (row.version, row.dealer_id, row.waiting, row.answer) == (len(versions), lot.dealer, (), "charged")


@searched(60)
@given(STORIES)
def test_money_is_paid_or_current_or_in_suspense_and_what_is_owed_is_what_live_bills_owe(story: Any) -> None:
    made = told(story)
    for currency in ("EUR", "USD"):
        held = 0
        for buyer in made.market.buyers.values():
            mine = [bill for key in buyer.kept.bills if (bill := buyer.kept.bills[key]).currency == currency]
            current = sum(buyer.balance(f"current/{account}", currency) for account in AccountType)
            held += sum(bill.paid_minor for bill in mine) + current + buyer.balance("suspense", currency)
            owed = sum(bill.owed_minor for bill in mine if bill.life == "sent")
            assert owed == sum(buyer.balance(f"receivable/{account}", currency) for account in AccountType)
        assert held == made.received[currency]


@searched(60)
@given(STORIES)
def test_the_auditor_finds_nothing_to_say_of_deals(story: Any) -> None:
    market, dealers = told(story).market, Dealers()
    rates = [{"share": str(each.share), "valid_from": each.valid_from} for each in (rate("0.05"), DEARER)]
    events = [*market.told, *(event for buyer in market.buyers.values() for event in buyer.said)]
    assert [finding for event in events for finding in dealers.enter(read(event))] == []
    assert list(dealers.charged(rates)) == []


@searched(60)
@given(STORIES)
def test_rows_come_back_from_their_changelog_as_they_were(story: Any) -> None:
    market = told(story).market
    tables: list[Rows[Any]] = [market.lots]
    for buyer in market.buyers.values():
        tables += [buyer.deals, buyer.months]
    for rows in tables:
        for key in rows:
            packed = rows.pack({key: rows[key]})
            assert rows.unpack(packed) == {key: rows[key]}
