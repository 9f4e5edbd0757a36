"""Receipts by e-mail: one for each purchase that asks for one, whatever happens on the way (PRI-13)."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from typing import NamedTuple

import pytest

from schemas.fields import Money
from schemas.prison_finance import PurchaseVoided, VoidCause
from sinks import database, retry
from sinks.storage import Storage
from tests.integration.sinks import mail
from tests.integration.sinks.mail import AT, Mailbox, authorised, envelope
from tests.integration.sinks.mortal_postman import STEPS
from tests.integration.sinks.world import CHECKOUT, SENDER, World

pytestmark = pytest.mark.requirement("PRI-13")


class Post(NamedTuple):
    """A world and its mail server."""

    world: World
    mailbox: Mailbox

    def purchase(self, *numbers: int, to: str | None = "family@home.example") -> None:
        """The room authorises purchases."""
        events = [authorised(number, to) for number in numbers]
        self.world.purchase(*events, headers=[envelope(event).headers() for event in events])

    def start(self, dies: str = "never", until_idle_s: float = 3.0) -> "subprocess.Popen[bytes]":
        environment = os.environ | self.world.settings_environment() | {
            "MILLRACE_SMTP": self.mailbox.address, "MILLRACE_MAIL_FROM": SENDER,
            "PURCHASES": self.world.purchases.name, "DIES": dies, "IDLE_S": str(until_idle_s),
        }  # fmt: skip
        return subprocess.Popen([sys.executable, "-m", "tests.integration.sinks.mortal_postman"],
                                cwd=CHECKOUT, env=environment)  # fmt: skip

    def run(self) -> None:
        assert self.start().wait(60) == 0

    def retried(self) -> int:
        with database.connect(self.world.postgres) as connection:
            storage = Storage(f"file://{self.world.blob}")
            sink = self.world.sink("receipts")
            return len(retry.retry(sink, self.world.codec, connection, self.world.settings.kafka, storage).left)


@pytest.fixture
def post(world: World) -> Iterator[Post]:
    with mail.serving() as mailbox:
        yield Post(world, mailbox)


def kept(post: Post) -> list[tuple[bool, bool, bool]]:
    """Of each receipt: whether it was sent, and whether its address and its text are still there."""
    return [
        (row[0], row[1], row[2])
        for row in post.world.query(
            "select sent_at is not null, recipient is not null, content is not null from sink.receipt"
            " order by purchase_id"
        )
    ]


def test_each_purchase_that_asks_for_a_receipt_gets_one_and_its_address_is_forgotten(post: Post) -> None:
    post.purchase(1, 2)
    post.purchase(3, to=None)
    voided = PurchaseVoided(
        purchase_id="CANTEEN-0009", prisoner_id="A1", cause=VoidCause.CANCELLED, at=AT,
        total=Money(amount_minor=1, currency="GBP"), batch_id=None,
    )  # fmt: skip
    post.world.purchase(voided)

    post.run()

    assert sorted(each["Subject"] for each in post.mailbox.mails) == [
        "Receipt for CANTEEN-0001", "Receipt for CANTEEN-0002",
    ]  # fmt: skip
    assert post.mailbox.recipients == ["family@home.example"] * 2
    assert kept(post) == [(True, False, False)] * 2
    assert post.world.differences("receipts") == []


@pytest.mark.parametrize("step", [step for step in STEPS if step != "never"])
def test_wherever_the_worker_was_killed_the_receipt_goes_out_and_a_repetition_is_the_same_message(
    post: Post, step: str
) -> None:
    post.purchase(1)

    assert post.start(dies=step).wait(60) == -signal.SIGKILL
    post.run()

    assert len(post.mailbox.taken) == (2 if step == "after it is sent" else 1)
    assert len(set(post.mailbox.taken)) == 1
    assert len({each["Message-ID"] for each in post.mailbox.mails}) == 1
    assert kept(post) == [(True, False, False)]


def test_a_server_that_is_busy_is_asked_again(post: Post) -> None:
    post.purchase(1)
    post.mailbox.data_replies.extend(["451 too busy"])
    post.mailbox.recipient_replies.extend(["450 greylisted"])

    post.run()

    assert len(post.mailbox.taken) == 1
    assert kept(post) == [(True, False, False)]


@pytest.mark.parametrize("where", ["recipient", "data"])
def test_what_the_server_refuses_for_good_is_parked_and_can_be_retried(post: Post, where: str) -> None:
    post.purchase(1, 2)
    replies = post.mailbox.recipient_replies if where == "recipient" else post.mailbox.data_replies
    replies.append("550 <family@home.example> unknown here")

    post.run()
    assert len(post.mailbox.taken) == 1
    ((offset, reason, problem),) = post.world.query("select record_offset, reason, problem from sink.parked")
    assert (offset, reason) == (0, "refused_by_mail_server")
    assert problem == "the mail server says 550 <<recipient>> unknown here"
    assert post.world.differences("receipts") == []

    assert post.retried() == 0
    post.run()
    assert len(post.mailbox.taken) == 2
    assert kept(post) == [(True, False, False)] * 2


def test_an_event_without_an_id_and_bytes_that_are_no_event_wait(post: Post) -> None:
    post.world.purchase(authorised(1, "a@b.example"))
    post.world.write_raw(post.world.purchases, b"junk")

    post.run()

    assert post.world.query("select reason from sink.parked order by record_offset") == [
        ("no_event_id",), ("not_framed",),
    ]  # fmt: skip
    assert post.mailbox.taken == []


@pytest.mark.requirement("PIPE-08", "BEY-02")
def test_an_address_that_no_mail_can_be_addressed_to_waits_and_stops_neither_worker_nor_verify(post: Post) -> None:
    post.purchase(1, to="=?x?q?a?=@example.com")
    post.purchase(2)

    post.run()

    assert [each["Subject"] for each in post.mailbox.mails] == ["Receipt for CANTEEN-0002"]
    ((offset, reason, problem),) = post.world.query("select record_offset, reason, problem from sink.parked")
    assert (offset, reason) == (0, "unusable_address")
    assert problem.startswith("receipt_to: ")
    assert post.retried() == 1
    assert post.world.differences("receipts") == []

    post.world.query("delete from sink.parked")
    (found,) = post.world.differences("receipts")
    assert "purchase CANTEEN-0001 can have no receipt and is not parked" in found


def test_an_event_that_lies_in_the_log_twice_gets_one_receipt(post: Post) -> None:
    post.purchase(1)
    post.purchase(1)

    post.run()

    assert len(post.mailbox.taken) == 1
    assert post.world.differences("receipts") == []


@pytest.mark.requirement("BEY-02")
def test_verify_finds_a_receipt_that_was_changed_lost_or_invented(post: Post) -> None:
    post.purchase(1, 2)
    post.run()
    post.world.query("update sink.receipt set sha256 = repeat('0', 64) where purchase_id = 'CANTEEN-0001'")
    post.world.query("update sink.receipt set message_id = '<other@example>' where purchase_id = 'CANTEEN-0002'")

    found = "\n".join(post.world.differences("receipts"))

    assert "the receipt of CANTEEN-0001 is not what the record says" in found
    assert "purchase CANTEEN-0002 has no receipt and is not parked" in found
    assert "receipt <other@example> belongs to no record" in found


@pytest.mark.requirement("BEY-02")
@pytest.mark.parametrize(
    ("crime", "said"),
    [
        ("recipient = 'stranger@elsewhere.example'", "waits for somebody whom the record does not name"),
        ("content = 'Subject: other\n\nwords'", "is not what the record says"),
    ],
)
def test_verify_finds_a_waiting_receipt_that_would_go_to_somebody_else_or_say_something_else(
    world: World, crime: str, said: str
) -> None:
    event = authorised(1, "family@home.example")
    world.purchase(event, headers=[envelope(event).headers()])
    world.run("receipts")
    assert world.differences("receipts") == []

    world.query(f"update sink.receipt set {crime}")

    (found,) = world.differences("receipts")
    assert said in found
    assert "@elsewhere" not in found
