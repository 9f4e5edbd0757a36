"""Carrying calls out: each account's oldest, step by step, others' beside it. See `call` for the table of states."""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from itertools import islice
from types import TracebackType
from typing import Final, ParamSpec, Self, TypeVar

import psycopg
from pybreaker import STATE_CLOSED, CircuitBreaker, CircuitBreakerError

from schemas.codec import Codec
from schemas.settings import Settings
from schemas.topics import BILLING_ANSWERS, Topic
from sinks import metrics
from sinks.billing import outbox, tables
from sinks.billing.answer import Answer, AtWork, Refused, fit_to_tell
from sinks.billing.call import MOST_USELESS, OPEN, Call, Event, State, may_be_sent, pause_s
from sinks.billing.content import Wanted, wanted
from sinks.billing.ports import Billing, Nonsense, NotUnderstood
from sinks.billing.rest import Rest
from sinks.billing.sink import NAME
from sinks.billing.tables import Stale
from sinks.database import Connection, alone_with
from sinks.remote import NoAnswer, NotTaken

log = logging.getLogger(__name__)

P = ParamSpec("P")
Kept = TypeVar("Kept")

MOST_CALLS: Final = 16
"""Of one round, each of another account. A round ends when the slowest has its answer, or none within its time."""
MOST_LISTED: Final = 1_000
"""Due calls that are looked through to fill a round: far more than other workers, asleep or awake, can hold."""
ROUNDS_S: Final = 5.0
"""No further round begins after so long, so that the worker goes on reading and keeps its partitions."""
OBSERVE_S: Final = 2.0
USELESS: Final = "useless_answers"


