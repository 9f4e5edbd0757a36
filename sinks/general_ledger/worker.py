"""The worker of the uploads: each prison's oldest file, step by step. See `upload` for its table of states."""

import logging
import time
from hashlib import sha256

from schemas.codec import Codec
from schemas.settings import Settings
from schemas.topics import GL_ACKNOWLEDGEMENTS, Topic
from sinks import metrics
from sinks.database import Connection, alone_with
from sinks.errors import StorageUnavailable
from sinks.general_ledger import outbox, tables
from sinks.general_ledger.answer import EVENTS, Answer, Unsettled, acknowledgements, verdicts
from sinks.general_ledger.ports import GeneralLedger
from sinks.general_ledger.tables import Stale
from sinks.general_ledger.upload import OPEN, Event, State, Upload, may_be_sent, pause_s
from sinks.loop import Loop
from sinks.remote import NoAnswer, NotTaken
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
        self._loop = Loop(NAME, settings.postgres, until_idle_s)

    @property
    def _connection(self) -> Connection:
        return self._loop.connection

    def run(self) -> None:
        """Work until told to stop. Raises `SinkError`; the next start goes on where this one was."""
        self._loop.run(self._turn)

    def _turn(self) -> bool:
        """Whether there was anything to do; if not, it has waited for a moment.

        It looks first: what waits then has failed to be published before, perhaps in a process that ended over it.
        """
        self._observe()
        done = tables.enlist(self._connection)
        for upload in tables.due(self._connection):
            if self._loop.stopping:
                return True
            metrics.goes_on(NAME)
            done += self._work_on(upload)
        done += self._publish()
        if not done:
            time.sleep(POLL_S)
        return done > 0

    # ---- one upload

    def _work_on(self, upload: Upload) -> bool:
        """Whether it was this worker's to work on."""
        with alone_with(self._connection, f"{NAME} prison {upload.prison_id}") as mine:
            if mine:
                try:
                    self._carry_on(tables.current(self._connection, upload.name))
                except Stale as stale:
                    log.warning("%s: %s", NAME, stale)
                    metrics.STALE.labels(NAME).inc()
            return mine

    def _carry_on(self, upload: Upload) -> None:
        """Find first, always; send only what nobody has. Another worker may have had the answer since it was listed."""
        if upload.state not in OPEN:
            return
        if upload.state is State.SENDING:
            upload = tables.step(self._connection, upload, Event.LEFT_BY_A_CRASH, "a worker ended while it sent")
        try:
            answer = self._general_ledger.find(upload.name, self._until())
        except NoAnswer as error:
            self._later(upload, str(error))
            return
        if answer is not None:
            self._settle(upload, answer)
        elif may_be_sent(upload, self._settings.general_ledger_timeout_s):
            self._send(upload)
        else:
            self._later(upload, "the general ledger has no such file yet, and may still get it")

    def _send(self, upload: Upload) -> None:
        if upload.state is State.IN_DOUBT:
            upload = tables.step(self._connection, upload, Event.NOT_THERE_AFTER_ALL)
        try:
            content = self._storage.get(upload.name)
        except StorageUnavailable as error:
            self._later(upload, str(error))
            return
        if content is None or sha256(content).hexdigest() != upload.digest:
            self._later(upload, "the stored bytes are not those of the manifest: see `python -m sinks verify`")
            return
        until = self._until()  # by a clock that is read before the stamp
        upload = tables.step(self._connection, upload, Event.ABOUT_TO_SEND)
        metrics.UPLOADS.inc()
        try:
            answer = self._general_ledger.upload(upload.name, content, upload.digest, until)
        except NotTaken as error:
            self._later(tables.step(self._connection, upload, Event.NOT_TAKEN), str(error))
        except NoAnswer as error:
            self._later(tables.step(self._connection, upload, Event.NO_ANSWER), str(error))
        else:
            self._settle(upload, answer)

    def _until(self) -> float:
        return time.monotonic() + self._settings.general_ledger_timeout_s

    def _settle(self, upload: Upload, answer: Answer) -> None:
        try:
            found = verdicts(answer, upload.digest, tables.lines_of(self._connection, upload))
        except Unsettled as error:
            if upload.state is State.SENDING:
                upload = tables.step(self._connection, upload, Event.NO_ANSWER)
            self._later(upload, str(error))
            return
        told = acknowledgements(upload.name, found)
        tables.settle(self._connection, upload, EVENTS[answer.outcome], answer, found, told)
        metrics.ANSWERS.labels(str(answer.outcome)).inc()
        log.info("%s: %s", upload.name, answer.outcome)

    def _later(self, upload: Upload, problem: str) -> None:
        log.warning("%s: %s: %s", upload.name, upload.state, problem)
        tables.postpone(self._connection, upload, pause_s(upload.failures + 1), problem)

    # ---- what is told of it

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
