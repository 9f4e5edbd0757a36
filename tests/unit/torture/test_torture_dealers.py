"""The verifier's model and the room agree about dealers, decision by decision, though they share no code."""

import random
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from typing import Any

import msgspec
import pytest

from schemas.dealer_billing import Dealer
from schemas.dealer_bills import HandOverPayment
from schemas.topics import BILLING_CALLS, HANDED_PAYMENTS
from streams.dealer_billing import deposit
from streams.dealer_billing.projection import project_account, project_bill, project_dealer, project_suspense
from streams.dealer_billing.room import DealerBilling, Tables
from tests.rooms import Stage, Told
from tests.torture.billing import Replies
from tests.torture.dealers import Dealers
from tests.torture.events import HANDED, Event
from tests.torture.verifier import dealers
from tests.torture.verifier.accounts import call
from tests.torture.verifier.check import RULES
from tests.torture.verifier.dealer_rows import PROJECTED, Projected
from tests.torture.verifier.differences import Differences
from tests.torture.verifier.model import Input, Model, Sent
from tests.unit.dealer_billing.book import new_rows
from tests.unit.torture.comparing import MESSAGES, differing, fields_of, plain, verdict
from tests.unit.torture.comparing import Tables as Rows_
from tests.unit.torture.stories import numbered, stories
from tests.unit.torture.test_torture_model import FACTS as FEW

FACTS = FEW._replace(dealers=["dlr-1", "dlr-2", "dlr-3"])


def told_of_dealers(seed: int) -> Iterator[Event]:
    dice = random.Random(seed)
    return stories(dice, Dealers(dice, FACTS, numbered()).tellers)


class Both:
    """The room and the model, told the same; Billing and the other dealers' books have `waiting` to say."""

    def __init__(self, seed: int) -> None:
        self.model, self.outcomes = Model(FACTS), Counter[tuple[str, str, str | None]]()
        self.kept = new_rows()
        del self.kept.dealers["D1"]
        for dealer in FACTS.dealers:
            self.kept.dealers[dealer] = Dealer(dealer_id=dealer, cme_dealer_id=f"cme-{dealer}", name="Anvil Motors")
        self.stage = Stage(lambda ledger: DealerBilling(Tables(*self.kept), ledger), *self.kept)
        self.stage.tick()
        self._replies, self.waiting, self._dice = Replies(seed), list[Event](), random.Random(seed)

    def tell(self, event: Event) -> None:
        kind = MESSAGES.get(event.name)
        message: Any = msgspec.convert(event.fields, HandOverPayment, dec_hook=lambda of, each: of(**each)) \
            if kind is None else kind.model_validate(event.fields)  # fmt: skip
        told = self.stage.send(message, id=event.event_id)
        place, found = told.entry.decision_id, verdict(told.entry)
        given = Input(place, event.event_id, "/upstream", self.stage.now, event.key, event.name, event.fields)
        expected = self.model.answer(given, RULES)
        assert found == expected._replace(sent=()), (event, told.figures)
        assert Counter(self._sent(told)) == Counter(expected.sent), event
        self.outcomes[event.name, found.outcome, found.reason] += 1

    def _sent(self, told: Told) -> Iterator[Sent]:
        """What the room sends; it will be answered, or heard by another book."""
        for each in told.sent:
            fields = fields_of(each.message)
            if each.topic is BILLING_CALLS:
                self.waiting += self._replies.to([fields])
                yield call(type(each.message).__name__, fields)
            elif each.topic is HANDED_PAYMENTS:
                key, name = f"dealer:{fields['dealer_id']}", "HandOverPayment"
                self.waiting.append(Event(HANDED, name, key, f"handed-{len(self.stage.history)}", fields))
                yield dealers.sent("HandOverPayment", fields)

    def hear_some(self, most: int) -> None:
        for _ in range(min(most, len(self.waiting))):
            self.tell(self.waiting.pop(self._dice.randrange(len(self.waiting))))

    def tables(self) -> Rows_:
        names = ("registered_dealers", "dealer_accounts", "bills", "billing_payments", "waiting_payments", "deposits",
                 "deposit_payments")  # fmt: skip
        kept = self.kept
        rows = (kept.registered, kept.accounts, kept.bills, kept.payments, kept.waiting, kept.deposits, kept.moved)
        return {name: plain(each) for name, each in zip(names, rows, strict=True)}

    def projected(self) -> Rows_:
        """What the product shows of these rows, as the verifier compares it."""
        shown = ((self.kept.registered, project_dealer), (self.kept.accounts, project_account),
                 (self.kept.bills, project_bill), (self.kept.deposits, deposit.project),
                 (self.kept.payments, project_suspense))  # fmt: skip
        return {
            each.table: {
                key: each.shown(msgspec.structs.asdict(row)) for key in rows if (row := project(key, rows[key]))
            }
            for each, (rows, project) in zip(PROJECTED, shown, strict=True)
        }


@pytest.mark.requirement("DLR-01", "DLR-02", "DLR-03", "DLR-05", "DLR-06", "DLR-10")
@pytest.mark.parametrize("seed", range(3))
def test_model_and_room_agree_on_every_decision_and_every_row(seed: int) -> None:
    both = Both(seed)
    for event in islice(told_of_dealers(seed), 700):
        both.tell(event)
        both.hear_some(2)
    assert both.outcomes["HandOverPayment", "accepted", None]
    while both.waiting:
        both.hear_some(10)
    assert differing(both.model, both.tables()) == []
    for table, found in both.projected().items():
        (expected,) = (each.expected(both.model) for each in PROJECTED if each.table == table)
        assert expected == found, table


@pytest.mark.requirement("BEY-03")
def test_the_stories_meet_every_outcome() -> None:
    both = Both(11)
    for event in islice(told_of_dealers(11), 1_500):
        both.tell(event)
        both.hear_some(2)
    accepted = {name for name, outcome, _ in both.outcomes if outcome == "accepted"}
    assert accepted == {
        "RegisterDealer", "AddFastBuyout", "UpdateRequisites", "CreateBill", "VoidBill", "CorrectBill",
        "BillingPayment", "MatchPayment", "HandOverPayment", "BillingDone", "BillingRefused",
        "DepositReceived", "DepositReturned",
    }  # fmt: skip
    assert {reason for _, _, reason in both.outcomes} >= {
        "unknown_dealer", "already_exists", "not_found", "wrong_state", "account_not_open", "currency_mismatch",
        "other_content_under_this_id",
    }  # fmt: skip


@pytest.mark.requirement("DLR-10")
@pytest.mark.parametrize("projected", PROJECTED, ids=lambda projected: projected.table)
def test_a_projected_row_that_is_wrong_missing_or_nobodys_is_a_difference(projected: Projected) -> None:
    both = Both(5)
    for event in islice(told_of_dealers(5), 200):
        both.tell(event)
        both.hear_some(2)
    expected, found = projected.expected(both.model), both.projected()[projected.table]
    key, row = next(iter(found.items()))
    for spoilt in (
        found | {key: (*row[:-1], "another")},
        found | {"dealer:nobody": row},
        dict(list(found.items())[1:]),
    ):
        differences = Differences()
        differences.compare("projected", expected, spoilt)
        assert differences.counts["projected"] == 1
