"""What a person is told who matched a payment (DLR-06)."""

import pytest

from schemas.dealer_billing import AccountType, Refused
from schemas.dealer_bills import (
    BillPaid,
    BillState,
    BillVoided,
    PaymentCredited,
    PaymentHandedOver,
    PaymentWaits,
    Source,
)
from schemas.fields import Money
from streams.matching import in_words

pytestmark = pytest.mark.requirement("DLR-06")

RECEIVED = Money(amount_minor=123_456, currency="EUR")


def paid(applied: int, surplus: int, state: BillState) -> BillPaid:
    return BillPaid(
        bill_id="B1", dealer_id="d-1", payment_id="P1", named="B1", account=AccountType.COMMISSION,
        source=Source.SUSPENSE, received=RECEIVED, applied_minor=applied, surplus_minor=surplus, paid_minor=applied,
        state=state,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (paid(123_456, 0, BillState.PART_PAID), "payment P1 pays 1,234.56 EUR of bill B1, now part paid"),
        (
            paid(100_000, 23_456, BillState.OVERPAID),
            "payment P1 pays 1,000.00 EUR of bill B1, now overpaid; "
            "234.56 EUR more is the current balance of COMMISSION",
        ),
        (
            PaymentCredited(
                bill_id="B1", dealer_id="d-1", payment_id="P1", named="B1", account=AccountType.SETTLEMENT,
                source=Source.SUSPENSE, received=RECEIVED,
            ),
            "bill B1 is voided: 1,234.56 EUR is the current balance of SETTLEMENT",
        ),
        (
            PaymentWaits(payment_id="P1", dealer_id="d-1", named="B9", bill_id="B1", amount=RECEIVED),
            "payment P1 waits for bill B1, which Billing does not have yet",
        ),
        (
            PaymentHandedOver(
                payment_id="P1", dealer_id="d-1", named="B9", bill_id="B1", bill_dealer_id="d-2", amount=RECEIVED
            ),
            "payment P1 goes to dealer d-2, for bill B1",
        ),
        (
            Refused(
                dealer_id="d-1", refused_id="m-1", reason="wrong_state", figures={"payment": "P1", "waits": "no more"}
            ),
            "refused: wrong state (payment P1, waits no more)",
        ),
    ],
)  # fmt: skip
def test_each_answer_of_the_book_is_one_sentence(answer: object, words: str) -> None:
    assert in_words(answer) == words


def test_what_is_no_answer_to_a_match_is_a_bug() -> None:
    voided = BillVoided(
        bill_id="B1", dealer_id="d-1", account=AccountType.COMMISSION, reason="x", common=RECEIVED, credited_minor=0
    )
    with pytest.raises(TypeError):
        in_words(voided)
