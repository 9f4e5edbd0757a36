"""Dealers, accounts and bills land in Postgres, and what one of them has to pay is found there (DLR-07, DLR-10)."""

import time
from collections.abc import Iterator

import httpx
import psycopg
import pytest
from connectors_place import Place, eventually

from connectors import connect
from schemas.dealer_billing import AccountType
from schemas.dealer_bills import BillState
from schemas.dealer_projections import ProjectedAccount, ProjectedBill, ProjectedDealer
from schemas.ledger import AccountBalance, Side
from schemas.settings import Settings
from schemas.topics import BALANCES, PROJECTED_ACCOUNTS, PROJECTED_BILLS, PROJECTED_DEALERS
from streams.views.dealer import BALANCES as BALANCES_QUERY
from streams.views.dealer import BILLS as BILLS_QUERY
from streams.views.dealer import DEALERS as DEALERS_QUERY
from streams.views.dealer import bills_by_dealer
from streams.views.projection import NoSuchDealer

REQUISITE = b'{"legal_name": "Anvil Motors", "bank_account": "40702810900000000001"}'


def dealer(dealer_id: str, requisite: bytes = REQUISITE, version: int = 1) -> ProjectedDealer:
    return ProjectedDealer(
        id=f"dealer:{dealer_id}",
        dealer_id=dealer_id,
        cme_client_id=f"cme-{dealer_id}",
        requisite=requisite,
        version=version,
    )


def account(dealer_id: str, kind: AccountType) -> ProjectedAccount:
    return ProjectedAccount(
        id=f"dealer:{dealer_id}|{kind}", dealer_id=dealer_id, account_type=kind, state="open", client_id="c-1",
        payer_id="p-1", contract_id=None,
    )  # fmt: skip


def bill(dealer_id: str, bill_id: str, paid: int, state: BillState, url: str | None = "https://b.example/1.pdf",
         successor: str | None = None) -> ProjectedBill:  # fmt: skip
    return ProjectedBill(
        id=f"dealer:{dealer_id}|{bill_id}",
        bill_id=bill_id,
        dealer_id=dealer_id,
        account_type=AccountType.COMMISSION,
        common_sum_minor=1_000,
        paid_sum_minor=paid,
        currency="EUR",
        state=state,
        url=url,
        successor=successor,
    )


def balance(dealer_id: str, balance_minor: int, currency: str) -> AccountBalance:
    return AccountBalance(
        id=f"dealer:{dealer_id}|current/COMMISSION|{currency}", book=f"dealer:{dealer_id}",
        account="current/COMMISSION", currency=currency, side=Side.CREDIT, debits_posted=0,
        credits_posted=balance_minor, debits_pending=0, credits_pending=0, balance_minor=balance_minor,
        available_minor=balance_minor, entries=1, lots=0,
    )  # fmt: skip


def put(place: Place, *messages: ProjectedDealer | ProjectedAccount | ProjectedBill | AccountBalance) -> None:
    topics = {ProjectedDealer: PROJECTED_DEALERS, ProjectedAccount: PROJECTED_ACCOUNTS,
              ProjectedBill: PROJECTED_BILLS, AccountBalance: BALANCES}  # fmt: skip
    for message in messages:
        place.put(topics[type(message)], message.id, place.codec.encode(message))


@pytest.mark.requirement("DLR-10", "PIPE-07")
def test_a_dealers_requisites_land_as_the_bytes_that_they_are_and_are_in_no_view(place: Place) -> None:
    put(place, dealer("land"), dealer("land", b'{"legal_name": "\xc3\x98 Motors"}', version=2))
    find = "SELECT requisite FROM projection.dealers WHERE dealer_id = 'land' AND version = 2"
    assert place.until(find) == [(b'{"legal_name": "\xc3\x98 Motors"}',)]
    assert place.sql("SELECT * FROM analysis.dealers WHERE dealer_id = 'land'") == [("land", "cme-land", 2)]


