"""What a mail server's replies mean for a receipt (PRI-13), and that no password goes out in the clear (PIPE-15)."""

from collections.abc import Iterator

import pytest
from pydantic import SecretStr

from sinks.receipts.smtp import MailServer, NotNow, Refused
from tests.integration.sinks import mail
from tests.integration.sinks.mail import Mailbox

pytestmark = pytest.mark.requirement("PRI-13")

LETTER = ("from@prisons.example", "to@home.example", b"Subject: x\r\n\r\ny\r\n")


def send(server: MailServer) -> None:
    with server.session() as session:
        session.send(*LETTER)


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    with mail.serving() as served:
        yield served


@pytest.mark.parametrize(("code", "means"), [("421", NotNow), ("451", NotNow), ("550", Refused), ("554", Refused)])
@pytest.mark.parametrize("where", ["recipient", "data"])
def test_four_hundreds_are_for_now_and_five_hundreds_for_good(
    mailbox: Mailbox, where: str, code: str, means: type[Exception]
) -> None:
    replies = mailbox.recipient_replies if where == "recipient" else mailbox.data_replies
    replies.append(f"{code} no")

    with MailServer(mailbox.address).session() as session:
        with pytest.raises(means):
            session.send(*LETTER)
        assert mailbox.taken == []
        session.send(*LETTER)
    assert len(mailbox.taken) == 1


def test_a_round_of_messages_shares_one_connection(mailbox: Mailbox) -> None:
    with MailServer(mailbox.address).session() as session:
        for _ in range(3):
            session.send(*LETTER)
    assert (len(mailbox.taken), len(mailbox.callers)) == (3, 1)


def test_a_server_that_is_away_is_for_now() -> None:
    with pytest.raises(NotNow, match=r"the mail server at 127\.0\.0\.1:9 does not take mail from us"):
        send(MailServer("127.0.0.1:9"))


@pytest.mark.requirement("PIPE-15")
def test_no_password_is_sent_to_a_server_without_tls(mailbox: Mailbox) -> None:
    server = MailServer(mailbox.address, "millrace", SecretStr("secret"))

    with pytest.raises(NotNow, match="offers no TLS, so no password is sent to it") as refused:
        send(server)

    assert "secret" not in str(refused.value)
    assert mailbox.taken == []
