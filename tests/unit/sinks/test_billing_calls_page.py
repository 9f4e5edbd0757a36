"""The page of `python -m sinks calls` (DLR-01, DLR-03)."""

from io import StringIO

import orjson
import pytest
from rich.console import Console

from sinks.billing.calls import Listed, Listing, Which, as_json, render, summary

pytestmark = pytest.mark.requirement("DLR-01", "DLR-03")

ASKED, ANSWERED = 1_772_438_400_000_000, 1_772_438_401_500_000
CALL = Listed(
    "d-1/COMMISSION/client/1", "d-1", "COMMISSION", "CreateClient", "parked", 3, ASKED, None, "Billing is busy",
    None, None,
)  # fmt: skip
REFUSED = CALL._replace(
    state="refused", answered_at=ANSWERED, problem=None, code="payer_unknown", words="account [/1816] is closed"
)


def page(*calls: Listed) -> str:
    out = StringIO()
    Console(file=out, width=500).print(render(calls))
    return out.getvalue()


def test_a_call_that_waits_is_shown_with_its_problem_and_when_it_came() -> None:
    row = page(CALL).splitlines()[-1]
    assert row.split() == [
        "d-1/COMMISSION/client/1", "CreateClient", "parked", "3", "2026-03-02", "08:00:00", "Billing", "is", "busy",
    ]  # fmt: skip


def test_what_billing_says_is_shown_as_it_said_it() -> None:
    assert "2026-03-02 08:00:01" in page(REFUSED)
    assert "payer_unknown: account [/1816] is closed" in page(REFUSED)


def test_a_call_that_is_done_has_nothing_to_say() -> None:
    row = page(CALL._replace(state="done", answered_at=ANSWERED, problem=None)).splitlines()[-1]
    assert row.rstrip().endswith("2026-03-02 08:00:01")


def test_programs_get_every_field_and_moments_as_iso_8601() -> None:
    assert orjson.loads(orjson.dumps(as_json(Listing([CALL, REFUSED], 7)))) == {
        "calls": [
            {
                "call_id": "d-1/COMMISSION/client/1", "dealer_id": "d-1", "account": "COMMISSION",
                "kind": "CreateClient", "state": "parked", "attempts": 3, "asked_at": "2026-03-02T08:00:00Z",
                "answered_at": None, "problem": "Billing is busy", "code": None, "words": None,
            },
            {
                "call_id": "d-1/COMMISSION/client/1", "dealer_id": "d-1", "account": "COMMISSION",
                "kind": "CreateClient", "state": "refused", "attempts": 3, "asked_at": "2026-03-02T08:00:00Z",
                "answered_at": "2026-03-02T08:00:01.500000Z", "problem": None, "code": "payer_unknown",
                "words": "account [/1816] is closed",
            },
        ],
        "more": 7,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("listing", "which", "sentence"),
    [
        (Listing([], 0), Which.ALL, "no call"),
        (Listing([], 0), Which.PARKED, "no call is parked"),
        (Listing([CALL], 0), Which.OPEN, "1 call"),
        (Listing([CALL, CALL], 1_200), Which.OPEN, "2 of 1,202 calls, the first in line: see --limit"),
        (Listing([CALL, CALL], 3), Which.REFUSED, "2 of 5 calls, the latest: see --limit"),
    ],
)
def test_it_is_said_how_many_calls_are_left_out(listing: Listing, which: Which, sentence: str) -> None:
    assert summary(listing, which) == sentence
