"""`python -m sinks`: what it says when a server is missing, and that it lets itself be seen and stopped."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from schemas.codec import Codec
from schemas.registry import ConfluentRegistry
from schemas.topics import BILLING_ANSWERS, BILLING_CALLS, GL_LINES, PARTITIONS, PURCHASE_EVENTS, TRIP_PAYMENTS
from stack import billing as double
from stack.billing import Billing, Mood
from streams import topics
from tests.integration.sinks import general_ledger, mail
from tests.integration.sinks.billing import Desk, client
from tests.integration.sinks.world import CHECKOUT, World, closed, purchase, trip

NOWHERE = "127.0.0.1:9"
DAY = "2026-07-03"


@pytest.fixture
def environment(world: World, tmp_path: Path) -> dict[str, str]:
    """The real topics exist, as declared, and their schemas."""
    topics.apply(world.settings)
    return os.environ | world.settings_environment() | {"MILLRACE_SCRAPE_TARGETS": str(tmp_path / "targets")}


def sinks(environment: dict[str, str], *words: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "sinks", *words],
        cwd=CHECKOUT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


@pytest.mark.requirement("PIPE-08")
@pytest.mark.parametrize(
    ("setting", "value", "sentence"),
    [
        ("MILLRACE_KAFKA", NOWHERE, f"Kafka at {NOWHERE} does not answer"),
        (
            "MILLRACE_POSTGRES",
            f"postgresql://me:secret@{NOWHERE}/money",
            f"Postgres at {NOWHERE}/money does not answer",
        ),
        ("MILLRACE_REGISTRY", f"http://{NOWHERE}", f"registry at http://{NOWHERE} does not answer"),
    ],
)
def test_a_missing_server_is_named_in_one_sentence(
    environment: dict[str, str], setting: str, value: str, sentence: str
) -> None:
    said = (process := sinks(environment | {setting: value}, "invoices")).communicate(timeout=90)[1]

    assert process.returncode == 2
    assert sentence in said
    assert "Traceback" not in said
    assert "secret" not in said


@pytest.mark.requirement("PIPE-11")
def test_a_worker_announces_its_metrics_and_ends_on_sigterm(
    environment: dict[str, str], world: World, tmp_path: Path
) -> None:
    real = world._replace(trips=TRIP_PAYMENTS)
    process = sinks(environment, "invoices")
    try:
        targets = tmp_path / "targets"
        deadline = time.monotonic() + 60
        while not (announced := list(targets.glob("*.json"))):
            assert time.monotonic() < deadline
            time.sleep(0.1)
        (entry,) = json.loads(announced[0].read_text())
        # The group may have another member, of other tests on the same servers: one of the partitions is ours.
        real._write(TRIP_PAYMENTS, [(partition, _encoded(world, partition)) for partition in range(PARTITIONS)])
        page = ""
        while 'millrace_sink_files_total{kind="invoice",sink="invoices"}' not in page:
            assert time.monotonic() < deadline
            time.sleep(0.5)
            page = urllib.request.urlopen(f"http://{entry['targets'][0]}/metrics").read().decode()
        assert "millrace_sink_lag_records" in page
    finally:
        process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 0
    assert list(targets.glob("*")) == []
    assert len(world.files()) >= 1


@pytest.mark.requirement("BEY-02")
def test_verify_and_retry_say_what_they_found(environment: dict[str, str], world: World) -> None:
    sinks(environment, "invoices", "--until-idle", "2").communicate(timeout=90)

    verify = sinks(environment, "verify")
    assert "every file is what it was made of" in verify.communicate(timeout=90)[0]
    assert verify.returncode == 0
    for path in world.blob.rglob("*.pdf"):
        path.unlink()
    world.query("insert into sink.parked values ('invoices', %s, 0, 99999999, '', 'unknown_issuer', 'x')",
                TRIP_PAYMENTS.name)  # fmt: skip

    assert (retry := sinks(environment, "retry")).communicate(timeout=90)[0].count("record_gone") == 1
    assert retry.returncode == 1
    assert "record_gone" in sinks(environment, "parked").communicate(timeout=90)[0]


def _encoded(world: World, number: int) -> bytes:
    codec = Codec(ConfluentRegistry(world.settings.registry), [TRIP_PAYMENTS])
    return codec.encode(trip(int(time.time()) + number))


@pytest.mark.requirement("PRI-11", "BEY-04")
def test_a_day_goes_from_its_lines_to_the_general_ledgers_answer(
    environment: dict[str, str], world: World, tmp_path: Path
) -> None:
    """The commands as an operator gives them: files, upload, the day's report, and what was refused."""
    real = world._replace(lines=GL_LINES)
    bad, good = purchase(1, day=DAY), purchase(2, day=DAY, prison="MDI")
    for partition in range(PARTITIONS):
        mine = {0: bad, 1: good}.get(partition, [])
        real.post(*((partition, line) for line in mine), (partition, closed(DAY, mine)))

    def said(*words: str) -> tuple[int, str]:
        process = sinks(environment | {"COLUMNS": "220"}, *words)
        out, err = process.communicate(timeout=120)
        return process.returncode, f"{out}\n{err}"

    assert said("adi", "--until-idle", "3")[0] == 0
    code, out = said("day", DAY)
    assert code == 1
    assert "MDI: the general ledger has not answered 2 lines, 12.34 GBP" in out

    with general_ledger.serving() as ledger:
        ledger.bad_lines = {bad[0].line_id: "account unknown"}
        environment["MILLRACE_GENERAL_LEDGER"] = ledger.address
        assert said("general-ledger", "--until-idle", "2")[0] == 0

    code, out = said("day", DAY, "--prison", "MDI")
    assert (code, "agreed" in out) == (0, True)
    code, out = said("day", DAY, "--prison", "MID")
    assert (code, out.strip()) == (2, f"millrace sinks: no prison MID has ever had a file, or has a line of {DAY}")
    code, out = said("day", DAY)
    assert code == 1
    assert "LEI: the general ledger refused 2 lines that nothing has corrected" in out
    code, out = said("refused")
    assert code == 0
    assert "2 lines refused" in out
    assert "account unknown" in out
    assert said("verify")[0] == 0


