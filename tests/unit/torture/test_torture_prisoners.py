"""The verifier's model and the room agree about prisoners, decision by decision, though they share no code."""

import random
from collections import Counter
from collections.abc import Iterator
from itertools import islice

import pytest

from schemas.general_ledger import GeneralLedgerLine
from schemas.prison_reference import GlAccount, GlPurpose, Officer, Prison, Prisoner, Supplier
from streams.prison_finance.room import PrisonFinance
from tests.rooms import MINUTE, Stage
from tests.torture.canteen import Canteen
from tests.torture.events import Event
from tests.torture.facts import Dealing, Facts, Policy
from tests.torture.general_ledger import Answers
from tests.torture.verifier import prisoners
from tests.torture.verifier.check import RULES
from tests.torture.verifier.model import Input, Model
from tests.unit.prison_finance.partition import Kept, Partition
from tests.unit.torture.comparing import MESSAGES, Tables, differing, plain, verdict
from tests.unit.torture.stories import numbered, stories

NO_DEALING = Dealing((), "Europe/London", 0)
PEOPLE = [f"A{number}" for number in range(4)]
FACTS = Facts(
    vehicles={},
    members={},
    dealers=[],
    prisoners=PEOPLE,
    suppliers=["BT", "DHL", "CAN"],
    prison_of={who: "LEI" if number % 2 else "MDI" for number, who in enumerate(PEOPLE)},
    permissions={"A0": (4_000_000_000_000_000, 900), "A1": (None, None), "A2": (1, None), "A3": (4 * 10**15, None)},
    officers={"governor": ("LEI", True, True), "deputy": ("LEI", True, False), "other": ("MDI", True, True)},
    policy=Policy(allowed=3_000, instalment=150, every_days=2, circumstances=("arrival",)),
    cost_centres={"LEI": "318", "MDI": "334"},
    codes={**{purpose.value: f"{number}00" for number, purpose in enumerate(GlPurpose)},
           "supplier/BT": "21", "supplier/DHL": "22", "supplier/CAN": "23"},
    dealing=NO_DEALING,
)  # fmt: skip


def stage() -> tuple[Stage, Kept]:
    """The room and its tables, with the same reference data as the model's facts."""
    kept = Partition().kept
    for who in PEOPLE:
        until, most = FACTS.permissions[who]
        kept.prisoners[who] = Prisoner(
            prisoner_id=who, prison_id=FACTS.prison_of[who], cost_centre=FACTS.cost_centres[FACTS.prison_of[who]],
            cash_permission_until=until, cash_permission_most_minor=most,
        )  # fmt: skip
    for supplier in FACTS.suppliers:
        kept.suppliers[supplier] = Supplier(
            supplier_id=supplier, name=supplier, gl_account=FACTS.codes[f"supplier/{supplier}"]
        )
    policy = FACTS.policy
    for prison in ("LEI", "MDI"):
        kept.prisons[prison] = Prison(
            prison_id=prison, cost_centre=FACTS.cost_centres[prison], advance_allowed_minor=policy.allowed,
            advance_instalment_minor=policy.instalment, advance_every_days=policy.every_days,
            automatic_circumstances=policy.circumstances,
        )  # fmt: skip
    for officer, (prison, may_approve, may_write_off) in FACTS.officers.items():
        kept.officers[officer] = Officer(
            officer_id=officer, prison_id=prison, may_approve_advances=may_approve, may_write_off=may_write_off
        )
    for purpose in GlPurpose:
        kept.gl_accounts[purpose.value] = GlAccount(purpose=purpose, nomis_code="1", sop_account=FACTS.codes[purpose])
    made = Stage(lambda ledger: PrisonFinance(kept.tables, ledger), *kept)
    made.tick()
    return made, kept


def told_of_prisoners(seed: int) -> Iterator[Event]:
    dice = random.Random(seed)
    told = Canteen(dice, FACTS, numbered())
    tellers = [(1, told.credit), (1, told.move), (1, told.submit), (2, told.decide), (1, told.afterwards)]
    return stories(dice, tellers)


