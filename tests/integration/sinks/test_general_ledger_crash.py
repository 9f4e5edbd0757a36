"""An uploader that is killed at any step, frozen, or accompanied by others uploads each line once (PRI-11)."""

import signal
import time
from collections.abc import Iterator

import pytest

from schemas.settings import Settings
from sinks import database
from sinks.database import Connection
from sinks.general_ledger import tables
from sinks.general_ledger.tables import Stale
from sinks.general_ledger.upload import Event, Upload
from tests.integration.sinks import general_ledger
from tests.integration.sinks.general_ledger import Mood
from tests.integration.sinks.mortal_uploader import STEPS
from tests.integration.sinks.sop import PATIENCE_S, Sop
from tests.integration.sinks.world import World, purchase

pytestmark = pytest.mark.requirement("PRI-11")

DAY, NEXT = "2026-07-03", "2026-07-04"
DEADLY = [step for step in STEPS if step != "never"]


@pytest.fixture
def sop(world: World) -> Iterator[Sop]:
    with general_ledger.serving() as ledger:
        ledger.client_patience_s = PATIENCE_S
        yield Sop(world, ledger)


def ids(sop: Sop) -> dict[str, int]:
    return dict.fromkeys(sop.statuses(), 1)


@pytest.mark.parametrize("step", DEADLY)
def test_wherever_an_uploader_was_killed_each_line_is_written_once(sop: Sop, step: str) -> None:
    sop.file(DAY, purchase(1, day=DAY), purchase(2, day=DAY))

    assert sop.start(dies=step).wait(60) == -signal.SIGKILL
    asked_before = len(sop.ledger.asked)
    sop.upload(until_idle_s=6)

    assert sop.ledger.written == ids(sop)
    assert sop.states() == ["accepted"]
    assert set(sop.statuses().values()) == {"processed"}
    after = [what for what, _ in sop.ledger.asked[asked_before:]]
    assert after[:1] != ["PUT"], "it must be asked before anything is sent"
    told = sop.told()
    assert len({each.envelope.id for each in told}) == 2
    assert len(told) == (4 if step == "after it is published" else 2)
    assert len({(each.envelope, each.message) for each in told}) == 2, "a repetition is the same event"


def test_killed_again_and_again_it_still_comes_to_an_end(sop: Sop) -> None:
    sop.file(DAY, purchase(1, day=DAY), purchase(2, day=DAY))

    for step in DEADLY:
        sop.start(dies=step, until_idle_s=2).wait(60)
    sop.upload(until_idle_s=6)

    assert sop.ledger.written == ids(sop)
    assert sop.states() == ["accepted"]


def test_two_uploaders_share_the_prisons_and_send_nothing_twice(sop: Sop) -> None:
    for day in (DAY, NEXT):
        number = 10 * int(day[-1])
        sop.file(day, *(purchase(number + each, day=day, prison=prison) for each, prison in enumerate(("LEI", "MDI"))))
    sop.ledger.moods.extend([Mood.SLOW] * 4)

    uploaders = [sop.start() for _ in range(2)]
    assert [uploader.wait(60) for uploader in uploaders] == [0, 0]

    assert sop.ledger.written == ids(sop)
    assert len(sop.ledger.uploads) == 4
    assert len(sop.told()) == 4


def test_an_upload_that_another_settled_since_it_was_listed_is_left_alone(
    sop: Sop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two uploaders list the same file, and the second has its turn when the first has the answer."""
    sop.file(DAY, purchase(1, day=DAY))
    due = tables.due

    def overtaken(connection: Connection) -> list[Upload]:
        listed = due(connection)
        if listed:
            monkeypatch.undo()
            sop.upload()
        return listed

    monkeypatch.setattr(tables, "due", overtaken)
    sop.upload()

    assert sop.states() == ["accepted"]
    assert sop.ledger.written == ids(sop)
    assert [what for what, _ in sop.ledger.asked] == ["GET", "PUT"]


def test_an_uploader_that_was_frozen_while_it_sent_does_no_harm_when_it_wakes(sop: Sop) -> None:
    """Its session keeps its prison; when the session is cut another takes over, and what it then says is stale."""
    sop.file(DAY, purchase(1, day=DAY))
    sop.ledger.moods.append(Mood.TAKES_AND_SAYS_NOTHING)
    sleeper = sop.start(until_idle_s=2)
    while not sop.ledger.uploads:
        time.sleep(0.01)
    sleeper.send_signal(signal.SIGSTOP)
    sop.world.query(
        "select pg_terminate_backend(pid) from pg_stat_activity"
        " where datname = current_database() and application_name = 'millrace-sinks'"
    )

    sop.upload(until_idle_s=6)
    sleeper.send_signal(signal.SIGCONT)

    assert sleeper.wait(60) == 0
    assert sop.ledger.written == ids(sop)
    assert sop.states() == ["accepted"]
    assert len(sop.ledger.uploads) == 1
    assert len(sop.told()) == 1


def test_a_step_from_a_state_that_another_has_left_is_refused(sop: Sop, servers: Settings) -> None:
    sop.file(DAY, purchase(1, day=DAY))
    with database.connect(sop.world.postgres) as connection:
        tables.enlist(connection)
        (upload,) = tables.due(connection)
        tables.step(connection, upload, Event.ABOUT_TO_SEND)

        with pytest.raises(Stale, match="no longer waiting at attempt 0"):
            tables.step(connection, upload, Event.ABOUT_TO_SEND)
