"""The external Billing, as rooms meet it through the sink: it reads their calls, and answers late, twice, or with a no.

What it says to a call follows from the seed and the call's id, whenever it hears of it.
"""

import random
from collections.abc import Iterator
from typing import Any, NamedTuple
from zlib import crc32

from schemas.billing import BillingDone, BillingRefused
from schemas.codec import Codec
from schemas.envelope import read_envelope
from schemas.fields import Fact
from schemas.publishing import Upstream, upstream
from schemas.topics import BILLING_ANSWERS, BILLING_CALLS, PARTITIONS
from streams.simulator.kafka.broker import Broker
from streams.simulator.kafka.messages import Message, Place

MOST_CALLS = 1_000
SOON_S, LATE_S = 0.1, 4.0


class Manners(NamedTuple):
    """Shares of calls that are refused, and of answers that come late, again, and again under another event id."""

    refused: float
    late: float
    again: float
    other_id: float


BAD = Manners(refused=0.08, late=0.15, again=0.15, other_id=0.05)
GOOD = Manners(0.0, 0.0, 0.0, 0.0)


class Answer(NamedTuple):
    """What Billing says, and in how many seconds."""

    in_s: float
    event: Upstream


class Billing:
    """Hears every committed call once, and knows by itself nothing of dealers."""

    def __init__(self, broker: Broker, codec: Codec, seed: int, manners: Manners) -> None:
        self._broker, self._codec, self._seed, self._manners = broker, codec, seed, manners
        self._heard = {Place(BILLING_CALLS.name, number): 0 for number in range(PARTITIONS)}

    @property
    def is_idle(self) -> bool:
        """Whether nothing lies there that it has not heard."""
        return all(self._broker.logs[place].end <= offset for place, offset in self._heard.items())

    def hear(self) -> Iterator[Answer]:
        """The answers to all calls that have come since."""
        for place, offset in self._heard.items():
            calls = self._broker.logs[place].read(offset, MOST_CALLS, committed=True)
            self._heard[place] = calls.next_offset
            for record in calls.records:
                yield from self._answers(record)

    def _answers(self, record: Message) -> Iterator[Answer]:
        call: Any = self._codec.decode(BILLING_CALLS, record.value())
        rnd = random.Random(f"billing {self._seed} {call.call_id}")
        asked = read_envelope(record.headers())
        event = upstream(
            BILLING_ANSWERS,
            _refusal(call) if rnd.random() < self._manners.refused else _done(call),
            event_id=f"answer/{call.call_id}",
            source="billing-sink",
            time_us=asked.time_us,
            actor="billing",
            correlation_id=asked.correlation_id,
            causation_id=asked.id,
        )
        in_s = rnd.random() * (LATE_S if rnd.random() < self._manners.late else SOON_S)
        yield Answer(in_s, event)
        if rnd.random() < self._manners.again:
            yield Answer(in_s + rnd.random() * LATE_S, event)
        if rnd.random() < self._manners.other_id:
            renamed = event.envelope._replace(id=f"{event.envelope.id}/again")
            yield Answer(in_s + rnd.random() * LATE_S, event._replace(envelope=renamed))


def _about(call: Any) -> dict[str, Any]:
    return {
        "call_id": call.call_id,
        "dealer_id": call.dealer_id,
        "account": call.account,
        "bill_id": getattr(call, "bill_id", None),
        "lot_id": getattr(call, "lot_id", None),
    }


def _done(call: Fact) -> BillingDone:
    about = _about(call)
    url = f"https://billing.example/pdf/{crc32(about['bill_id'].encode()):08x}" if about["bill_id"] else None
    return BillingDone(**about, billing_id=f"of/{about['call_id']}"[:240], url=url)


def _refusal(call: Fact) -> BillingRefused:
    return BillingRefused(**_about(call), code="E42", text="no, says Billing")
