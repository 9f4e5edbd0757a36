"""`verify` and `day` find what was filed in the wrong place, and what was told otherwise than it was given (BEY-02)."""

from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import pytest

from schemas.publishing import publish
from sinks import database
from sinks.adi import tables
from sinks.general_ledger import day as reconciling
from sinks.general_ledger import outbox, proof
from sinks.general_ledger import tables as uploads
from tests.integration.sinks import general_ledger
from tests.integration.sinks.sop import PATIENCE_S, Sop
from tests.integration.sinks.world import PARTITIONS, closed, purchase

pytestmark = pytest.mark.requirement("BEY-02", "PRI-11")

DAY, NEXT = "2026-07-03", "2026-07-04"


@pytest.fixture
def sop(world: Any) -> Iterator[Sop]:
    with general_ledger.serving() as ledger:
        ledger.client_patience_s = PATIENCE_S
        yield Sop(world, ledger)


def day_says(sop: Sop, day: str) -> list[str]:
    with database.connect(sop.world.postgres) as connection:
        return reconciling.differences(reconciling.report(connection, sop.world.lines.name, date.fromisoformat(day)))


def untold(sop: Sop) -> list[str]:
    with database.connect(sop.world.postgres) as connection:
        return list(proof.untold(connection, sop.world.codec, sop.world.settings.kafka, sop.world.acknowledgements))


# ---- filed in the wrong place


def test_transactions_in_the_journal_of_another_prison_are_found(sop: Sop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two transactions of equal sums change places: each goes up in the journal of the other's prison."""
    found = tables.uncut_lines

    def exchanged(*args: Any) -> dict[str, Any]:
        lines = found(*args)
        return {"LEI": lines["MDI"], "MDI": lines["LEI"]}

    monkeypatch.setattr(tables, "uncut_lines", exchanged)
    sop.file(DAY, purchase(1, day=DAY), purchase(2, day=DAY, prison="MDI"))
    sop.upload()
    (of_leeds,) = (content for name, content in sop.world.files().items() if "_LEI_" in name and name.endswith("csv"))
    assert b"transaction-0002" in of_leeds

    told = sop.world.differences("adi")

    assert len(told) == 4
    assert told[0].startswith(
        f"line line-1-credit is of {DAY}/LEI, but in adi/{DAY}/0210_SSCL_MR_03072026_MDI_MTP01.xlsx"
    )
    assert told[0].endswith(f"the journal of {DAY}/MDI")
    assert day_says(sop, DAY) == told
    assert day_says(sop, NEXT) == [f"{NEXT} is not closed in every partition yet: it has no files"]


def test_transactions_in_the_journal_of_another_day_are_found(sop: Sop, monkeypatch: pytest.MonkeyPatch) -> None:
    found = tables.uncut_lines

    def of_the_other_day(cursor: Any, topic: str, day: date) -> dict[str, Any]:
        return found(cursor, topic, date.fromisoformat({DAY: NEXT, NEXT: DAY}[f"{day}"]))

    monkeypatch.setattr(tables, "uncut_lines", of_the_other_day)
    later = purchase(2, day=NEXT)
    sop.world.post(*((0, line) for line in later))
    sop.file(DAY, purchase(1, day=DAY))
    sop.world.post((0, closed(NEXT, later)), *((partition, closed(NEXT, [])) for partition in range(1, PARTITIONS)))
    sop.world.run("adi")

    told = sop.world.differences("adi")

    assert [each.split()[1] for each in told] == ["line-1-credit", "line-1-debit", "line-2-credit", "line-2-debit"]
    assert told[0].startswith(f"line line-1-credit is of {DAY}/LEI, but in adi/{NEXT}/")


def test_a_file_that_goes_up_for_another_prison_than_its_twin_is_found(sop: Sop) -> None:
    sop.file(DAY, purchase(1, day=DAY))
    assert sop.world.differences("adi") == []

    sop.world.query("update sink.adi_file set prison_id = 'MDI' where name like '%%.csv'")

    (told,) = [each for each in sop.world.differences("adi") if "its lines are" in each]
    assert told.endswith(f".csv is of {DAY}/MDI, but its lines are those of {DAY}/LEI")


# ---- told otherwise than it was given


def test_a_transaction_that_is_processed_in_part_is_found(sop: Sop) -> None:
    """Line by line all agrees: the one is processed and was told so, the other refused and was told so."""
    sop.file(DAY, purchase(1, day=DAY), purchase(2, day=DAY))
    sop.ledger.bad_lines = {"line-2-debit": "account unknown"}
    sop.upload()
    assert sop.differences() == []

    sop.world.query("update sink.adi_line set status = 'refused' where line_id = 'line-1-debit'")
    sop.world.query(
        "update sink.acknowledgement set lines = '[{\"line_id\": \"line-1-credit\"}]' where transaction_id like '%%1'"
    )
    sop.world.query(
        'update sink.acknowledgement set lines = lines || \'[{"line_id": "line-1-debit"}]\''
        " where transaction_id like '%%2'"
    )

    with database.connect(sop.world.postgres) as connection:
        (told,) = proof.differences(connection)
    assert told.startswith("transaction A1/transaction-0001 is processed in part, and refused in part, in adi/")


def test_what_was_told_is_in_kafka_and_nothing_is_said_of_it(sop: Sop) -> None:
    sop.file(DAY, purchase(1, day=DAY), purchase(2, day=DAY))
    sop.upload()
    assert len(sop.told()) == 2
    assert untold(sop) == []

    sop.world.query("update sink.acknowledgement set published_at = null")
    assert untold(sop) == [], "what Kafka has but is not marked will be published again"
    sop.upload()
    assert len(sop.told()) == 4
    assert untold(sop) == []


def test_an_acknowledgement_that_kafka_never_got_is_found(sop: Sop, monkeypatch: pytest.MonkeyPatch) -> None:
    """The lines are processed, the room never hears of it, and the tables agree with one another."""
    monkeypatch.setattr(outbox, "publish", lambda *_: 0)
    sop.file(DAY, purchase(1, day=DAY))
    sop.upload()
    assert set(sop.statuses().values()) == {"processed"}
    assert sop.told() == []

    (told,) = untold(sop)
    assert told.endswith("of transaction-0001 is marked as published, but Kafka does not have it")


def falsified(sop: Sop) -> None:
    sop.world.query("update sink.acknowledgement set lines = jsonb_set(lines, '{0,line_id}', '\"other\"')")


def forgotten(sop: Sop) -> None:
    sop.world.query("delete from sink.acknowledgement")


@pytest.mark.parametrize(
    ("crime", "said"), [(falsified, "is not in Kafka as it was given"), (forgotten, "which was not given")]
)
def test_an_acknowledgement_in_kafka_that_was_not_given_is_found(
    sop: Sop, crime: Callable[[Sop], None], said: str
) -> None:
    sop.file(DAY, purchase(1, day=DAY))
    sop.upload()

    crime(sop)

    (told,) = untold(sop)
    assert said in told


def test_what_others_publish_there_is_none_of_the_sinks_business(sop: Sop) -> None:
    sop.file(DAY, purchase(1, day=DAY))
    sop.upload()
    with database.connect(sop.world.postgres) as connection:
        (row,) = uploads.acknowledgements(connection)
    event = outbox.event(row._replace(event_id="by hand"), sop.world.acknowledgements)
    by_hand = event._replace(envelope=event.envelope._replace(source="finance-office"))
    publish(sop.world.settings, sop.world.codec, [by_hand])
    sop.world.write_raw(sop.world.acknowledgements, b"junk")

    assert untold(sop) == []
