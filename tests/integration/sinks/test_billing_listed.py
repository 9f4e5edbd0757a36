"""What `python -m sinks calls` reads: of the calls that wait the first, of the others the latest (DLR-01, DLR-03)."""

import pytest

from sinks.billing.calls import Listing, Which, as_json, listing
from sinks.database import connect
from stack.billing import Mood
from tests.integration.sinks.billing import SECRETS, Desk, client

pytestmark = pytest.mark.requirement("DLR-01", "DLR-03")

DEALERS = [f"d-{number}" for number in range(4)]


def listed(desk: Desk, which: Which = Which.ALL, dealer_id: str | None = None, limit: int = 50) -> Listing:
    with connect(desk.world.postgres) as connection:
        return listing(connection, which, dealer_id, limit)


def names(found: Listing) -> tuple[list[str], int]:
    return [f"{each.dealer_id}: {each.state}" for each in found.calls], found.more


def test_calls_are_listed_by_state_and_dealer_with_how_many_more_there_are(desk: Desk) -> None:
    desk.billing.towards["d-1/COMMISSION/client/1"] = Mood.REFUSES
    desk.billing.towards["d-2/COMMISSION/client/1"] = Mood.TURNS_AWAY
    desk.billing.towards["d-3/COMMISSION/client/1"] = Mood.TURNS_AWAY
    desk.ask(*(client(dealer) for dealer in DEALERS))
    desk.world.run("billing")
    desk.world.query("update sink.billing_call set useless = 9 where dealer_id = 'd-2'")
    desk.carry()

    assert names(listed(desk)) == (["d-0: done", "d-1: refused", "d-2: parked", "d-3: waiting"], 0)
    assert names(listed(desk, limit=2)) == (["d-2: parked", "d-3: waiting"], 2)
    assert names(listed(desk, Which.OPEN)) == (["d-2: parked", "d-3: waiting"], 0)
    assert names(listed(desk, Which.OPEN, limit=1)) == (["d-2: parked"], 1), "the head of the line"
    assert names(listed(desk, Which.PARKED)) == (["d-2: parked"], 0)
    assert names(listed(desk, Which.REFUSED)) == (["d-1: refused"], 0)
    assert names(listed(desk, dealer_id="d-0")) == (["d-0: done"], 0)
    assert names(listed(desk, Which.REFUSED, dealer_id="d-0")) == ([], 0)
    (refused,) = listed(desk, Which.REFUSED).calls
    assert (refused.code, refused.words) == desk.billing.refusal
    assert refused.answered_at is not None


def test_a_listing_holds_no_requisites(desk: Desk) -> None:
    desk.billing.refusal = ("bad_payer", f"tax number {SECRETS[1]} is unknown")
    desk.billing.moods.extend([Mood.REFUSES, Mood.TURNS_AWAY])
    desk.ask(client(), client("d-2"))
    desk.carry()

    said = str(as_json(listed(desk)))
    assert "tax number <requisites> is unknown" in said
    assert [secret for secret in SECRETS if secret in said] == []
