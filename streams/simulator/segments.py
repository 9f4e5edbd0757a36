"""At the end of a run the open price segments are those that deposits reach, by events and reference data (DLR-08)."""

from collections import Counter
from collections.abc import Iterator
from typing import TypeAlias

from schemas.avro import full_name
from schemas.dealer_accounts import AccountOpened
from schemas.dealer_deposits import DepositChanged, PriceSegmentGranted, PriceSegmentRevoked
from schemas.envelope import read_envelope
from schemas.topics import DEALER_EVENTS, DEALERS, DEPOSIT_TIERS, PARTITIONS
from streams.audit.evidence import Row
from streams.audit.wire import Wire
from streams.simulator.evidence import visible
from streams.simulator.kafka.broker import Broker
from streams.simulator.kafka.messages import Place

HEARD = {full_name(kind): kind for kind in (AccountOpened, DepositChanged, PriceSegmentGranted, PriceSegmentRevoked)}

Segment: TypeAlias = tuple[str, str, str]
"""Dealer, currency, and the segment's name."""


def segment_differences(broker: Broker, wire: Wire) -> Iterator[str]:
    """What is open and should not be, or the other way about; and what was told of a deposit that does not add up."""
    deposits, is_open, segments = Counter[tuple[str, str]](), set[str](), set[Segment]()
    for kind, event in _events(broker, wire):
        dealer = event["dealer_id"]
        if kind is AccountOpened:
            if event["account"] == "DEPOSIT":
                is_open.add(dealer)
            continue
        held = dealer, event["currency"]
        if kind is DepositChanged:
            deposits[held] += event["change_minor"]
        else:
            segment = (*held, event["segment"])
            if (segment in segments) is not (kind is PriceSegmentRevoked):
                yield f"segment: {segment} is told to open or to close twice"
            segments ^= {segment}
        if event["deposit_minor"] != deposits[held] or deposits[held] < 0:
            yield f"deposit: {held} comes to {deposits[held]}, but {event} was told"
    may_bid = is_open & _known(broker)
    reached = {
        (*held, tier["segment"])
        for tier in _tiers(broker, wire)
        for held, deposit in deposits.items()
        if held[0] in may_bid and held[1] == tier["currency"] and tier["from_minor"] <= deposit
    }
    for segment in sorted(segments ^ reached):
        found = "open" if segment in segments else "closed"
        yield f"segment: {segment} is {found} at a deposit of {deposits[segment[:2]]}"


def _events(broker: Broker, wire: Wire) -> Iterator[tuple[type, Row]]:
    for number in range(PARTITIONS):
        for record in visible(broker, Place(DEALER_EVENTS.name, number)):
            if kind := HEARD.get(read_envelope(record.headers()).type):
                yield kind, wire.fields(kind, record.value())


def _tiers(broker: Broker, wire: Wire) -> Iterator[Row]:
    """The tiers that a partition was told last; all are told the same."""
    for value in _last(broker, Place(DEPOSIT_TIERS.name, 0)).values():
        yield wire.fields(DEPOSIT_TIERS.messages[0], value)


def _known(broker: Broker) -> set[str]:
    """The dealers whom reference data has not ended."""
    places = (Place(DEALERS.name, number) for number in range(PARTITIONS))
    return {key.decode().partition(":")[2] for place in places for key in _last(broker, place)}


def _last(broker: Broker, place: Place) -> dict[bytes, bytes]:
    """The last value of each key, but for keys whose last record is a tombstone."""
    last = {record.key(): record.value() for record in visible(broker, place)}
    return {key: value for key, value in last.items() if key is not None and value is not None}
