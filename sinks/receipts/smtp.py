"""The mail server, as the receipts need it: it takes a message, refuses it for good, or does not answer for now."""

import re
import smtplib
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Final

from pydantic import SecretStr

from sinks.remote import one_line

TIMEOUT_S: Final = 30.0
"""Of each step of the talk."""
PERMANENT: Final = 500
"""A reply code from here on is the server's last word."""


class Refused(Exception):
    """For good: sending it again would bring the same answer."""


class NotNow(Exception):
    """The server is away, busy, or does not like us: the message can be tried again."""


class MailServer:
    """One address. Where the server offers TLS it is used; with a user it is required."""

    def __init__(self, address: str, user: str = "", password: SecretStr | None = None) -> None:
        host, _, port = address.rpartition(":")
        self._address, self._host, self._port = address, host, int(port)
        self._user, self._password = user, password

    @contextmanager
    def session(self) -> Iterator["Session"]:
        """One connection for several messages, made when the first is sent, and made anew after any trouble."""
        session = Session(self._connect, self._away)
        try:
            yield session
        finally:
            session.close()

    def _connect(self) -> smtplib.SMTP:
        try:
            server = smtplib.SMTP(self._host, self._port, timeout=TIMEOUT_S)
            try:
                self._log_in(server)
            except BaseException:
                server.close()
                raise
        except (smtplib.SMTPException, OSError) as error:
            raise self._away(error) from error
        return server

    def _away(self, error: Exception) -> NotNow:
        return NotNow(f"the mail server at {self._address} does not take mail from us ({error})")

    def _log_in(self, server: smtplib.SMTP) -> None:
        server.ehlo()
        if server.has_extn("starttls"):
            server.starttls(context=ssl.create_default_context())
            server.ehlo()
        elif self._user:
            raise NotNow(f"the mail server at {self._address} offers no TLS, so no password is sent to it")
        if self._user:
            server.login(self._user, "" if self._password is None else self._password.get_secret_value())


class Session:
    """Messages handed to the mail server one after the other."""

    def __init__(self, connect: Callable[[], smtplib.SMTP], away: Callable[[Exception], NotNow]) -> None:
        self._connect, self._away = connect, away
        self._server: smtplib.SMTP | None = None

    def send(self, sender: str, recipient: str, content: bytes) -> None:
        """Hand one message over; returns when the server has said 250. Raises `Refused`, `NotNow`."""
        server, self._server = self._server or self._connect(), None  # whatever goes wrong, the next one connects anew
        try:
            server.sendmail(sender, [recipient], content)
        except smtplib.SMTPRecipientsRefused as error:
            server.close()
            code, said = next(iter(error.recipients.values()))
            raise _refusal(code, said, recipient) from error
        except smtplib.SMTPDataError as error:
            server.close()
            raise _refusal(error.smtp_code, error.smtp_error, recipient) from error
        except (smtplib.SMTPException, OSError) as error:
            server.close()
            raise self._away(error) from error
        self._server = server

    def close(self) -> None:
        """Say goodbye, if anybody is there."""
        if self._server is not None:
            with suppress(smtplib.SMTPException, OSError):
                self._server.quit()
            self._server = None


def _refusal(code: int, said: bytes | str, recipient: str) -> Refused | NotNow:
    words = fit_to_tell(said.decode("utf-8", "replace") if isinstance(said, bytes) else said, recipient)
    return (Refused if code >= PERMANENT else NotNow)(f"the mail server says {code} {words}")


def fit_to_tell(said: str, recipient: str) -> str:
    """The server's words in a line, without the address that it may repeat, perhaps in small letters.

    It is taken out first, as what is left of one that was cut is none any more, and yet tells.
    """
    masked = re.sub(re.escape(recipient), "<recipient>", said, flags=re.IGNORECASE)
    return " ".join(one_line(masked).split())