@pytest.mark.requirement("DLR-10", "PIPE-07")
def test_a_bill_lands_and_follows_its_life(place: Place) -> None:
    find = "SELECT common_sum_minor, paid_sum_minor, state, url, successor FROM analysis.bill WHERE dealer_id = 'life'"
    put(place, bill("life", "B1", 0, BillState.DRAFT, url=None))
    assert place.until(find) == [(1_000, 0, "draft", None, None)]
    put(place, bill("life", "B1", 400, BillState.PART_PAID))
    place.until(find + " AND state = 'part_paid'")
    put(place, bill("life", "B1", 0, BillState.CORRECTED, successor="B2"))
    wanted = [(1_000, 0, "corrected", "https://b.example/1.pdf", "B2")]
    assert place.until(find + " AND state = 'corrected'") == wanted


@pytest.mark.requirement("DLR-10", "PIPE-07")
def test_an_account_has_its_current_balance_in_every_currency_and_none_before_there_is_money(place: Place) -> None:
    put(place, account("rich", AccountType.COMMISSION), account("rich", AccountType.DEPOSIT))
    put(place, balance("rich", 500, "EUR"), balance("rich", 7, "USD"))
    find = "SELECT account_type, current_balance_minor, currency, contract_id FROM analysis.accounts"
    found = eventually(
        lambda: rows if len(rows := place.sql(f"{find} WHERE dealer_id = 'rich' ORDER BY 1, 3")) == 3 else [],
        "balances",
    )
    assert found == [("COMMISSION", 500, "EUR", None), ("COMMISSION", 7, "USD", None), ("DEPOSIT", 0, None, None)]


@pytest.mark.requirement("DLR-10", "PIPE-15")
def test_a_sink_that_postgres_refuses_does_not_say_the_requisites(place: Place) -> None:
    name = f"{place.deployment.name}-dealers"
    place.sql("ALTER TABLE projection.dealers ADD CONSTRAINT none CHECK (dealer_id <> 'refused')")
    try:
        put(place, dealer("refused"))
        (failed,) = eventually(
            lambda: [row.state for row in connect.status(place.settings, place.deployment) if row.state.failed],
            "failed sink",
        )
        assert failed.connector == name
        said = httpx.get(f"{place.settings.connect}/connectors/{name}/status").text
    finally:
        place.sql("ALTER TABLE projection.dealers DROP CONSTRAINT none")
    connect.apply(place.settings, place.deployment)
    place.until("SELECT 1 FROM projection.dealers WHERE dealer_id = 'refused'")
    assert "violates check constraint" in said
    assert all(secret not in said for secret in ("Anvil", "40702810900000000001", REQUISITE.hex()[:40]))


# ---- what a dealer has to pay


DEALERS, BILLS = 10_000, 30_000
DECADE = f"""
INSERT INTO projection.dealers
SELECT 'dealer:D' || n, 'D' || n, 'cme-' || n, '{{}}', 1 FROM generate_series(1, {DEALERS}) AS n;
INSERT INTO projection.accounts
SELECT 'dealer:D' || n || '|' || kind, 'D' || n, kind, 'open', 'c', 'p', 'k'
FROM generate_series(1, {DEALERS}) AS n, unnest(ARRAY['COMMISSION', 'DEPOSIT', 'SETTLEMENT']) AS kind;
INSERT INTO projection.balances
SELECT 'dealer:D' || n || '|' || account || '|EUR', 'dealer:D' || n, account, 'EUR', 'credit', 0, n, 0, 0, n, n, 1, 0
FROM generate_series(1, {DEALERS}) AS n, unnest(ARRAY['current/COMMISSION', 'current/SETTLEMENT', 'bank']) AS account;
INSERT INTO projection.bill
SELECT 'dealer:D' || dealer || '|B' || n, 'B' || n, 'D' || dealer, 'COMMISSION', 1000,
    CASE n % 10 WHEN 0 THEN 0 WHEN 1 THEN 400 ELSE 1000 END, 'EUR',
    CASE n % 10 WHEN 0 THEN 'sent' WHEN 1 THEN 'part_paid' ELSE 'paid' END, 'https://b.example/' || n, NULL
FROM generate_series(1, {BILLS}) AS n, LATERAL (SELECT 1 + (n * 7919 + n / 1000) % {DEALERS} AS dealer) AS of_whom;
"""


