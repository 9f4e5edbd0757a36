"""Which source pays what: every flow of a single person, every penny short (PRI-02 to PRI-07)."""

import pytest
from pydantic import ValidationError

from schemas.prison_finance import (
    AdvanceApproval,
    FundingSource,
    PurchasePending,
    RefundPurchase,
    SubmitPurchase,
)
from schemas.refusals import Reason
from streams.ledger.draft import Refused

from .partition import WHO, Partition, entries, moment, pounds, to_suppliers, told

FOREVER = moment("2100-01-01 00:00")


def with_money(spends: int = 0, cash: int = 0, savings: int = 0, *, permitted: int | None = FOREVER) -> Partition:
    prison = Partition()
    for account, amount in (("spends", spends), ("cash", cash), ("savings", savings)):
        if amount:
            prison.credit(amount, account)
    prison.change(cash_permission_until=permitted)
    return prison


def parts(answer: object) -> list[str]:
    """The parts of a pending purchase: `spends canteen 30`."""
    assert isinstance(answer, list), answer
    (pending,) = (event for event in answer if isinstance(event, PurchasePending))
    return [f"{part.source} {part.supplier_id} {part.amount_minor}" for part in pending.parts]


def reason(answer: object) -> Reason:
    assert isinstance(answer, Refused), answer
    return answer.reason


# ---- flow 2: private cash


@pytest.mark.requirement("PRI-03")
def test_cash_alone_pays_without_the_governors_permission_and_nothing_else_is_touched() -> None:
    prison = with_money(spends=50, cash=100, savings=70, permitted=None)
    assert parts(prison.submit("P1", 100, funding="cash")) == ["cash canteen 100"]
    assert prison.stands() == "cash 100/100, prison 220, savings 70, spends 50"
    assert entries(prison.authorise("P1")) == ["2101 -> 2501 100"]
    assert prison.stands() == "prison 220, savings 70, spends 50, supplier/canteen 100"


@pytest.mark.requirement("PRI-03")
def test_cash_that_is_a_penny_short_fails_whatever_spends_and_savings_have() -> None:
    prison = with_money(spends=5_000, cash=99, savings=5_000)
    refusal = prison.submit("P1", 100, funding="cash")
    assert refusal == Refused(
        Reason.INSUFFICIENT_FUNDS,
        {
            "cash_available": "99",
            "total": "100",
            "missing": "1",
            "advance_recommended": "1",
            "advance_allowed": "100",
        },
    )


# ---- flow 3: spends, then cash


@pytest.mark.requirement("PRI-04")
def test_all_of_spends_pays_before_cash_in_parts_of_one_description_and_transaction() -> None:
    prison = with_money(spends=30, cash=100)
    assert parts(prison.submit("P1", 80, funding="spends cash")) == ["spends canteen 30", "cash canteen 50"]
    assert prison.stands() == "cash 100/50, prison 130, spends 30/30"
    assert entries(prison.authorise("P1")) == ["2102 -> 2501 30", "2101 -> 2501 50"]
    assert {(line.transaction_id, line.description) for line in prison.lines} == {
        ("P1", "Canteen Spends - 09.01.2024 - P1")
    }
    assert prison.stands() == "cash 50, prison 130, supplier/canteen 80"


@pytest.mark.requirement("PRI-04")
def test_a_total_a_penny_above_spends_and_cash_fails_whatever_savings_have() -> None:
    prison = with_money(spends=30, cash=50, savings=5_000)
    assert reason(prison.submit("P1", 81, funding="spends cash")) is Reason.INSUFFICIENT_FUNDS
    assert prison.stands() == "cash 50, prison 5080, savings 5000, spends 30"
    assert parts(prison.submit("P1", 80, funding="spends cash")) == ["spends canteen 30", "cash canteen 50"]


