"""Sending what waits in `sink.receipt`: one transaction a message, which holds its row while the server has it."""

import logging
from typing import Final, NamedTuple

from sinks import backoff, metrics
from sinks.database import Connection, Cursor
from sinks.parked import Parked, park
from sinks.receipts.sink import NAME
from sinks.receipts.smtp import MailServer, NotNow, Refused, Session

log = logging.getLogger(__name__)

MOST_MESSAGES: Final = 50
"""Of one round, so that the sink goes on reading meanwhile."""
FIRST_PAUSE_S: Final = 2.0
LONGEST_PAUSE_S: Final = 600.0
REFUSED: Final = "refused_by_mail_server"
_PATIENCE = "set local idle_in_transaction_session_timeout = '5min'"
"""A slow server may take its time with each step; a worker that was stopped meanwhile frees its row in the end."""


class Waiting(NamedTuple):
    """A row that is to be sent, locked."""

    message_id: str
    topic: str
    partition: int
    record_offset: int
    purchase_id: str
    recipient: str
    content: bytes
    failures: int


class Outbox:
    """What the worker calls between its batches."""

    def __init__(self, server: MailServer, sender: str) -> None:
        self._server = server
        self._sender = sender

    def deliver(self, connection: Connection) -> int:
        """Send what is due; how many the server took."""
        sent = 0
        with self._server.session() as session:
            for _ in range(MOST_MESSAGES):
                metrics.goes_on(NAME)
                outcome = self._one(connection, session)
                if outcome is None:
                    break
                metrics.RECEIPTS.labels(outcome).inc()
                sent += outcome == "sent"
                if outcome == "not_now":
                    break  # the server is away: the others need not find out one by one
        row = connection.execute("select count(*) from sink.receipt where sent_at is null").fetchone()
        metrics.RECEIPTS_WAITING.set(0 if row is None else row[0])
        return sent

    def _one(self, connection: Connection, session: Session) -> str | None:
        """Send the message that is due first; what came of it, None where none is due."""
        with connection.transaction(), connection.cursor() as cursor:
            cursor.execute(_PATIENCE)
            waiting = _next(cursor)
            if waiting is None:
                return None
            try:
                session.send(self._sender, waiting.recipient, waiting.content)
            except Refused as error:
                _give_up(cursor, waiting, str(error))
                return "refused"
            except NotNow as error:
                _postpone(cursor, waiting, str(error))
                return "not_now"
            cursor.execute(
                "update sink.receipt set sent_at = now(), recipient = null, content = null, problem = null"
                " where message_id = %s",
                (waiting.message_id,),
            )
            return "sent"


def _next(cursor: Cursor) -> Waiting | None:
    row = cursor.execute(
        "select message_id, topic, partition, record_offset, purchase_id, recipient, content, failures"
        " from sink.receipt where sent_at is null and due_at <= now()"
        " order by due_at limit 1 for update skip locked"
    ).fetchone()
    return None if row is None else Waiting(*row)


def _give_up(cursor: Cursor, waiting: Waiting, problem: str) -> None:
    """It waits for a person: `retry` makes it again from its record."""
    log.warning("receipt of %s: %s", waiting.purchase_id, problem)
    cursor.execute("delete from sink.receipt where message_id = %s", (waiting.message_id,))
    park(cursor, [Parked(NAME, waiting.topic, waiting.partition, waiting.record_offset, "", REFUSED, problem)])
    metrics.PARKED.labels(NAME, REFUSED).inc()


def _postpone(cursor: Cursor, waiting: Waiting, problem: str) -> None:
    pause_s = backoff.pause_s(waiting.failures + 1, FIRST_PAUSE_S, LONGEST_PAUSE_S)
    log.warning("receipt of %s: %s; again in %.0f s", waiting.purchase_id, problem, pause_s)
    cursor.execute(
        "update sink.receipt set failures = failures + 1, problem = %s,"
        " due_at = clock_timestamp() + make_interval(secs => %s) where message_id = %s",
        (problem, pause_s, waiting.message_id),
    )