@pytest.fixture(scope="module")
def decade(database: Settings) -> Iterator[psycopg.Connection]:
    """Ten years of the source's load, as projections have them."""
    with psycopg.connect(database.postgres, autocommit=True) as connection:
        connection.execute(DECADE)
        connection.execute("ANALYZE projection.dealers, projection.accounts, projection.bill, projection.balances")
        yield connection


@pytest.mark.requirement("DLR-07")
def test_what_is_to_be_paid_is_told_with_its_pdf_and_the_current_balances(decade: psycopg.Connection) -> None:
    decade.execute(
        "INSERT INTO projection.dealers VALUES ('dealer:me', 'me', 'cme-me', '{}', 1);"
        "INSERT INTO projection.accounts VALUES ('dealer:me|COMMISSION', 'me', 'COMMISSION', 'open', 'c', 'p', 'k');"
        "INSERT INTO projection.bill VALUES"
        " ('dealer:me|1', '1', 'me', 'COMMISSION', 100, 40, 'EUR', 'part_paid', 'https://b.example/me-1', NULL),"
        " ('dealer:me|2', '2', 'me', 'COMMISSION', 70, 0, 'EUR', 'sent', 'https://b.example/me-2', NULL),"
        " ('dealer:me|3', '3', 'me', 'COMMISSION', 70, 70, 'EUR', 'paid', 'https://b.example/me-3', NULL),"
        " ('dealer:me|4', '4', 'me', 'COMMISSION', 70, 70, 'EUR', 'overpaid', 'https://b.example/me-4', NULL),"
        " ('dealer:me|5', '5', 'me', 'COMMISSION', 70, 0, 'EUR', 'draft', NULL, NULL),"
        " ('dealer:me|6', '6', 'me', 'COMMISSION', 70, 0, 'EUR', 'corrected', 'https://b.example/me-6', '2'),"
        " ('dealer:me|7', '7', 'me', 'COMMISSION', 70, 0, 'EUR', 'voided', 'https://b.example/me-7', NULL)"
    )
    answer = bills_by_dealer(decade, "cme-me")
    assert answer.dealer_ids == ("me",)
    assert [(each.bill_id, each.state, each.owed_minor, each.url) for each in answer.bills] == [
        ("1", "part_paid", 60, "https://b.example/me-1"),
        ("2", "sent", 70, "https://b.example/me-2"),
    ]
    assert answer.owed == {"EUR": 130}
    assert [(each.account, each.balance_minor, each.currency) for each in answer.balances] == [("COMMISSION", 0, None)]


@pytest.mark.requirement("DLR-07")
def test_a_dealer_whom_nobody_registered_is_named_and_our_own_id_is_understood(decade: psycopg.Connection) -> None:
    with pytest.raises(NoSuchDealer, match=r"no dealer is registered whom CME knows as 'cme-0'$"):
        bills_by_dealer(decade, "cme-0")
    with pytest.raises(NoSuchDealer, match="did you mean cme-17"):
        bills_by_dealer(decade, "D17")


@pytest.mark.requirement("DLR-07")
@pytest.mark.parametrize("query", [DEALERS_QUERY, BILLS_QUERY, BALANCES_QUERY], ids=["dealers", "bills", "balances"])
def test_after_ten_years_every_row_is_found_by_an_index(decade: psycopg.Connection, query: str) -> None:
    plan = "\n".join(line for (line,) in decade.execute(f"EXPLAIN {query}", ["cme-17"]))
    assert "Index" in plan
    assert "Seq Scan" not in plan, plan


@pytest.mark.requirement("DLR-07")
def test_after_ten_years_only_bills_that_are_to_be_paid_are_looked_at(decade: psycopg.Connection) -> None:
    plan = "\n".join(line for (line,) in decade.execute(f"EXPLAIN {BILLS_QUERY}", ["cme-17"]))
    assert "bills_to_pay" in plan


@pytest.mark.requirement("DLR-07")
def test_after_ten_years_a_thousand_dealers_are_answered_in_seconds(decade: psycopg.Connection) -> None:
    began = time.monotonic()
    answers = [bills_by_dealer(decade, f"cme-{number}") for number in range(1, DEALERS, 10)]
    assert time.monotonic() - began < 20
    assert sum(len(answer.bills) for answer in answers) > 300
    assert all(len(answer.balances) == 3 for answer in answers)
