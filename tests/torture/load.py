"""Upstream, without end: stories over all rooms from a seed, with repetitions, disorder, and bad records.

A bad record carries the header `torture-expect` with the reason that its dead letter must give.
"""

import random
import threading
import time
import uuid
import zlib
from collections import deque
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from confluent_kafka import KafkaError, Producer

from tests.torture.billing import Billing
from tests.torture.canteen import Canteen
from tests.torture.dealers import Dealers
from tests.torture.events import (
    BILLS,
    DEPOSITS,
    TRIPS,
    Event,
    Fields,
)
from tests.torture.facts import Facts
from tests.torture.general_ledger import GeneralLedger
from tests.torture.kafka import patient
from tests.torture.lots import Lots
from tests.torture.wire import Wire

EXPECT = "torture-expect"
HOUR_US = 3_600_000_000
REPEATED, OTHER_CONTENT, BAD = 0.02, 0.004, 0.004
AGAIN, OTHERWISE = 0.02, 0.02
"""Shares of what was said before, under another event id: the same, and something else under its business id."""
FLUSH_S = 120.0


class Stories:
    """Events in an order that makes sense; ids are fresh for every `run`."""

    def __init__(self, seed: int, facts: Facts, run: str) -> None:
        self._dice = random.Random(f"load {seed}")
        self._facts, self._run, self._count = facts, run, 0
        self._trips = deque[Fields]()
        canteen, dealers, lots = (each(self._dice, facts, self._id) for each in (Canteen, Dealers, Lots))
        self._tellers: list[tuple[int, Callable[[], Event]]] = [
            (8, self._deposit), (26, self._start), (24, self._finish), *dealers.tellers, *lots.tellers,
            *canteen.tellers,
        ]  # fmt: skip

    def __iter__(self) -> Iterator[Event]:
        weights, tellers = zip(*self._tellers, strict=True)
        while True:
            yield self._dice.choices(tellers, weights)[0]()

    def _id(self, prefix: str) -> str:
        self._count += 1
        return f"{prefix}-{self._run}-{self._count}"

    def _euros(self, low: int, high: int) -> Fields:
        return {"amount_minor": self._dice.randrange(low, high), "currency": "EUR"}

    def _deposit(self) -> Event:
        group, deposit_id = self._dice.choice(list(self._facts.members)), self._id("dep")
        expires = self._dice.choice((None, None, _now_us() + HOUR_US * self._dice.choice((-1, 1, 30, 900))))
        fields: Fields = {"deposit_id": deposit_id, "group_id": group, "amount": self._euros(300, 6_000),
                  "expires_at": expires, "scopes": [], "per_trip_minor": None}  # fmt: skip
        return Event(DEPOSITS, "DepositBudget", f"group:{group}", deposit_id, fields)

    def _start(self) -> Event:
        dice, facts = self._dice, self._facts
        group = dice.choice([each for each, riders in facts.members.items() if riders])
        rider = dice.choice(facts.members[group]) if dice.random() > 0.01 else "rid-stranger"
        vehicle = dice.choice(list(facts.vehicles)) if dice.random() > 0.01 else "veh-stolen"
        trip = {"trip_id": self._id("trp"), "group_id": group}
        funding = dice.choices(("wallet_only", "card_only", "wallet_then_card"), (2, 1, 5))[0]
        seconds = dice.randrange(180, 2_400)
        fields = {**trip, "rider_id": rider, "vehicle_id": vehicle, "estimated_seconds": seconds, "funding": funding}
        started = Event(TRIPS, "TripStarted", f"group:{group}", f"{trip['trip_id']}-start", fields)
        if dice.random() < 0.02:  # the end comes first
            self._trips.append({**trip, "start": started})
            return self._ended(trip)
        if dice.random() > 0.05:  # others are never ended: their locks time out
            self._trips.append(trip)
        return started

    def _finish(self) -> Event:
        if len(self._trips) < 20:
            return self._start()
        trip = self._trips.popleft()
        if "start" in trip:
            return trip["start"]  # type: ignore[no-any-return]
        if self._dice.random() < 0.06:
            fields = {**trip, "reason": "changed-mind"}
            return Event(TRIPS, "TripCancelled", f"group:{trip['group_id']}", f"{trip['trip_id']}-end", fields)
        return self._ended(trip)

    def _ended(self, trip: Fields) -> Event:
        fields = {**trip, "ridden_seconds": self._dice.randrange(60, 3_000)}
        return Event(TRIPS, "TripEnded", f"group:{trip['group_id']}", f"{trip['trip_id']}-end", fields)