class Carrier:
    """What the worker calls between its batches. Several may run, as each account is one worker's at a time.

    The breaker counts failures in a row, of whatever calls. While it is open nothing is asked, and calls only wait;
    then one call tries whether Billing is back.
    """

    def __init__(self, billing: Billing, codec: Codec, settings: Settings, topic: Topic = BILLING_ANSWERS) -> None:
        self._billing = billing
        self._codec = codec
        self._settings = settings
        self._topic = topic
        self._rest = Rest()
        self._breaker = CircuitBreaker(
            settings.billing_failures, settings.billing_rest_s,
            exclude=[Stale, psycopg.Error], throw_new_error_on_trip=False, state_storage=self._rest,
        )  # fmt: skip
        self._runner = asyncio.Runner()
        self._one_by_one = asyncio.Lock()
        self._observed_at = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._runner.run(self._billing.close())
        self._runner.close()

    def deliver(self, connection: Connection) -> int:
        """Some rounds, and the answers into Kafka; how much came further.

        It looks first: what waits then has failed to be published before, perhaps in a process that ended over it.
        """
        self._observe(connection)
        begun, done = time.monotonic(), 0
        while (ended := self._round(connection)) == MOST_CALLS and time.monotonic() - begun < ROUNDS_S:
            done += ended
        done += ended
        published = outbox.publish_waiting(connection, self._settings, self._codec, self._topic)
        metrics.BILLING_ANSWERS_PUBLISHED.inc(published)
        return done + published

    def _round(self, connection: Connection) -> int:
        limit = MOST_CALLS if self._breaker.current_state == STATE_CLOSED else 1
        with ExitStack() as rights:
            free = (
                call_id
                for call_id, account in tables.due(connection, MOST_LISTED)
                if rights.enter_context(alone_with(connection, f"{NAME} account {account}"))
            )
            mine = list(islice(free, limit))
            return self._runner.run(self._all(connection, mine)) if mine else 0

    async def _all(self, connection: Connection, call_ids: Sequence[str]) -> int:
        """Side by side; each is at its end, or in a state from which a successor goes on, before an error is raised."""
        ended = await asyncio.gather(*(self._one(connection, each) for each in call_ids), return_exceptions=True)
        for each in ended:
            if isinstance(each, BaseException):
                raise each
        return sum(1 for each in ended if each is True)

    # ---- one call

    async def _one(self, connection: Connection, call_id: str) -> bool:
        """Whether it came to its end."""
        try:
            try:
                with self._breaker.calling():
                    return await self._carry_on(connection, await self._kept(tables.current, connection, call_id))
            except (NotTaken, NoAnswer) as error:
                await self._kept(self._failed, connection, call_id, error)
        except Stale as stale:
            log.warning("%s: %s", NAME, stale)
            metrics.STALE.labels(NAME).inc()
        except CircuitBreakerError:
            log.debug("%s: Billing is let alone", NAME)
        return False

    async def _carry_on(self, connection: Connection, call: Call) -> bool:
        """Find first, always; send only what nobody has. Another worker may have had the answer since it was listed."""
        if call.state not in OPEN:
            return False
        if call.state is State.SENDING:
            left = Event.LEFT_BY_A_CRASH, "a worker ended while it was sent"
            call = await self._kept(tables.step, connection, call, *left)
        assert call.content is not None
        what = wanted(call.kind, call.content)
        answer = await self._billing.find(what, self._until())
        if answer is not None:
            return await self._kept(self._settle, connection, call, what, answer)
        if may_be_sent(call, self._settings.billing_timeout_s):
            return await self._send(connection, call, what)
        await self._kept(self._later, connection, call, "Billing has nothing of it yet, and may still get it")
        return False

    async def _send(self, connection: Connection, call: Call, what: Wanted) -> bool:
        call, until = await self._kept(self._stamp, connection, call)
        metrics.BILLING_CALLS.labels(call.kind).inc()
        try:
            answer = await self._billing.send(what, until)
        except NotTaken as error:
            await self._kept(tables.step, connection, call, Event.NOT_TAKEN, str(error))
            raise
        except NoAnswer as error:
            await self._kept(tables.step, connection, call, Event.NO_ANSWER, str(error))
            raise
        return await self._kept(self._settle, connection, call, what, answer)

    async def _kept(self, step: Callable[P, Kept], *values: P.args, **named: P.kwargs) -> Kept:
        """A step in Postgres, one at a time, in a thread: a slow disk must not make other calls' answers late."""
        async with self._one_by_one:
            return await asyncio.to_thread(step, *values, **named)

    # ---- steps

    def _stamp(self, connection: Connection, call: Call) -> tuple[Call, float]:
        """About to send; until when, by a clock that is read before the stamp."""
        if call.state is State.IN_DOUBT:
            call = tables.step(connection, call, Event.NOT_THERE_AFTER_ALL)
        until = self._until()
        return tables.step(connection, call, Event.ABOUT_TO_SEND), until

    def _settle(self, connection: Connection, call: Call, what: Wanted, answer: Answer) -> bool:
        if isinstance(answer, AtWork):
            if call.state is State.SENDING:
                call = tables.step(connection, call, Event.NO_ANSWER)
            self._later(connection, call, "Billing is at work on it")
            return False
        if isinstance(answer, Refused):
            answer = fit_to_tell(answer, what)
        tables.settle(connection, call, answer)
        metrics.BILLING_OUTCOMES.labels(call.kind, answer.outcome).inc()
        log.info("%s: %s", call.call_id, answer.outcome)
        return True

    def _failed(self, connection: Connection, call_id: str, error: Exception) -> None:
        call = tables.current(connection, call_id)
        if call.state not in OPEN:
            return
        if isinstance(error, NotUnderstood | Nonsense):
            call = call._replace(useless=call.useless + 1)
        if call.useless >= MOST_USELESS:
            log.warning("parked %s: %s: %s", call.call_id, call.state, error)
            tables.give_up(connection, call, NAME, USELESS, str(error))
            metrics.PARKED.labels(NAME, USELESS).inc()
        else:
            self._later(connection, call, str(error))

    def _later(self, connection: Connection, call: Call, problem: str) -> None:
        log.warning("%s: %s: %s", call.call_id, call.state, problem)
        tables.postpone(connection, call, pause_s(call.failures + 1), problem)

    def _until(self) -> float:
        return time.monotonic() + self._settings.billing_timeout_s

    # ---- what tells of it

    def _observe(self, connection: Connection) -> None:
        """Gauges of what others change too, now and then; the breaker is this process' own."""
        metrics.BILLING_LET_ALONE.set(int(self._lets_alone(connection)))
        if time.monotonic() - self._observed_at < OBSERVE_S:
            return
        self._observed_at = time.monotonic()
        standing = tables.standing(connection)
        for state, count in standing.calls.items():
            metrics.BILLING_CALLS_OPEN.labels(state).set(count)
        metrics.BILLING_OLDEST_CALL.set(standing.oldest_s)
        metrics.BILLING_ANSWERS_WAITING.set(standing.to_publish)

    def _lets_alone(self, connection: Connection) -> bool:
        """A breaker whose rest is over stays open until a call tries: where there is none, nobody is let alone.

        A call in its pause counts, else a Billing that is away would seem well between two tries of the last one.
        """
        if self._breaker.current_state == STATE_CLOSED:
            return False
        return not self._rest.is_over(self._settings.billing_rest_s) or tables.is_any_due(connection)