@pytest.mark.requirement("PRI-04")
@pytest.mark.parametrize(
    ("changes", "figures"),
    [
        ({"cash_permission_until": None}, {"permission": "none", "wanted_cash": "50"}),
        (
            {"cash_permission_until": moment("09 10:00")},
            {"permission": "expired", "until": "2024-01-09T10:00:00Z", "wanted_cash": "50"},
        ),
        (
            {"cash_permission_most_minor": 49},
            {"permission": "too_small", "permitted_cash": "49", "wanted_cash": "50"},
        ),
    ],
    ids=["missing", "expired", "too small"],
)
def test_cash_beside_spends_needs_the_governors_permission(changes: dict[str, object], figures: dict[str, str]) -> None:
    prison = with_money(spends=30, cash=100)
    prison.change(**changes)
    before = prison.stands()
    assert prison.submit("P1", 80, "09 10:00", funding="spends cash") == Refused(Reason.NOT_PERMITTED, figures)
    assert prison.stands() == before
    assert parts(prison.submit("P1", 30, funding="spends cash")) == ["spends canteen 30"]  # no cash, no permission


@pytest.mark.requirement("PRI-04")
def test_a_permission_of_exactly_what_is_wanted_a_moment_before_it_ends_is_enough() -> None:
    prison = with_money(spends=30, cash=100)
    prison.change(cash_permission_until=moment("09 10:00") + 1, cash_permission_most_minor=50)
    assert parts(prison.submit("P1", 80, "09 10:00", funding="spends cash")) == ["spends canteen 30", "cash canteen 50"]


@pytest.mark.requirement("PRI-04")
def test_what_is_pending_in_either_account_is_not_spent_again() -> None:
    prison = with_money(spends=30, cash=50)
    prison.submit("P1", 60, funding="spends cash")
    assert parts(prison.submit("P2", 20, funding="spends cash")) == ["cash canteen 20"]
    assert reason(prison.submit("P3", 1, funding="spends cash")) is Reason.INSUFFICIENT_FUNDS
    prison.cancel("P1")
    assert prison.stands() == "cash 50/20, prison 80, spends 30"


# ---- flow 6: several suppliers


@pytest.mark.requirement("PRI-07")
def test_one_total_is_checked_and_each_supplier_has_entries_of_its_own() -> None:
    prison = with_money(spends=100)
    assert parts(prison.submit("P1", {"canteen": 30, "BT": 70})) == ["spends canteen 30", "spends BT 70"]
    assert entries(prison.authorise("P1")) == ["2102 -> 2501 30", "2102 -> 2502 70"]
    assert prison.stands() == "prison 100, supplier/BT 70, supplier/canteen 30"


@pytest.mark.requirement("PRI-07")
def test_a_total_a_penny_above_the_funds_locks_nothing_of_any_supplier() -> None:
    prison = with_money(spends=100)
    assert reason(prison.submit("P1", {"canteen": 30, "BT": 71})) is Reason.INSUFFICIENT_FUNDS
    assert prison.stands() == "prison 100, spends 100"
    assert not list(prison.money.locks)


@pytest.mark.requirement("PRI-04", "PRI-07")
def test_the_supplier_at_the_edge_of_two_sources_is_paid_by_both() -> None:
    prison = with_money(spends=50, cash=100)
    answer = prison.submit("P1", {"canteen": 30, "BT": 70}, funding="spends cash")
    assert parts(answer) == ["spends canteen 30", "spends BT 20", "cash BT 50"]
    assert entries(prison.authorise("P1")) == ["2102 -> 2501 30", "2102 -> 2502 20", "2101 -> 2502 50"]
    assert prison.balance("supplier/BT").posted == 70  # type: ignore[union-attr]


@pytest.mark.requirement("PRI-07")
def test_one_unknown_supplier_among_known_ones_is_named() -> None:
    prison = with_money(spends=100)
    assert prison.submit("P1", {"canteen": 1, "nobody": 1}) == Refused(Reason.UNKNOWN_SUPPLIER, {"supplier": "nobody"})


# ---- what a submission refuses before money