class Load(threading.Thread):
    """Publishes stories at `rate` a second until told to stop. `delivered` are records that a broker has confirmed."""

    def __init__(self, kafka: str, wire: Wire, facts: Facts, seed: int, rate: float) -> None:
        super().__init__(name="load", daemon=True)
        self._wire, self._rate = wire, rate
        self._dice = random.Random(f"noise {seed}")
        self._stories = iter(Stories(seed, facts, uuid.uuid4().hex[:6]))
        self._recent: deque[Event] = deque(maxlen=500)
        self._stopping = threading.Event()
        self._repliers = GeneralLedger(kafka, wire, seed), Billing(kafka, wire, seed)
        self._kafka = Producer({**patient(kafka), "enable.idempotence": True, "linger.ms": 5,
                                "partitioner": "murmur2_random"})  # fmt: skip
        self.sent = self.delivered = self._told = 0
        self.failed: list[str] = []
        self.confirmed: list[str] = []
        """Where they lie; an offset is negative where a broker has told none."""

    def run(self) -> None:
        """Until `stop`."""
        begun = time.monotonic()
        while not self._stopping.is_set():
            behind = int((time.monotonic() - begun) * self._rate) - self._told
            for _ in range(min(behind, 500)):
                self._send()
                self._told += 1
            for replier in self._repliers:
                for event in replier.answers():
                    self._publish_event(event)
            self._kafka.poll(0.02)
        for replier in self._repliers:
            replier.close()

    def stop(self) -> None:
        """Send no more, and wait until everything is confirmed.

        Raises AssertionError if something is not, or if the load has ended by itself: then too little was tormented.
        """
        assert self.is_alive(), "the load has ended before its time"
        self._stopping.set()
        self.join()
        left = self._kafka.flush(FLUSH_S)
        assert not left, f"{left} records were never confirmed"
        assert not self.failed, f"{len(self.failed)} records failed: {self.failed[:3]}"

    def _send(self) -> None:
        chance = self._dice.random()
        if chance < BAD and self._recent:
            self._publish(*_spoilt(self._dice, self._wire, self._dice.choice(self._recent)))
            return
        if chance < BAD + REPEATED and self._recent:
            event = self._dice.choice(self._recent)
        elif chance < BAD + REPEATED + OTHER_CONTENT and self._recent:
            event = other_content(self._dice.choice(self._recent))
        elif chance < BAD + REPEATED + OTHER_CONTENT + AGAIN + OTHERWISE and self._recent:
            event = again(self._dice.choice(self._recent), self._dice)
            if chance > BAD + REPEATED + OTHER_CONTENT + AGAIN:
                event = other_content(event)
        else:
            event = next(self._stories)
            self._recent.append(event)
        self._publish_event(event)

    def _publish_event(self, event: Event) -> None:
        self._publish(event.topic, event.key, self._wire.encode(event.topic, event.name, event.fields),
                      _headers(self._wire, event))  # fmt: skip

    def _publish(self, topic: str, key: str, value: bytes | None, headers: list[tuple[str, bytes]]) -> None:
        while True:
            try:
                self._kafka.produce(topic, value, key.encode(), headers=headers, on_delivery=self._delivered)
                break
            except BufferError:  # the brokers are away
                self._kafka.poll(0.1)
        self.sent += 1

    def _delivered(self, error: KafkaError | None, message: Any) -> None:
        if error is None:
            self.delivered += 1
            self.confirmed.append(f"{message.topic()}/{message.partition()}/{message.offset()}")
        else:
            self.failed.append(str(error))


def again(event: Event, dice: random.Random) -> Event:
    """The same under another event id: a command that was sent again by somebody who knew nothing of the first."""
    return event._replace(event_id=f"{event.event_id}-{dice.randrange(1_000_000)}")


def other_content(event: Event) -> Event:
    """Something else under the same business id; what says nothing but its ids stays as it is."""
    fields = dict(event.fields)
    if payments := fields.get("payments"):
        fields["payments"] = [{**payments[0], "amount": _more(payments[0]["amount"])}, *payments[1:]]
        fields |= {"total": _more(fields["total"])} if "total" in fields else {}
        return event._replace(fields=fields)
    changes: dict[str, Callable[[Any], Any]] = {
        "amount": _more, "price": _more, "ridden_seconds": lambda seconds: seconds + 1,
        "estimated_seconds": lambda seconds: seconds + 1, "reason": lambda reason: f"{reason}-2",
    }  # fmt: skip
    fields |= {name: change(fields[name]) for name, change in changes.items() if name in fields}
    return event._replace(fields=fields)


def _more(amount: Fields) -> Fields:
    return {**amount, "amount_minor": amount["amount_minor"] + 1}


def _spoilt(dice: random.Random, wire: Wire, event: Event) -> tuple[str, str, bytes | None, list[tuple[str, bytes]]]:
    """The event as a careless upstream would write it, and the reason that its dead letter must give."""
    value, headers = wire.encode(event.topic, event.name, event.fields), _headers(wire, event)
    topic, key = event.topic, event.key
    spoilt: dict[str, tuple[str, str, bytes | None, list[tuple[str, bytes]]]] = {
        "not_framed": (topic, key, b'{"no": "avro"}', headers),
        "unknown_schema": (topic, key, b"\x00\x7f\xff\xff\xff" + value[5:], headers),
        "not_avro": (topic, key, value + b"\x00", headers),
        "wrong_key": (topic, f"{key}x", value, headers),
        "bad_envelope": (topic, key, value, [each for each in headers if each[0] != "ce_id"]),
        "unknown_type": (BILLS if topic != BILLS else TRIPS, key, value, headers),
        "no_value": (topic, key, None, headers),
    }
    if event.name == "SubmitBatch":
        purchases = [*event.fields["purchases"], event.fields["purchases"][0]]
        twice = wire.encode(topic, event.name, {**event.fields, "purchases": purchases})
        spoilt["refused_by_schema"] = (topic, key, twice, headers)
    reason = dice.choice(sorted(spoilt))
    topic, key, spoilt_value, headers = spoilt[reason]
    return topic, key, spoilt_value, [*headers, (EXPECT, reason.encode())]


def _headers(wire: Wire, event: Event) -> list[tuple[str, bytes]]:
    moment = (datetime.now(UTC) - timedelta(microseconds=event.age_us)).isoformat()
    attributes = {
        "specversion": "1.0", "id": event.event_id, "source": "torture", "time": moment, "subject": event.key,
        "type": wire.full_name(event.topic, event.name),
    }  # fmt: skip
    if zlib.crc32(event.event_id.encode()) % 2:  # half of them leave these to their defaults
        attributes |= {"correlationid": f"story of {event.key}", "actor": f"shop {len(event.event_id)}"}
    return [(f"ce_{name}", value.encode()) for name, value in attributes.items()]


def _now_us() -> int:
    return time.time_ns() // 1_000
