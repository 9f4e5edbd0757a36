"""Uploads to the general ledger: whatever it answers, or does not, each line goes up once (PRI-11)."""

from collections import Counter
from collections.abc import Iterator

import psycopg
import pytest
from msgspec.structs import replace

from schemas.general_ledger import GeneralLedgerLine, LinesProcessed, LinesRefused
from sinks.general_ledger import proof
from tests.integration.sinks import general_ledger
from tests.integration.sinks.general_ledger import Mood
from tests.integration.sinks.sop import PATIENCE_S, Sop
from tests.integration.sinks.world import World, closed, purchase

pytestmark = pytest.mark.requirement("PRI-11")

DAY, NEXT = "2026-07-03", "2026-07-04"
CSV = "adi/2026-07-03/0210_SSCL_MR_03072026_LEI_MTP01.csv"


@pytest.fixture
def sop(world: World) -> Iterator[Sop]:
    with general_ledger.serving() as ledger:
        ledger.client_patience_s = PATIENCE_S
        yield Sop(world, ledger)


def ids(*transactions: list[GeneralLedgerLine]) -> set[str]:
    return {line.line_id for lines in transactions for line in lines}


def corrected(lines: list[GeneralLedgerLine], day: str, gl_account: str = "1816902099") -> list[GeneralLedgerLine]:
    """The same lines under new ids on another day, as the room writes them after a correction."""
    return [
        replace(
            line, line_id=f"{line.line_id}-again", accounting_date=day, corrects=line.line_id, gl_account=gl_account
        )
        for line in lines
    ]


@pytest.mark.requirement("PRI-10")
def test_an_accepted_file_sets_its_lines_to_processed_and_tells_each_transaction(sop: Sop) -> None:
    one, other = purchase(1, day=DAY), purchase(2, day=DAY)
    sop.file(DAY, one, other)

    sop.upload()

    assert sop.states() == ["accepted"]
    assert set(sop.statuses().values()) == {"processed"}
    assert sop.ledger.written == dict.fromkeys(ids(one, other), 1)
    told = sop.told()
    assert [(each.envelope.subject, each.envelope.source) for each in told] == [
        (f"prisoner:{each.message.prisoner_id}", "general-ledger-sink") for each in told
    ]
    assert {each.message.transaction_id: set(each.message.line_ids) for each in told
            if isinstance(each.message, LinesProcessed)} == {
        "transaction-0001": ids(one), "transaction-0002": ids(other),
    }  # fmt: skip
    assert {each.message.file for each in told} == {CSV}


def test_a_transaction_with_a_refused_line_is_not_written_and_all_others_are(sop: Sop) -> None:
    bad, good = purchase(1, day=DAY), purchase(2, day=DAY)
    sop.file(DAY, bad, good)
    sop.ledger.bad_lines = {bad[1].line_id: "account 1816902028\nis closed"}

    sop.upload()

    assert sop.states() == ["accepted in part"]
    assert sop.statuses() == dict.fromkeys(ids(bad), "refused") | dict.fromkeys(ids(good), "processed")
    assert set(sop.ledger.written) == ids(good)
    (refused,) = (each.message for each in sop.told() if isinstance(each.message, LinesRefused))
    assert {each.line_id: each.reason for each in refused.reasons} == {
        bad[0].line_id: f"not written: of its transaction, {bad[1].line_id} was refused",
        bad[1].line_id: "account 1816902028 is closed",
    }


def test_two_peoples_purchases_of_the_same_id_are_two_transactions_of_their_file(sop: Sop) -> None:
    """Ids of purchases are unique in a book only, and both books' lines may come to one file."""
    bad, good = purchase(1, day=DAY), [
        replace(line, line_id=f"{line.line_id}-other", prisoner_id="A2") for line in purchase(1, day=DAY)
    ]  # fmt: skip
    sop.file(DAY, bad, good)
    sop.ledger.bad_lines = {bad[1].line_id: "account 1816902028 is closed"}

    sop.upload()

    assert sop.states() == ["accepted in part"]
    assert sop.statuses() == dict.fromkeys(ids(bad), "refused") | dict.fromkeys(ids(good), "processed")
    assert sop.ledger.written == dict.fromkeys(ids(good), 1)
    assert {each.envelope.subject: type(each.message) for each in sop.told()} == {
        "prisoner:A1": LinesRefused, "prisoner:A2": LinesProcessed,
    }  # fmt: skip
    assert [*sop.differences(), *sop.world.differences("adi")] == []


