"""What waits in suspense lands in Postgres, leaves when it waits no more, and is found there (DLR-06)."""

from collections.abc import Iterator

import psycopg
import pytest
from connectors_place import Place

from schemas.dealer_billing import AccountType
from schemas.dealer_bills import BillPaid, BillState, PaymentWaits, Source
from schemas.dealer_projections import ProjectedBill, ProjectedDealer
from schemas.fields import Money
from schemas.settings import Settings
from schemas.topics import PROJECTED_BILLS, PROJECTED_DEALERS, PROJECTED_SUSPENSE
from streams.dealer_billing.payment_row import Payment, PaymentEvent, evolve_payment
from streams.dealer_billing.projection import project_suspense
from streams.views.projection import NoSuchDealer, TooManyPayments
from streams.views.suspense import MOST_PAYMENTS, PAYMENTS, in_suspense

pytestmark = pytest.mark.requirement("DLR-06")

WAITS = PaymentWaits(
    payment_id="P1", dealer_id="sus", named="B1", bill_id="B1", amount=Money(amount_minor=400, currency="EUR")
)
PAID = BillPaid(
    bill_id="B1", dealer_id="sus", payment_id="P1", named="B1", account=AccountType.COMMISSION, source=Source.SUSPENSE,
    received=WAITS.amount, applied_minor=400, surplus_minor=0, paid_minor=400, state=BillState.PART_PAID,
)  # fmt: skip
VIEW = "SELECT * FROM analysis.suspense WHERE dealer_id = 'sus'"


def tell(place: Place, *events: PaymentEvent) -> None:
    """What a book shows of a payment after each of its events."""
    payment, key = None, "dealer:sus|P1"
    for event in events:
        payment = evolve_payment(payment, event)
        shown = project_suspense(key, payment)
    place.put(PROJECTED_SUSPENSE, key, None if shown is None else place.codec.encode(shown))


def test_a_payment_lands_while_it_waits_and_is_gone_when_it_has_paid(place: Place) -> None:
    tell(place, WAITS)
    place.until(VIEW)
    assert place.sql(VIEW) == [("P1", "sus", None, "B1", "B1", 400, "EUR", None, None)]
    tell(place, WAITS, PAID)
    place.until("SELECT 1 WHERE NOT EXISTS (SELECT FROM projection.suspense WHERE dealer_id = 'sus')")


def test_the_view_knows_the_dealer_and_the_bill_as_soon_as_the_books_know_them(place: Place) -> None:
    tell(place, WAITS)
    dealer = ProjectedDealer(
        id="dealer:sus", dealer_id="sus", cme_client_id="cme-sus", requisite=b'{"legal_name": "Anvil"}', version=1
    )
    bill = ProjectedBill(
        id="dealer:sus|B1", bill_id="B1", dealer_id="sus", account_type=AccountType.COMMISSION, common_sum_minor=1_000,
        paid_sum_minor=0, currency="USD", state=BillState.DRAFT, url=None, successor=None,
    )  # fmt: skip
    place.put(PROJECTED_DEALERS, dealer.id, place.codec.encode(dealer))
    place.put(PROJECTED_BILLS, bill.id, place.codec.encode(bill))
    found = place.until(VIEW + " AND cme_client_id IS NOT NULL AND bill_state IS NOT NULL")
    assert found == [("P1", "sus", "cme-sus", "B1", "B1", 400, "EUR", "draft", "USD")]


def test_a_tombstone_of_a_payment_that_never_waited_lands_as_nothing_and_stops_nothing(place: Place) -> None:
    row = project_suspense("dealer:sus|P7", Payment("P7", "B1", WAITS.amount, "B1"))
    assert row is not None
    place.put(PROJECTED_SUSPENSE, row.id, None, place.codec.encode(row))
    place.until("SELECT 1 FROM projection.suspense WHERE id = 'dealer:sus|P7'")


# ---- the answer


@pytest.fixture(scope="module")
def books(database: Settings) -> Iterator[psycopg.Connection]:
    with psycopg.connect(database.postgres, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO projection.dealers VALUES"
            " ('dealer:S1', 'S1', 'cme-s1', '{}', 1), ('dealer:S2', 'S2', 'cme-s2', '{}', 1);"
            "INSERT INTO projection.bill VALUES"
            " ('dealer:S1|B1', 'B1', 'S1', 'COMMISSION', 100, 0, 'EUR', 'draft', NULL, NULL);"
            "INSERT INTO projection.suspense VALUES"
            " ('dealer:S1|P2', 'P2', 'S1', 'B1', 'B0', 40, 'EUR'), ('dealer:S1|P1', 'P1', 'S1', 'B1', 'B1', 60, 'EUR'),"
            " ('dealer:S3|P1', 'P1', 'S3', 'B1', 'B1', 7, 'JPY')"
        )
        yield connection


def test_all_that_waits_is_told_dealer_by_dealer_and_of_who_is_not_registered_too(books: psycopg.Connection) -> None:
    answer = in_suspense(books, None)
    assert [(each.payment_id, each.cme_dealer_id, each.dealer_id) for each in answer.payments] == [
        ("P1", "cme-s1", "S1"), ("P2", "cme-s1", "S1"), ("P1", None, "S3"),
    ]  # fmt: skip
    assert [each.bill_state for each in answer.payments] == ["draft", "draft", None], "another dealer's B1 is no bill"
    assert answer.waiting == {"EUR": 100, "JPY": 7}


def test_one_dealers_payments_are_told_alone_and_may_be_none(books: psycopg.Connection) -> None:
    assert [each.payment_id for each in in_suspense(books, "cme-s1").payments] == ["P1", "P2"]
    assert in_suspense(books, "cme-s2").payments == ()


def test_a_dealer_whom_nobody_registered_is_named_and_our_own_id_is_understood(books: psycopg.Connection) -> None:
    with pytest.raises(NoSuchDealer, match=r"no dealer is registered whom CME knows as 'cme-0'$"):
        in_suspense(books, "cme-0")
    with pytest.raises(NoSuchDealer, match="did you mean cme-s2"):
        in_suspense(books, "S2")


def test_more_payments_than_one_answer_shows_are_refused_and_one_dealers_are_found_by_an_index(
    books: psycopg.Connection,
) -> None:
    many = "FROM generate_series(1, %s) AS n"
    with books.transaction(force_rollback=True):
        books.execute(
            f"INSERT INTO projection.suspense SELECT 'dealer:M' || n || '|P', 'P', 'M' || n, 'B', 'B', 1, 'EUR' {many}",
            [MOST_PAYMENTS],
        )
        books.execute("ANALYZE projection.suspense")
        with pytest.raises(TooManyPayments, match="more than 10,000 payments wait in suspense: ask for one dealer's"):
            in_suspense(books, None)
        assert len(in_suspense(books, "cme-s1").payments) == 2
        plan = "\n".join(line for (line,) in books.execute(f"EXPLAIN {PAYMENTS}", {"dealers": ["S1"]}))
        assert "suspense_of_a_dealer" in plan, plan
