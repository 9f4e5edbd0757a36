"""The life of a purchase out of available spends: every transition, every refusal (PRI-02, PRI-10)."""

from collections.abc import Callable

import pytest

from schemas.fields import Message
from schemas.general_ledger import GeneralLedgerLine, LedgerSide
from schemas.prison_finance import (
    FundingSource,
    PinnedCode,
    PurchaseAuthorised,
    PurchasePart,
    PurchasePending,
    PurchaseVoided,
    VoidCause,
)
from schemas.prison_reference import Supplier
from schemas.refusals import Reason
from streams.ledger.draft import Refused

from .partition import CANTEEN, PRISONER, WHO, Partition, moment, pounds

pytestmark = pytest.mark.requirement("PRI-02", "PRI-10")


FROM_SPENDS = PurchasePart(source=FundingSource.SPENDS, supplier_id="canteen", amount_minor=30)


def with_spends(amount: int = 100, limit: int | None = None) -> Partition:
    prison = Partition(limit)
    prison.credit(amount)
    return prison


# ---- submission


def test_a_purchase_locks_what_it_costs_for_half_an_hour() -> None:
    prison = with_spends(100)
    assert prison.submit("P1", 30, "09 10:00") == [
        PurchasePending(
            purchase_id="P1",
            prisoner_id=WHO,
            prisoner=PRISONER,
            suppliers=(CANTEEN,),
            parts=(FROM_SPENDS,),
            total=pounds(30),
            gl_accounts=(
                PinnedCode(account="spends", gl_account="2102"),
                PinnedCode(account="supplier/canteen", gl_account="2501"),
            ),
            description="Canteen Spends",
            receipt_to=None,
            batch_id=None,
            submitted_at=moment("09 10:00"),
            deadline=moment("09 10:30"),
            limit_day=None,
        )
    ]
    assert prison.stands() == "prison 100, spends 100/30"
    assert prison.state("P1") == "pending"


def test_spends_alone_pay_whatever_cash_and_savings_have() -> None:
    prison = with_spends(100)
    prison.credit(5_000, "cash")
    prison.credit(5_000, "savings")
    before = prison.stands()
    assert prison.submit("P1", 101) == Refused(
        Reason.INSUFFICIENT_FUNDS,
        {
            "spends_available": "100",
            "total": "101",
            "missing": "1",
            "advance_recommended": "1",
            "advance_allowed": "100",
        },
    )
    assert prison.stands() == before
    assert prison.state("P1") is None


def test_locked_spends_are_not_spent_twice() -> None:
    prison = with_spends(100)
    prison.submit("P1", 70)
    assert prison.submit("P2", 31) == Refused(
        Reason.INSUFFICIENT_FUNDS,
        {"spends_available": "30", "total": "31", "missing": "1", "advance_recommended": "1", "advance_allowed": "100"},
    )
    prison.submit("P2", 30)
    assert prison.stands() == "prison 100, spends 100/100"


def test_an_unknown_prisoner_buys_nothing() -> None:
    prison = with_spends()
    assert prison.submit("P1", 1, who="Z9") == Refused(Reason.UNKNOWN_PRISONER, {"prisoner": "Z9"})


def test_nothing_is_bought_from_an_unknown_supplier() -> None:
    prison = with_spends()
    assert prison.submit("P1", {"nobody": 1}) == Refused(Reason.UNKNOWN_SUPPLIER, {"supplier": "nobody"})


@pytest.mark.parametrize(
    ("ended", "state"),
    [
        (lambda prison: None, "pending"),
        (lambda prison: prison.authorise("P1"), "authorised"),
        (lambda prison: prison.cancel("P1"), "cancelled"),
        (lambda prison: prison.tick("09 10:30"), "timed_out"),
    ],
)
def test_a_purchase_id_is_used_once_whatever_the_purchases_state(
    ended: Callable[[Partition], object], state: str
) -> None:
    prison = with_spends()
    prison.submit("P1", 10)
    ended(prison)
    before = prison.stands()
    assert prison.submit("P1", 10, "09 11:00") == Refused(Reason.ALREADY_EXISTS, {"purchase": "P1", "state": state})
    assert prison.stands() == before


