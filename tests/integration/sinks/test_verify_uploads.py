"""`verify` and `day` find what was filed in the wrong place (BEY-02)."""

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest

from sinks import database
from sinks.adi import tables
from sinks.general_ledger import day as reconciling
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