def test_a_file_that_is_refused_as_a_whole_refuses_every_line(sop: Sop) -> None:
    one, other = purchase(1, day=DAY), purchase(2, day=DAY)
    sop.file(DAY, one, other)
    sop.ledger.moods.append(Mood.REFUSES)

    sop.upload()
    sop.upload()

    assert sop.states() == ["refused"]
    assert sop.ledger.uploads == [CSV]
    assert set(sop.statuses().values()) == {"refused"}
    assert {reason.reason for each in sop.told() for reason in getattr(each.message, "reasons", ())} == {
        "period JUL-26 is closed"
    }


@pytest.mark.parametrize(
    ("mood", "sent"),
    [
        (Mood.SLOW, 1),
        (Mood.TAKES_AND_SAYS_NOTHING, 1),
        (Mood.TAKES_AND_HANGS_UP, 1),
        (Mood.TAKES_LATE, 1),
        (Mood.TAKES_AND_IS_BUSY, 1),
        (Mood.IS_AT_WORK, 1),
        (Mood.HANGS_UP, 2),
        (Mood.BUSY, 2),
        (Mood.FORBIDS, 2),
        (Mood.TALKS_NONSENSE, 2),
    ],
)
def test_a_general_ledger_in_a_bad_mood_gets_each_line_once(sop: Sop, mood: Mood, sent: int) -> None:
    """This one does not even honour the key: it writes whatever it gets."""
    mine = purchase(1, day=DAY)
    sop.file(DAY, mine)
    sop.ledger.moods.append(mood)

    sop.upload(until_idle_s=6)

    assert sop.ledger.written == dict.fromkeys(ids(mine), 1)
    assert len(sop.ledger.uploads) == sent
    assert sop.states() == ["accepted"]
    assert len(sop.told()) == 1


def test_a_request_that_arrives_later_than_anybody_believes_is_the_same_upload_by_its_key(sop: Sop) -> None:
    """It is sent twice, and answered twice with the same."""
    mine = purchase(1, day=DAY)
    sop.file(DAY, mine)
    sop.ledger.moods.append(Mood.TAKES_VERY_LATE)
    sop.ledger.honours_keys = True

    sop.upload(until_idle_s=8)

    assert sop.ledger.uploads == [CSV, CSV]
    assert sop.ledger.written == dict.fromkeys(ids(mine), 1)
    assert len(sop.told()) == 1


def test_nothing_is_sent_before_the_general_ledger_was_asked_for_it(sop: Sop) -> None:
    """Somebody restored our database to before the upload."""
    mine = purchase(1, day=DAY)
    sop.file(DAY, mine)
    sop.ledger.take(CSV, sop.world.files()[CSV], "the key of an upload that nobody here remembers")

    sop.upload()

    assert sop.ledger.uploads == []
    assert sop.states() == ["accepted"]
    assert set(sop.statuses().values()) == {"processed"}


def test_another_file_under_the_same_name_is_neither_believed_nor_overwritten(sop: Sop) -> None:
    sop.file(DAY, purchase(1, day=DAY))
    sop.ledger.take(CSV, sop.world.files()[CSV].replace(b"12.34", b"99.99"), "a stranger's key")

    sop.upload()

    assert sop.ledger.uploads == []
    assert sop.states() == ["waiting"]
    assert set(sop.statuses().values()) == {"filed"}
    ((problem,),) = sop.world.query("select problem from sink.upload")
    assert problem.startswith("the general ledger has another file under this name, with SHA-256")


def test_a_refusal_of_a_line_that_the_file_does_not_have_settles_nothing(sop: Sop) -> None:
    sop.file(DAY, purchase(1, day=DAY))
    answer = sop.ledger.take(CSV, sop.world.files()[CSV], "key")
    answer |= {"outcome": "accepted in part", "refused": [{"line_id": "a stranger", "reason": "unknown"}]}

    sop.upload()

    assert sop.states() == ["waiting"]
    ((problem,),) = sop.world.query("select problem from sink.upload")
    assert problem == "the general ledger refuses lines that the file does not have: a stranger"


def test_a_prisons_files_go_up_in_order_and_one_that_waits_holds_up_its_own_prison_only(sop: Sop) -> None:
    for day in (DAY, NEXT):
        number = 10 * int(day[-1])
        sop.file(day, purchase(number, day=day), purchase(number + 1, day=day, prison="MDI"))
    first = next(path for path in sop.world.blob.rglob("*03072026_LEI*.csv"))
    content = first.read_bytes()
    first.write_bytes(b"tampered with")

    sop.upload()

    assert sop.states() == ["waiting", "waiting", "accepted", "accepted"]
    assert [name[4:14] for name in sop.ledger.uploads] == [DAY, NEXT]
    first.write_bytes(content)
    sop.world.query("update sink.upload set due_at = now()")
    sop.upload()
    assert set(sop.states()) == {"accepted"}
    assert [name[4:14] for name in sop.ledger.uploads] == [DAY, NEXT] * 2


