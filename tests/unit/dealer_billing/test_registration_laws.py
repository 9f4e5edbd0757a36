"""Laws of registration over any story of commands and of Billing's answers: in time, late, twice, refusing."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.billing import CreateContract
from schemas.dealer_billing import AccountType
from streams.dealer_billing.registration import State

from .book import BOOK
from .registering import Office

LAW = settings(deadline=None, max_examples=60)

pytestmark = pytest.mark.requirement("DLR-01", "DLR-02", "DLR-03")

MOVES = st.one_of(
    st.sampled_from(["register", "fast buyout", "move"]),
    st.tuples(st.sampled_from(["answer", "answer", "refuse", "again"]), st.integers(0, 5)),
)
STORIES = st.lists(MOVES, min_size=8, max_size=25)


class Story:
    """What came of a story. `made` counts what Billing has made, by account and kind."""

    def __init__(self, story: list[str | tuple[str, int]]) -> None:
        self.office = Office()
        self.made: Counter[str] = Counter()
        self.answered: list[object] = []
        self.payers: dict[str, str] = {}
        for move in story:
            self._move(move)

    def _move(self, move: str | tuple[str, int]) -> None:
        office = self.office
        match move:
            case "register":
                office.register()
            case "fast buyout":
                office.add_fast_buyout()
            case "move":
                office.move_to(f"{len(office.asked)} Forge Road")
            case ("again", number) if self.answered:
                assert office.answer(self.answered[number % len(self.answered)]).events == []
            case (("answer" | "refuse") as how, number) if office.calls:
                call = office.calls[number % len(office.calls)]
                if how == "refuse":
                    office.refuse(call)
                else:
                    self.answer(call)

    def answer(self, call: object) -> None:
        account, kind, version = call.call_id.split("/")[1:]  # type: ignore[attr-defined]
        self.made[f"{account}/{kind}"] += 1
        if kind in ("payer", "requisites"):
            self.payers[account] = version
        self.answered.append(call)
        self.office.answer(call)

    def end(self) -> None:
        """Billing likes the newest requisites alone, also of the payer in a contract, and answers everything."""
        if self.office.kept.registered.get(BOOK) is not None:
            self.office.move_to("the last road")
        while self.office.calls:
            call = self.office.calls[0]
            if isinstance(call, CreateContract) and self.payers[call.account] != self._newest:
                self.office.refuse(call)
            else:
                self.answer(call)

    @property
    def _newest(self) -> str:
        return str(self.office.kept.registered[BOOK].version)


@LAW
@given(STORIES)
def test_in_the_end_each_account_has_one_client_payer_and_contract_and_the_newest_requisites(
    story: list[str | tuple[str, int]],
) -> None:
    told = Story(story)
    told.end()
    accounts = told.office.kept.accounts
    for account in AccountType:
        row = accounts.get(f"{BOOK}|{account}")
        wanted = 0 if row is None else 1
        assert [told.made[f"{account}/{kind}"] for kind in ("client", "payer", "contract")] == [wanted] * 3
        if row is not None:
            assert (row.state, row.version) == (State.OPEN, told.office.kept.registered[BOOK].version)


@LAW
@given(STORIES)
def test_no_call_is_made_twice_and_each_account_waits_for_one_at_most(story: list[str | tuple[str, int]]) -> None:
    office = Story(story).office
    assert max(Counter(office.asked).values(), default=1) == 1
    assert max(Counter(call.account for call in office.calls).values(), default=1) == 1
