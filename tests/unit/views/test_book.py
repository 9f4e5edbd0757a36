"""What a book shows now and as of a moment, over a projection in memory."""

import io
from typing import cast

import pytest
from rich.console import Console, RenderableType

from streams.views import book
from streams.views.projection import Balance, OpenLock, PastBalance, PriceSegment, Projection

pytestmark = pytest.mark.requirement("PIPE-10")

BOOK = "group:riverside"


class Riverside:
    """Answers as `Projection` does."""

    def balances(self) -> list[Balance]:
        return [
            Balance("rider/ana", "EUR", "credit", -5_10, -5_10, 1, 0),
            Balance("wallet", "EUR", "credit", 1_085_00, 1_055_00, 12, 2),
            Balance("wallet", "JPY", "credit", 900, 900, 1, 1),
        ]

    def locks(self) -> list[OpenLock]:
        return [OpenLock("trip:t-2", "wallet", "trips/msp-7", 30_00, "EUR", 60_000_000)]

    def price_segments(self) -> list[PriceSegment]:
        return []

    def balances_at(self, at: int) -> list[PastBalance]:
        return [PastBalance("wallet", "EUR", 100_00, 1)]


class Anvil(Riverside):
    """A dealer with a deposit."""

    def balances(self) -> list[Balance]:
        return [Balance("current/DEPOSIT", "EUR", "credit", 250_00, 250_00, 2, 0)]

    def price_segments(self) -> list[PriceSegment]:
        return [PriceSegment("EUR", "middle"), PriceSegment("EUR", "small")]


PROJECTION = cast(Projection, Riverside())


def lines_of(view: RenderableType) -> list[str]:
    out = io.StringIO()
    Console(file=out, width=100, highlight=False).print(view)
    return [" ".join(line.split()) for line in out.getvalue().splitlines()]


def test_a_book_shows_posted_locked_and_available_money_of_each_account() -> None:
    shown = lines_of(book.now(BOOK, PROJECTION))
    assert shown[0] == BOOK
    assert "wallet 1,085.00 30.00 1,055.00 EUR 12 2" in shown
    assert "wallet 900 0 900 JPY 1 1" in shown
    assert "rider/ana -5.10 0.00 -5.10 EUR 1" in shown


def test_a_book_shows_its_open_locks_with_their_deadlines() -> None:
    assert "trip:t-2 wallet trips/msp-7 30.00 EUR 1970-01-01 00:01:00" in lines_of(book.now(BOOK, PROJECTION))


def test_a_book_as_of_a_moment_shows_what_was_posted_then() -> None:
    shown = lines_of(book.past(BOOK, 60_000_000, PROJECTION))
    assert shown[0] == f"{BOOK} as of 1970-01-01 00:01:00 UTC"
    assert "wallet 100.00 EUR 1" in shown


def test_a_book_for_programs_speaks_minor_units_and_iso_moments() -> None:
    answer = book.now_json(BOOK, PROJECTION)
    assert answer["accounts"][1] == {
        "account": "wallet",
        "currency": "EUR",
        "side": "credit",
        "posted_minor": 1_085_00,
        "locked_minor": 30_00,
        "available_minor": 1_055_00,
        "entries": 12,
        "lots": 2,
    }
    assert answer["locks"][0]["deadline"] == "1970-01-01T00:01:00Z"
    assert book.past_json(BOOK, 0, PROJECTION)["as_of"] == "1970-01-01T00:00:00Z"


@pytest.mark.requirement("DLR-08")
def test_a_dealers_book_shows_his_deposit_and_what_it_opens() -> None:
    anvil = cast(Projection, Anvil())
    shown = lines_of(book.now("dealer:D1", anvil))
    assert "current/DEPOSIT 250.00 0.00 250.00 EUR 2" in shown
    assert shown.index("middle EUR") < shown.index("small EUR")
    assert book.now_json("dealer:D1", anvil)["price_segments"][0] == {"currency": "EUR", "segment": "middle"}
    assert not any("segment" in line for line in lines_of(book.now(BOOK, PROJECTION)))