@pytest.mark.requirement("PRI-13")
def test_receipts_are_sent_when_the_mail_server_is_there_again(environment: dict[str, str], world: World) -> None:
    event = mail.authorised(1, "family@home.example")
    world._replace(purchases=PURCHASE_EVENTS).purchase(event, headers=[mail.envelope(event).headers()])

    away = sinks(environment | {"MILLRACE_SMTP": NOWHERE}, "receipts", "--until-idle", "2")
    assert away.wait(90) == 0, away.communicate()
    assert world.query("select sent_at from sink.receipt") == [(None,)]
    world.query("update sink.receipt set due_at = now()")
    with mail.serving() as mailbox:
        there = sinks(environment | {"MILLRACE_SMTP": mailbox.address}, "receipts", "--until-idle", "2")
        assert there.wait(90) == 0, there.communicate()

    assert [each["To"] for each in mailbox.mails] == ["family@home.example"]


@pytest.mark.requirement("DLR-01")
def test_calls_of_dealers_books_are_carried_out_parked_and_proved_by_the_commands(
    environment: dict[str, str], world: World
) -> None:
    real = Desk(world._replace(calls=BILLING_CALLS, answers=BILLING_ANSWERS), Billing())
    real.ask(client(), client("d-2"))

    with double.serving() as served:
        served.towards["d-2/COMMISSION/client/1"] = Mood.TURNS_AWAY
        environment |= {"MILLRACE_BILLING": served.address, "MILLRACE_BILLING_TOKEN": "secret"}
        worker = sinks(environment, "billing", "--until-idle", "8")
        assert worker.wait(120) == 0, worker.communicate()
        world.query("update sink.billing_call set useless = 9, due_at = now() where state = 'waiting'")
        worker = sinks(environment, "billing", "--until-idle", "2")
        assert worker.wait(120) == 0, worker.communicate()
        assert served.headers["Authorization"] == "Bearer secret"

    listed = sinks(environment, "parked").communicate(timeout=90)[0]
    assert "(d-2/COMMISSION/client/1): useless_answers: Billing at " in listed
    assert "secret" not in listed
    calls = json.loads(sinks(environment, "calls", "--parked", "--json").communicate(timeout=90)[0])["calls"]
    assert [(each["call_id"], each["state"]) for each in calls] == [("d-2/COMMISSION/client/1", "parked")]
    table, counted = sinks(environment | {"COLUMNS": "220"}, "calls", "--limit", "1").communicate(timeout=90)
    assert "d-2/COMMISSION/client/1" in table
    assert "1 of 2 calls, the latest" in counted
    differences = sinks(environment, "verify").communicate(timeout=120)[0].splitlines()
    # Acknowledgements that other tests' databases gave lie in the same topic, and are counted in the last line.
    assert not [each for each in differences[:-1] if not each.startswith("Kafka has acknowledgement ")]
    other = sinks(environment, "retry", "--sink", "invoices").communicate(timeout=120)
    assert (other[0], other[1].splitlines()[-1]) == ("", "nothing of it is parked")
    retry = sinks(environment, "retry", "--sink", "billing", "--subject", "d-2/COMMISSION").communicate(timeout=120)
    assert retry[0] == ""
    assert f"let go: billing {BILLING_CALLS.name}/0@1 (d-2/COMMISSION/client/1)\n1 let go, 0 still parked\n" in retry[1]
    assert world.query("select state from sink.billing_call order by 1") == [("done",), ("in doubt",)]
