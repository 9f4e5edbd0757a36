"""`verify` finds calls that were not kept as they were asked, and answers that were told otherwise (BEY-02, DLR-01)."""

import pytest

from sinks.billing import outbox
from stack.billing import Mood
from tests.integration.sinks.billing import Desk, client

pytestmark = pytest.mark.requirement("BEY-02", "DLR-01")

CLIENT, OTHER = "d-1/COMMISSION/client/1", "d-2/COMMISSION/client/1"


CRIMES = {
    "delete from sink.billing_call where call_id = '{OTHER}'": "call {OTHER} was not kept, and is not parked",
    "update sink.billing_call set sha256 = repeat('0', 64) where call_id = '{CLIENT}'":
        "call {CLIENT} is not kept as the record says it",
    "update sink.billing_call set record_offset = 99 where call_id = '{CLIENT}'": "call {CLIENT} belongs to no record",
    "update sink.billing_call set content = content || ' ' where call_id = '{OTHER}'":
        "call {OTHER} waits, and says something else than it was kept with",
    "update sink.billing_call set billing_id = 'client-9' where call_id = '{CLIENT}'":
        "the answer to {CLIENT} is not in Kafka as it was given",
    "update sink.billing_call set dealer_id = 'd-9' where call_id = '{CLIENT}'":
        "the answer to {CLIENT} is not in Kafka as it was given",
    "update sink.billing_call set call_id = 'd-9/COMMISSION/client/1' where call_id = '{CLIENT}'":
        ", which was not given",
}  # fmt: skip


def test_what_was_kept_or_told_otherwise_is_found(desk: Desk) -> None:
    """One call is answered, the other waits."""
    desk.ask(client(), client("d-2"))
    desk.billing.towards[OTHER] = Mood.BUSY
    desk.carry(until_idle_s=1)
    assert desk.states() == {CLIENT: "done", OTHER: "in doubt"}
    assert desk.differences() == []

    desk.world.query("create table was as select * from sink.billing_call")
    for crime, said in CRIMES.items():
        desk.world.query(crime.format(CLIENT=CLIENT, OTHER=OTHER))
        found = desk.differences()
        assert any(said.format(CLIENT=CLIENT, OTHER=OTHER) in each for each in found), (crime, found)
        desk.world.query("delete from sink.billing_call")
        desk.world.query("insert into sink.billing_call overriding system value select * from was")
    assert desk.differences() == []


def test_an_answer_that_kafka_never_got_is_found(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """The table says that the book was told, and it never hears of it."""
    monkeypatch.setattr(outbox, "publish", lambda *_: 0)
    desk.ask(client())
    desk.carry(until_idle_s=1)

    assert desk.told() == []
    assert desk.differences() == [f"the answer to {CLIENT} is marked as published, but Kafka does not have it"]


def test_what_is_not_marked_yet_is_told_again_under_the_same_id(desk: Desk) -> None:
    desk.ask(client())
    desk.carry(until_idle_s=1)
    desk.world.query("update sink.billing_call set published_at = null")
    assert desk.differences() == []

    desk.carry(until_idle_s=1)

    assert len(desk.told()) == 2
    assert len({each.envelope.id for each in desk.told()}) == 1
    assert desk.differences() == []