# ---- the daily limit


@pytest.mark.requirement("PIPE-13")
def test_purchases_of_one_day_stay_within_the_daily_limit() -> None:
    prison = with_spends(100, limit=50)
    prison.submit("P1", 30)
    before = prison.stands()
    assert prison.submit("P2", 21) == Refused(
        Reason.OVER_LIMIT, {"limit": "daily-purchases", "allowed": "50", "left": "20", "wanted": "21"}
    )
    assert prison.stands() == before
    prison.submit("P2", 20)
    assert prison.submit("P3", 1) == Refused(
        Reason.OVER_LIMIT, {"limit": "daily-purchases", "allowed": "50", "left": "0", "wanted": "1"}
    )


def test_the_limit_is_told_before_the_funds_are() -> None:
    assert with_spends(10, limit=50).submit("P1", 51) == Refused(
        Reason.OVER_LIMIT, {"limit": "daily-purchases", "allowed": "50", "left": "50", "wanted": "51"}
    )


def test_a_refusal_for_funds_uses_nothing_of_the_limit() -> None:
    prison = with_spends(10, limit=50)
    assert isinstance(prison.submit("P1", 50), Refused)
    prison.credit(40)
    assert not isinstance(prison.submit("P1", 50), Refused)


def test_a_limit_of_nothing_allows_nothing() -> None:
    assert with_spends(10, limit=0).submit("P1", 1) == Refused(
        Reason.OVER_LIMIT, {"limit": "daily-purchases", "allowed": "0", "left": "0", "wanted": "1"}
    )


def test_a_cancelled_purchase_frees_the_limit() -> None:
    prison = with_spends(100, limit=50)
    prison.submit("P1", 50)
    prison.cancel("P1")
    assert not isinstance(prison.submit("P2", 50), Refused)


def test_a_purchase_that_timed_out_frees_the_limit() -> None:
    prison = with_spends(100, limit=50)
    prison.submit("P1", 50)
    prison.tick("09 10:30")
    assert not isinstance(prison.submit("P2", 50, "09 11:00"), Refused)


def test_an_authorised_purchase_keeps_using_the_limit() -> None:
    prison = with_spends(100, limit=50)
    prison.submit("P1", 50)
    prison.authorise("P1")
    assert isinstance(prison.submit("P2", 1, "09 23:59"), Refused)


@pytest.mark.parametrize(
    ("last_of_the_day", "first_of_the_next"),
    [
        ("2024-01-09 23:59:59", "2024-01-10 00:00"),
        ("2024-07-01 22:59:59", "2024-07-01 23:00"),
        ("2024-03-31 22:59:59", "2024-03-31 23:00"),  # the clocks went forward that day
        ("2024-10-27 23:59:59", "2024-10-28 00:00"),  # and back that one
    ],
)
def test_a_limit_day_ends_at_midnight_in_london(last_of_the_day: str, first_of_the_next: str) -> None:
    prison = with_spends(100, limit=50)
    prison.submit("P1", 50, last_of_the_day)
    assert isinstance(prison.submit("P2", 1, last_of_the_day), Refused)
    assert not isinstance(prison.submit("P2", 50, first_of_the_next), Refused)


def test_a_late_submission_counts_in_the_newest_day_and_is_freed_there() -> None:
    prison = with_spends(100, limit=50)
    prison.submit("P1", 10, "10 00:00")
    prison.submit("late", 40, "09 23:59")
    assert isinstance(prison.submit("P2", 1, "10 00:01"), Refused)
    prison.cancel("late")
    assert not isinstance(prison.submit("P2", 40, "10 00:01"), Refused)


def test_what_was_bought_before_there_was_a_limit_frees_nothing_of_it() -> None:
    prison = with_spends(100)
    prison.submit("P1", 50)
    prison.change(daily_limit_minor=30)
    prison.submit("P2", 30)
    prison.cancel("P1")
    assert isinstance(prison.submit("P3", 1), Refused)


# ---- authorisation