def test_a_day_that_is_not_closed_has_no_file_and_so_is_not_uploaded(sop: Sop) -> None:
    mine = purchase(1, day=DAY)
    sop.world.post(*((0, line) for line in mine), (0, closed(DAY, mine)), (1, closed(DAY, [])))
    sop.world.run("adi")

    sop.upload()

    assert sop.ledger.asked == []
    assert set(sop.statuses().values()) == {"appended"}


def test_a_file_that_the_blob_storage_has_not_got_yet_waits(sop: Sop) -> None:
    sop.file(DAY, purchase(1, day=DAY))
    sop.world.query("insert into sink.outgoing select name, 'x' from sink.manifest where kind = 'adi-csv'")

    sop.upload()
    assert sop.ledger.asked == []

    sop.world.query("delete from sink.outgoing")
    sop.upload()
    assert sop.states() == ["accepted"]


def test_a_general_ledger_that_is_away_costs_nothing_but_time(sop: Sop) -> None:
    mine = purchase(1, day=DAY)
    sop.file(DAY, mine)
    away = sop.ledger.address
    sop.ledger.address = "http://127.0.0.1:9"
    sop.upload()
    assert sop.states() == ["waiting"]
    assert "cannot be reached" in sop.world.query("select problem from sink.upload")[0][0]

    sop.ledger.address = away
    sop.world.query("update sink.upload set due_at = now()")
    sop.upload()

    assert sop.ledger.written == dict.fromkeys(ids(mine), 1)


# ---- corrections


def test_corrected_lines_go_up_on_the_open_day_and_the_refused_ones_never_again(sop: Sop) -> None:
    bad = purchase(1, day=DAY)
    sop.file(DAY, bad)
    sop.ledger.bad_lines = {bad[0].line_id: "account unknown"}
    sop.upload()

    again = corrected(bad, NEXT)
    sop.file(NEXT, again)
    sop.upload()

    assert sop.statuses() == dict.fromkeys(ids(bad), "reversed") | dict.fromkeys(ids(again), "processed")
    assert sop.ledger.written == dict.fromkeys(ids(again), 1)
    assert Counter(name[4:14] for name in sop.ledger.uploads) == {DAY: 1, NEXT: 1}
    assert sop.world.differences("adi") == []


def test_what_corrects_a_line_that_was_not_refused_or_is_corrected_already_is_parked(sop: Sop) -> None:
    good, bad = purchase(1, day=DAY), purchase(2, day=DAY)
    sop.file(DAY, good, bad)
    sop.ledger.bad_lines = {bad[0].line_id: "account unknown"}
    sop.upload()

    twice = [replace(line, line_id=f"{line.line_id}-2") for line in corrected(bad, NEXT)]
    sop.world.post(*((0, line) for line in [*corrected(good, NEXT), *corrected(bad, NEXT), *twice]))
    sop.world.run("adi")

    assert sop.world.query("select reason, count(*) from sink.parked group by 1") == [("corrects_no_refused_line", 4)]
    assert Counter(sop.statuses().values()) == {"processed": 2, "reversed": 2, "appended": 2}


CRIMES = {
    "update sink.adi_line set status = 'refused' where line_id = '{good}'": "{good} is refused, and was told 1 times",
    "update sink.adi_line set status = 'processed' where line_id = '{bad}'": "{bad} is processed, and was told 1 times",
    "update sink.adi_line set corrects = null where line_id = '{again}'": "{bad} is reversed without a line",
    "update sink.upload set state = 'in doubt', answered_at = null where number = 1": "but its file is in doubt",
    "delete from sink.acknowledgement where outcome = 'processed'": "{good} is processed, and was told 0 times (never)",
    "update sink.adi_line set status = 'filed' where file is null": "is filed, but its file is in no file",
}


@pytest.mark.requirement("BEY-02")
def test_verify_finds_a_line_whose_fate_was_changed(sop: Sop) -> None:
    good, bad, later = purchase(1, day=DAY), purchase(2, day=DAY), purchase(3, day="2026-07-05")
    sop.file(DAY, good, bad)
    sop.ledger.bad_lines = {bad[0].line_id: "account unknown"}
    sop.upload()
    sop.file(NEXT, corrected(bad, NEXT))
    sop.world.post(*((0, line) for line in later))
    sop.world.run("adi")
    assert sop.differences() == []

    names = {"good": good[0].line_id, "bad": bad[0].line_id, "again": f"{bad[0].line_id}-again"}
    for crime, said in CRIMES.items():
        with psycopg.connect(sop.world.postgres) as connection:
            connection.execute(crime.format(**names))
            found = list(proof.differences(connection))
            connection.rollback()
        assert any(said.format(**names) in line for line in found), (crime, found)
    assert sop.differences() == []
