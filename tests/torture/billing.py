"""The external Billing as upstream: does most of what dealers' books ask of it, refuses some, repeats itself.

It reports payments of the bills that follow from lots, which no upstream knows beforehand.
"""

import random
import uuid
from collections.abc import Iterable, Iterator

from confluent_kafka import Consumer

from tests.torture.events import BILLING_ANSWERS, BILLING_CALLS, OF_LOTS, PAYMENTS, Event, Fields
from tests.torture.kafka import patient
from tests.torture.wire import Wire

REFUSED, AGAIN, OTHERWISE = 0.05, 0.05, 0.02
"""Shares of calls that are refused, and of answers that come again under another event id: the same, or another one."""
PAID = 0.6
"""Of the bills that follow from lots."""


class Replies:
    """What is said to calls, from a seed."""

    def __init__(self, seed: int) -> None:
        self._dice = random.Random(f"billing {seed}")

    def to(self, calls: Iterable[Fields]) -> Iterator[Event]:
        """An answer to each, and to some another one."""
        for call in calls:
            event = self._answer(call)
            yield event
            chance = self._dice.random()
            if chance < AGAIN:
                yield event._replace(event_id=f"{event.event_id}-again")
            elif chance < AGAIN + OTHERWISE and event.name == "BillingDone":
                fields = {**event.fields, "billing_id": f"{event.fields['billing_id']}-2"}
                yield event._replace(event_id=f"{event.event_id}-otherwise", fields=fields)
            if event.name == "BillingDone" and "amount" in call and call["bill_id"].startswith(OF_LOTS):
                yield from self._payment(call)

    def _payment(self, issued: Fields) -> Iterator[Event]:
        """At times in two parts, or too much."""
        due, currency = issued["amount"]["amount_minor"], issued["amount"]["currency"]
        if self._dice.random() > PAID:
            return
        for part in self._dice.choice(((due,), (due,), (due // 2, due - due // 2), (due + 500,), (due // 3,))):
            if part:
                payment_id, dealer = f"paid-{uuid.uuid4().hex}", issued["dealer_id"]
                fields = {"payment_id": payment_id, "dealer_id": dealer, "bill_id": issued["bill_id"],
                          "amount": {"amount_minor": part, "currency": currency}}  # fmt: skip
                yield Event(PAYMENTS, "BillingPayment", f"dealer:{dealer}", payment_id, fields)

    def _answer(self, call: Fields) -> Event:
        about = {"call_id": call["call_id"], "dealer_id": call["dealer_id"], "account": call["account"],
                 "bill_id": call.get("bill_id"), "lot_id": call.get("lot_id")}  # fmt: skip
        key, event_id = f"dealer:{call['dealer_id']}", f"answer-{uuid.uuid4().hex}"
        if self._dice.random() < REFUSED:
            fields = {**about, "code": "E42", "text": "no, says Billing"}
            return Event(BILLING_ANSWERS, "BillingRefused", key, event_id, fields)
        made = f"made-{self._dice.randrange(10**12)}"
        url = f"https://billing.example/{made}.pdf" if about["bill_id"] else None
        return Event(BILLING_ANSWERS, "BillingDone", key, event_id, {**about, "billing_id": made, "url": url})


class Billing:
    """Answers to the calls that have come since it was asked last."""

    def __init__(self, kafka: str, wire: Wire, seed: int) -> None:
        self._wire, self._replies = wire, Replies(seed)
        self._kafka = Consumer({**patient(kafka), "group.id": f"torture-{uuid.uuid4().hex}",
                                "isolation.level": "read_committed", "auto.offset.reset": "earliest",
                                "enable.auto.commit": False})  # fmt: skip
        self._kafka.subscribe([BILLING_CALLS])

    def answers(self) -> Iterator[Event]:
        """See `Replies`."""
        records = (record for record in self._kafka.consume(500, 0.0) if record.error() is None)
        return self._replies.to([self._wire.decode(record.value())[1] for record in records])

    def close(self) -> None:
        """Leave Kafka."""
        self._kafka.close()