def test_authorisation_pays_the_supplier_and_writes_two_lines_that_balance() -> None:
    prison = with_spends(100)
    prison.submit("CANTEEN-0001", 30, "09 10:00")

    def line(side: LedgerSide, gl_account: str, account: str) -> GeneralLedgerLine:
        return GeneralLedgerLine(
            line_id=f"{WHO}/CANTEEN-0001/2024-01-09/1/{side}",
            transaction_id="CANTEEN-0001",
            prisoner_id=WHO,
            prison_id="LEI",
            accounting_date="2024-01-09",
            cost_centre="10572801",
            gl_account=gl_account,
            side=side,
            amount=pounds(30),
            description="Canteen Spends - 09.01.2024 - CANTEEN-0001",
            account=account,
        )

    assert prison.authorise("CANTEEN-0001", "09 10:05") == [
        PurchaseAuthorised(
            purchase_id="CANTEEN-0001",
            prisoner_id=WHO,
            suppliers=(CANTEEN,),
            parts=(FROM_SPENDS,),
            total=pounds(30),
            description="Canteen Spends",
            receipt_to=None,
            batch_id=None,
            at=moment("09 10:05"),
        ),
        line(LedgerSide.DEBIT, "2102", "spends"),
        line(LedgerSide.CREDIT, "2501", "supplier/canteen"),
    ]
    assert prison.stands() == "prison 100, spends 70, supplier/canteen 30"
    assert prison.state("CANTEEN-0001") == "authorised"
    assert prison.days() == "2024-01-09 lines 2 debit 30 credit 30"


def test_the_prison_and_the_suppliers_account_are_those_of_the_submission() -> None:
    prison = with_spends(100)
    prison.submit("P1", 30)
    prison.change(prison_id="MDI", cost_centre="999")
    del prison.kept.gl_accounts["spends"]
    del prison.kept.suppliers["canteen"]
    lines = general_ledger_lines(prison.authorise("P1"))
    assert [(line.prison_id, line.cost_centre, line.gl_account) for line in lines] == [
        ("LEI", "10572801", "2102"),
        ("LEI", "10572801", "2501"),
    ]


def test_the_description_has_the_day_of_the_order_and_the_line_that_of_the_books() -> None:
    prison = with_spends(100)
    prison.submit("P1", 30, "09 23:50")
    debit, _ = general_ledger_lines(prison.authorise("P1", "10 00:05"))
    assert debit.description == "Canteen Spends - 09.01.2024 - P1"
    assert debit.accounting_date == "2024-01-10"


def test_the_longest_ids_and_texts_fit_into_a_line() -> None:
    prison, who, supplier = with_spends(100), "w" * 96, "s" * 96
    prison.kept.prisoners[who] = PRISONER.model_copy(update={"prisoner_id": who})
    prison.kept.suppliers[supplier] = Supplier(supplier_id=supplier, name="n" * 240, gl_account="g" * 96)
    prison.credit(100, who=who)
    prison.submit("p" * 96, {supplier: 30}, who=who)
    for lines in (prison.authorise("p" * 96, who=who), prison.refund("r" * 96, "p" * 96, who=who)):
        debit, credit = general_ledger_lines(lines)
        assert debit.description == credit.description
        assert len(debit.description) <= 240
        assert len(credit.line_id) <= 240


def test_before_a_tick_has_passed_the_deadline_an_authorisation_is_in_time() -> None:
    prison = with_spends(100)
    prison.submit("P1", 30, "09 10:00")
    prison.tick("09 10:29:59")
    assert not isinstance(prison.authorise("P1", "09 10:31"), Refused)


# ---- cancellation and time


def test_cancellation_frees_what_was_locked() -> None:
    prison = with_spends(100)
    prison.submit("P1", 30)
    assert prison.cancel("P1", "09 10:05") == [
        PurchaseVoided(
            purchase_id="P1",
            prisoner_id=WHO,
            cause=VoidCause.CANCELLED,
            total=pounds(30),
            batch_id=None,
            at=moment("09 10:05"),
        )
    ]
    assert prison.stands() == "prison 100, spends 100"
    assert prison.state("P1") == "cancelled"


