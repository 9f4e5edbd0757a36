"""Where the time of one worker of the real app goes."""

import gc
import json
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice, pairwise

from benchmarks.contestants import TRIP_LIFE
from benchmarks.profiled import FOUND
from benchmarks.profiling import BATCH_RECORDS, Profile, phases_of
from benchmarks.trips.city import City, now_us
from benchmarks.trips.lives import lives, opening, reference
from benchmarks.trips.partition import Numbers, Partition, Told
from benchmarks.trips.run import SEED, Run, run
from schemas.codec import Codec
from schemas.envelope import read_envelope
from schemas.fields import Contract
from schemas.mobility import GroupMember, VehiclePrice

PARTS_LIVES = 7_000
CALLS = replace(TRIP_LIFE, name="trip_life-calls", command=(*TRIP_LIFE.command[:-1], "calls"))


def profile(city: City, plain: Run, count: int) -> Profile:
    """Phases of a run, which every worker of trip life writes down; the calls of another, of `count` lives."""
    calls = run(city, count, contestant=CALLS, audit=False)
    phases = json.loads((plain.folder / FOUND).read_text())
    return Profile(
        records_per_cycle=phases["records"] / phases["cycles"],
        phases_us=phases_of(phases, plain.speed.events_per_s),
        parts_us=parts(),
        calls=json.loads((calls.folder / FOUND).read_text()),
    )


class _Remembering(Codec):
    """A codec that remembers what it has encoded."""

    def __init__(self) -> None:
        super().__init__(Numbers())
        self.encoded: list[Contract] = []

    def encode(self, message: Contract) -> bytes:
        self.encoded.append(message)
        return super().encode(message)


def parts() -> dict[str, float]:
    """CPU microseconds per event of each part of `process`, batch by batch, in one partition without Kafka or Faust."""
    partition = Partition(_Remembering())
    for message in reference():
        if isinstance(message, VehiclePrice):
            partition.prices[message.vehicle_id] = message
        elif isinstance(message, GroupMember):
            partition.members[f"group:{message.group_id}|{message.rider_id}"] = message
    partition.take([partition.record(upstream, 0) for upstream in opening(now_us())])
    told = (upstream for upstream, _ in lives(PARTS_LIVES, now_us(), seed=SEED, run="parts"))
    records = (partition.record(upstream, number) for number, upstream in enumerate(told))
    spent: Counter[str] = Counter()
    count = 0
    gc.disable()  # as good as in the worker, which looks for garbage seldom
    for batch in _batches(records):
        count += len(batch)
        _batch(partition, batch, spent)
    gc.enable()
    return {name: nanoseconds / count / 1000 for name, nanoseconds in spent.items()}


def _batches(records: Iterator[Told]) -> Iterator[list[Told]]:
    while batch := list(islice(records, BATCH_RECORDS)):
        yield batch


def _batch(partition: Partition, batch: list[Told], spent: Counter[str]) -> None:
    codec = partition.codec
    assert isinstance(codec, _Remembering)
    codec.encoded.clear()
    moments = [time.thread_time_ns()]
    for upstream, record in batch:
        codec.decode(upstream.topic, record.value())
        read_envelope(record.headers())
    moments.append(time.thread_time_ns())
    partition.decide(batch)
    moments.append(time.thread_time_ns())
    partition.encode_changes()
    moments.append(time.thread_time_ns())
    for message in codec.encoded:
        Codec.encode(codec, message)
    moments.append(time.thread_time_ns())
    decode, whole, rows, encode = (after - before for before, after in pairwise(moments))
    spent.update(
        {
            "decode and read headers": decode,
            "encode what is told": encode,
            "encode changed rows": rows,
            "decide, evolve, write headers": whole - decode - encode,
        }
    )
