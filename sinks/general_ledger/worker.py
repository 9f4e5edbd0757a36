"""The worker of the uploads: each prison's oldest file, step by step. See `upload` for its table of states."""

import logging
import signal
import time
from hashlib import sha256
from typing import Any

import psycopg

from schemas.codec import Codec
from schemas.settings import Settings
from schemas.topics import GL_ACKNOWLEDGEMENTS, Topic
from sinks import metrics
from sinks.database import Connection, connect, reconnect
from sinks.errors import StorageUnavailable
from sinks.general_ledger import outbox, tables
from sinks.general_ledger.answer import EVENTS, Answer, Unsettled, acknowledgements, verdicts
from sinks.general_ledger.ports import GeneralLedger, NoAnswer, NotTaken
from sinks.general_ledger.tables import Stale
from sinks.general_ledger.upload import OPEN, Event, State, Upload, may_be_sent, pause_s
from sinks.storage import Storage

log = logging.getLogger(__name__)

NAME = "general-ledger"
POLL_S = 1.0
"""Between two looks at what is due."""


class Uploader:
    """One process; several may run, as each prison's file is one worker's at a time. It ends on SIGTERM, on SIGINT, or
    after `until_idle_s` with nothing to try."""

    def __init__(
        self,
        general_ledger: GeneralLedger,
        codec: Codec,
        storage: Storage,
        settings: Settings,
        *,
        until_idle_s: float | None,
        topic: Topic = GL_ACKNOWLEDGEMENTS,
    ) -> None:
        self._general_ledger = general_ledger
        self._codec = codec
        self._storage = storage
        self._settings = settings
        self._topic = topic
        self._until_idle_s = until_idle_s
        self._connection: Connection = connect(settings.postgres)
        self._busy_at = time.monotonic()
        self._stopping = False

    def run(self) -> None:
        """Work until told to stop. Raises `SinkError`; the next start goes on where this one was."""
        for each in (signal.SIGTERM, signal.SIGINT):
            signal.signal(each, self._stop)
        try:
            while not self._stopping and not self._is_idle():
                try:
                    self._turn()
                except psycopg.OperationalError as error:
                    log.warning("%s: lost Postgres: %s", NAME, error)
                    metrics.RECONNECTS.labels(NAME).inc()
                    self._connection.close()
                    self._connection = reconnect(self._settings.postgres)
        finally:
            self._connection.close()

    def _turn(self) -> None:
        moved = tables.enlist(self._connection)
        for upload in tables.due(self._connection):
            if self._stopping:
                return
            moved += self._work_on(upload)
        moved += self._publish()
        self._observe()
        if moved:
            self._busy_at = time.monotonic()
        else:
            time.sleep(POLL_S)

    # ---- one upload

    def _work_on(self, upload: Upload) -> bool:
        """Whether it has its answer now."""
        with tables.alone_with(self._connection, f"prison {upload.prison_id}") as mine:
            if not mine:
                return False
            try:
                return self._carry_on(tables.current(self._connection, upload.name))
            except Stale as stale:
                log.warning("%s: %s", NAME, stale)
                metrics.STALE.labels(NAME).inc()
                return False

    def _carry_on(self, upload: Upload) -> bool:
        """Find first, always; send only what nobody has. Another worker may have had the answer since it was listed."""
        if upload.state not in OPEN:
            return False
        if upload.state is State.SENDING:
            upload = tables.step(self._connection, upload, Event.LEFT_BY_A_CRASH, "a worker ended while it sent")
        try:
            answer = self._general_ledger.find(upload.name)
        except NoAnswer as error:
            return self._later(upload, str(error))
        if answer is not None:
            return self._settle(upload, answer)
        if not may_be_sent(upload, self._settings.general_ledger_timeout_s):
            return self._later(upload, "the general ledger has no such file yet, and may still get it")
        if upload.state is State.IN_DOUBT:
            upload = tables.step(self._connection, upload, Event.NOT_THERE_AFTER_ALL)
        return upload.state is State.WAITING and self._send(upload)

    def _send(self, upload: Upload) -> bool:
        try:
            content = self._storage.get(upload.name)
        except StorageUnavailable as error:
            return self._later(upload, str(error))
        if content is None or sha256(content).hexdigest() != upload.digest:
            return self._later(upload, "the stored bytes are not those of the manifest: see `python -m sinks verify`")
        upload = tables.step(self._connection, upload, Event.ABOUT_TO_SEND)
        metrics.UPLOADS.inc()
        try:
            answer = self._general_ledger.upload(upload.name, content, upload.digest)
        except NotTaken as error:
            return self._later(tables.step(self._connection, upload, Event.NOT_TAKEN), str(error))
        except NoAnswer as error:
            return self._later(tables.step(self._connection, upload, Event.NO_ANSWER), str(error))
        return self._settle(upload, answer)

    def _settle(self, upload: Upload, answer: Answer) -> bool:
        try:
            found = verdicts(answer, upload.digest, tables.lines_of(self._connection, upload))
        except Unsettled as error:
            if upload.state is State.SENDING:
                upload = tables.step(self._connection, upload, Event.NO_ANSWER)
            return self._later(upload, str(error))
        told = acknowledgements(upload.name, found)
        tables.settle(self._connection, upload, EVENTS[answer.outcome], answer, found, told)
        metrics.ANSWERS.labels(str(answer.outcome)).inc()
        log.info("%s: %s", upload.name, answer.outcome)
        return True

    def _later(self, upload: Upload, problem: str) -> bool:
        log.warning("%s: %s: %s", upload.name, upload.state, problem)
        tables.postpone(self._connection, upload, pause_s(upload.failures + 1), problem)
        self._busy_at = time.monotonic()
        return False

    # ---- what is told of it, and rest

    def _publish(self) -> int:
        count = outbox.publish_waiting(self._connection, self._settings, self._codec, self._topic)
        metrics.ACKNOWLEDGEMENTS.inc(count)
        return count

    def _observe(self) -> None:
        standing = tables.standing(self._connection)
        for state, count in standing.uploads.items():
            metrics.UPLOADS_OPEN.labels(state).set(count)
        metrics.REFUSED_LINES.set(standing.refused_lines)
        metrics.OLDEST_OPEN_DAY.set(standing.oldest_open_day_s)
        metrics.ACKNOWLEDGEMENTS_WAITING.set(standing.to_publish)

    def _stop(self, *_: Any) -> None:
        self._stopping = True

    def _is_idle(self) -> bool:
        return self._until_idle_s is not None and time.monotonic() - self._busy_at > self._until_idle_s