@pytest.mark.requirement("PIPE-13")
def test_the_tick_of_the_deadline_frees_what_was_locked() -> None:
    prison = with_spends(100)
    prison.submit("P1", 30, "09 10:00")
    prison.tick("09 10:29:59")
    assert prison.stands() == "prison 100, spends 100/30"
    assert prison.tick("09 10:30") == [
        PurchaseVoided(
            purchase_id="P1",
            prisoner_id=WHO,
            cause=VoidCause.TIMED_OUT,
            total=pounds(30),
            batch_id=None,
            at=moment("09 10:30"),
        )
    ]
    assert prison.stands() == "prison 100, spends 100"
    assert prison.state("P1") == "timed_out"


@pytest.mark.parametrize("step", ["authorise", "cancel"])
def test_a_purchase_that_was_not_submitted_yet_is_not_found_and_can_be_submitted_later(step: str) -> None:
    prison = with_spends(100)
    assert getattr(prison, step)("P1") == Refused(Reason.NOT_FOUND, {"purchase": "P1"})
    prison.submit("P1", 30)
    assert not isinstance(getattr(prison, step)("P1"), Refused)


@pytest.mark.parametrize("step", ["authorise", "cancel"])
@pytest.mark.parametrize(
    ("ended", "state"),
    [
        (lambda prison: prison.authorise("P1"), "authorised"),
        (lambda prison: prison.cancel("P1"), "cancelled"),
        (lambda prison: prison.tick("09 10:30"), "timed_out"),
    ],
)
def test_what_has_ended_does_not_end_again(ended: Callable[[Partition], object], state: str, step: str) -> None:
    prison = with_spends(100)
    prison.submit("P1", 30)
    ended(prison)
    before = (prison.stands(), prison.days())
    assert getattr(prison, step)("P1", "09 10:31") == Refused(Reason.WRONG_STATE, {"purchase": "P1", "state": state})
    assert (prison.stands(), prison.days()) == before


@pytest.mark.parametrize(
    "ended",
    [
        lambda prison: prison.authorise("P1", "09 10:30"),
        lambda prison: prison.cancel("P1", "09 10:30"),
        lambda prison: prison.tick("09 10:30"),
    ],
)
def test_an_ended_purchase_is_forgotten_after_ninety_days(ended: Callable[[Partition], object]) -> None:
    prison = with_spends(100)
    prison.submit("P1", 30)
    ended(prison)
    prison.tick("2024-04-08 10:29:59")
    assert prison.state("P1") is not None
    prison.tick("2024-04-08 10:30")
    assert prison.state("P1") is None


@pytest.mark.requirement("PIPE-05", "PRI-10")
@pytest.mark.parametrize("ends", [Partition.authorise, Partition.cancel], ids=["authorise", "cancel"])
def test_a_purchase_that_ends_by_a_clock_of_1970_is_remembered_from_its_submission(ends: Callable[..., object]) -> None:
    prison = with_spends(100)
    prison.submit("P1", 30, "09 10:00")
    ends(prison, "P1", "1970-01-01 00:00")
    prison.tick("2024-04-08 09:59:59")
    again = prison.submit("P1", 30, "2024-04-08 09:59:59")
    assert isinstance(again, Refused)
    assert again.reason is Reason.ALREADY_EXISTS
    prison.tick("2024-04-08 10:00")
    assert prison.state("P1") is None


@pytest.mark.parametrize("again_at", ["2024-07-09 10:00", "2024-01-09 10:00"], ids=["later", "by a clock that stands"])
def test_each_time_out_has_an_id_of_its_own_even_where_a_purchase_id_is_used_again(again_at: str) -> None:
    prison = with_spends(100)
    ids = []
    for at, tick in (("2024-01-09 10:00", "2024-01-09 10:30"), (again_at, "2024-07-09 10:30")):
        prison.submit("P1", 30, at)
        ids += [due.id for due in prison.room.due(moment(tick)) if due.id.endswith("timed_out")]
        prison.cancel("P1", at)
        prison.tick("2024-07-01 00:00")  # the first P1 is forgotten
    assert len(set(ids)) == len(ids) == 2


def general_ledger_lines(answer: list[Message] | Refused) -> list[GeneralLedgerLine]:
    assert not isinstance(answer, Refused)
    return [event for event in answer if isinstance(event, GeneralLedgerLine)]