@pytest.mark.requirement("PRI-10")
@pytest.mark.parametrize(("funding", "purpose"), [("spends", "spends"), ("cash", "cash")])
def test_a_purpose_without_a_ledger_account_is_refused_at_submission(funding: str, purpose: str) -> None:
    prison = with_money(spends=10, cash=10)
    del prison.kept.gl_accounts[purpose]
    assert prison.submit("P1", 10, funding=funding) == Refused(Reason.NO_GL_ACCOUNT, {"purpose": purpose})


@pytest.mark.requirement("PRI-10")
def test_other_money_is_refused() -> None:
    refusal = with_money(spends=10).submit("P1", 1, currency="EUR")
    assert refusal == Refused(Reason.CURRENCY_MISMATCH, {"currency": "GBP", "given": "EUR", "wanted": "1"})


# ---- what is no message


def purchase(**changes: object) -> SubmitPurchase:
    fields: dict[str, object] = {
        "purchase_id": "P1",
        "prisoner_id": WHO,
        "payments": to_suppliers({"canteen": 30, "BT": 70}),
        "total": pounds(100),
        "funding": (FundingSource.SPENDS,),
        "description": "Canteen Spends",
    }
    return SubmitPurchase.model_validate(fields | changes)


APPROVED = AdvanceApproval(approved_by="governor")


@pytest.mark.requirement("PIPE-04", "PRI-07")
@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"total": {"amount_minor": 99, "currency": "GBP"}}, "total"),
        ({"total": {"amount_minor": 100, "currency": "EUR"}}, "total"),
        ({"payments": ()}, "payments"),
        ({"payments": to_suppliers({"canteen": 30}) * 2}, "payments"),
        ({"payments": to_suppliers({f"s{number}": 1 for number in range(21)})}, "payments"),
        ({"funding": ()}, "funding"),
        ({"funding": ("cash", "spends")}, "funding"),
        ({"funding": ("spends", "spends")}, "funding"),
        ({"funding": ("advance", "spends"), "approval": APPROVED}, "funding"),
        ({"funding": ("savings",)}, "funding"),
        ({"funding": ("spends", "advance")}, "approval"),
        ({"approval": APPROVED}, "approval"),
        ({"receipt_to": "nobody"}, "receipt_to"),
    ],
)
def test_a_purchase_that_does_not_hold_together_is_no_message_and_its_field_is_named(
    changes: dict[str, object], field: str
) -> None:
    purchase()
    with pytest.raises(ValidationError) as refusal:
        purchase(**changes)
    assert refusal.value.errors()[0]["loc"][0] == field


@pytest.mark.requirement("PIPE-04", "PRI-07")
@pytest.mark.parametrize("amount", [0, -1])
def test_a_payment_of_nothing_or_less_is_no_message(amount: int) -> None:
    with pytest.raises(ValidationError) as refusal:
        purchase(payments=({"supplier_id": "canteen", "amount": {"amount_minor": amount, "currency": "GBP"}},))
    assert refusal.value.errors()[0]["loc"] == ("payments", 0, "amount", "amount_minor")


@pytest.mark.parametrize("both", [{}, {"approved_by": "a", "circumstance": "b"}])
def test_an_approval_is_of_an_officer_or_of_a_circumstance(both: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        AdvanceApproval.model_validate(both)


def test_a_refund_names_each_supplier_once() -> None:
    with pytest.raises(ValidationError):
        RefundPurchase(
            refund_id="R", purchase_id="P", prisoner_id=WHO, payments=to_suppliers({"BT": 1}) * 2, reason="twice"
        )


@pytest.mark.requirement("PRI-13")
def test_the_answer_says_whom_to_send_the_receipt() -> None:
    prison = with_money(spends=100)
    prison.give(purchase(receipt_to="a.prisoner@prison.example"), "09 10:00")
    authorised = prison.authorise("P1")
    assert told(authorised) == ["PurchaseAuthorised"]
    assert isinstance(authorised, list)
    receipt = authorised[0]
    assert (receipt.receipt_to, receipt.total) == ("a.prisoner@prison.example", pounds(100))  # type: ignore[attr-defined]