class Both:
    """The room and the model, told the same."""

    def __init__(self, seed: int) -> None:
        self.model, self.outcomes = Model(FACTS), Counter[tuple[str, str, str | None]]()
        self.stage, self._kept = stage()
        self._answers, self.waiting = Answers(seed), list[Event]()

    def tell(self, event: Event) -> None:
        at = self.stage.now - event.age_us
        told = self.stage.send(MESSAGES[event.name].model_validate(event.fields), id=event.event_id, at=at)
        place, found = told.entry.decision_id, verdict(told.entry)
        given = Input(place, event.event_id, "/upstream", at, event.key, event.name, event.fields)
        assert found == self.model.answer(given, RULES), (event, told.figures)
        self.outcomes[event.name, found.outcome, found.reason] += 1
        lines = [line for line in told.events if isinstance(line, GeneralLedgerLine)]
        self.waiting += self._answers.to((line.prisoner_id, line.transaction_id, line.line_id) for line in lines)

    def wait(self, micros: int) -> None:
        for entry in self.stage.wait(micros).entries:
            book, purchase_id = entry.decision_id.split("/")[:2]
            assert verdict(entry) == prisoners.time_out(self.model, book, purchase_id, self.stage.now)

    def lines(self) -> Counter[tuple[str, str, int, str, str | None, int]]:
        """Every ledger line that the room has written."""
        return Counter(
            (f"prisoner:{line.prisoner_id}", line.transaction_id, int(line.line_id.split("/")[-2]), line.side.value,
             line.account, line.amount.amount_minor)
            for told in self.stage.history for line in told.events if isinstance(line, GeneralLedgerLine)
        )  # fmt: skip

    def tables(self) -> Tables:
        """The room's tables as their changelogs have them."""
        kept = self._kept
        return {"purchases": plain(kept.purchases), "advances": plain(kept.advances),
                "gl_transactions": plain(kept.transactions), "seen": plain(self.stage.seen)}  # fmt: skip


@pytest.mark.requirement("PRI-02", "PRI-03", "PRI-04", "PRI-05", "PRI-06", "PRI-07", "PRI-11", "PRI-12", "PRI-13")
@pytest.mark.parametrize("seed", [2, 6])
def test_every_decision_of_the_room_is_the_models(seed: int) -> None:
    both = Both(seed)
    for number, event in enumerate(islice(told_of_prisoners(seed), 700)):
        both.tell(event)
        answers, both.waiting = both.waiting, []
        for answer in answers:
            both.tell(answer)
        if number % 10 == 9:
            both.wait(3 * MINUTE)
    assert both.lines() == both.model.ledger_lines
    assert not differing(both.model, both.tables())
    purchases = both.model.purchases.values()
    assert any(len(each["refunds"]) > 1 for each in purchases)
    assert any(each["written_off"] for each in purchases)
    accepted = {name for name, outcome, _ in both.outcomes if outcome == "accepted"}
    assert accepted == {name for name in prisoners.RULES if not name.startswith("Batched")}
    for name in ("CreditPrisoner", "LinesProcessed"):
        assert both.outcomes[name, "duplicate", None], name
    reasons = {reason for _, _, reason in both.outcomes}
    assert reasons >= {"not_permitted", "not_authorised", "no_advance_policy", "insufficient_funds", "wrong_state",
                       "other_content_under_this_id"}  # fmt: skip


@pytest.fixture(scope="module")
def at_rest() -> Both:
    both = Both(3)
    for event in islice(told_of_prisoners(3), 400):
        both.tell(event)
    return both


@pytest.mark.requirement("PIPE-02", "PRI-13")
@pytest.mark.parametrize(
    ("table", "field"),
    [("purchases", "refunded"), ("purchases", "refund_ids"), ("purchases", "written_off_minor"),
     ("gl_transactions", "open")],
)  # fmt: skip
def test_a_row_that_lacks_what_its_last_decision_added_is_a_difference(table: str, field: str, at_rest: Both) -> None:
    """Restored from a purchase that lacks its refund, a worker lets the supplier give the same money back again."""
    tables = at_rest.tables()
    key = next(key for key, row in tables[table].items() if row.get(field))
    del tables[table][key][field]
    (difference,) = differing(at_rest.model, tables)
    assert key in difference


@pytest.mark.requirement("PIPE-02")
@pytest.mark.parametrize(
    ("field", "wrong"),
    [("until", 1), ("parts", []), ("codes", []), ("suppliers", []), ("description", "Canteen?"),
     ("submitted_at", 1), ("prisoner", {"prison_id": "MDI", "cost_centre": "318"})],
)  # fmt: skip
def test_a_purchases_row_that_tells_something_else_is_a_difference(field: str, wrong: object, at_rest: Both) -> None:
    tables = at_rest.tables()
    key = next(iter(tables["purchases"]))
    tables["purchases"][key][field] = wrong
    (difference,) = differing(at_rest.model, tables)
    assert key in difference


@pytest.mark.requirement("PIPE-02", "PRI-12")
@pytest.mark.parametrize("field", ["repaid_minor", "since", "instalment_minor", "every_days"])
def test_an_advances_row_that_tells_something_else_is_a_difference(field: str, at_rest: Both) -> None:
    tables = at_rest.tables()
    book = next(iter(tables["advances"]))
    tables["advances"][book]["open"][0][field] = 7
    assert len(differing(at_rest.model, tables)) == 1
