"""What an event costs in a partition of many books, and in a book of many entries: `python -m benchmarks.flatness`.

CPU time of the pure part and the rows of the runtime in one thread, without Kafka: decode, decide, journal, encode what
is told and the changed rows, and one tick a batch. Deposits pay for just their trips, so that no row grows.
"""

import gc
import json
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

from benchmarks.trips.city import now_us
from benchmarks.trips.lives import WALLET_ENTRIES_OF_A_LIFE, even_life, price
from benchmarks.trips.partition import Numbers, Partition, Told
from schemas.codec import Codec
from schemas.mobility import GroupMember
from streams.runtime import Rows

BOOKS = (1_000, 10_000, 100_000, 1_000_000)
ENTRIES = (10, 100, 1_000, 10_000, 100_000)
MEASURED_LIVES = 3_000
BATCH_RECORDS = 2_000
PASSES = 3


def of_books(count: int, codec: Codec) -> list[float]:
    """Microseconds of CPU per event, for each pass, in a partition of `count` books that have all lived before."""
    groups = [f"g{number}" for number in range(count)]
    partition = _filled(codec, groups)
    dice = random.Random(count)
    chosen = [[dice.choice(groups) for _ in range(MEASURED_LIVES)] for _ in range(PASSES)]
    return _passes(partition, chosen)


def of_entries(count: int, codec: Codec) -> list[float]:
    """Microseconds of CPU per event, for each pass, in books whose wallets had `count` entries before the first.

    Few entries mean many books, so that a pass only doubles them.
    """
    lives_each = count // WALLET_ENTRIES_OF_A_LIFE
    groups = [f"g{number}" for number in range(max(1, MEASURED_LIVES // lives_each))]
    partition = _filled(codec, groups)
    events = _events(partition, (group for _ in range(lives_each - 1) for group in groups), "earlier")
    while batch := list(islice(events, BATCH_RECORDS)):
        partition.take(batch)
    _settle_memory()
    return _passes(partition, [[groups[n % len(groups)] for n in range(MEASURED_LIVES)]] * PASSES)


def _passes(partition: Partition, chosen: Sequence[Sequence[str]]) -> list[float]:
    return [_measure(partition, list(_events(partition, groups, f"{n}"))) for n, groups in enumerate(chosen)]


def _filled(codec: Codec, groups: Sequence[str]) -> Partition:
    """A partition in which every book has the rows that one life has left in the first, as after a restore.

    What a life of more than a week ago has left: ids of its messages are forgotten by then.
    """
    partition = Partition(codec)
    partition.prices["v0"] = price(0)
    first = groups[0]
    for group in groups:
        partition.members[f"group:{group}|r{group}"] = GroupMember(group_id=group, rider_id=f"r{group}")
    partition.take(list(_events(partition, [first], "first")))
    tables: tuple[Rows[Any], ...] = (partition.balances, partition.trips)
    for rows in tables:
        left = [(key, rows.encode(rows[key])) for key in rows]
        old, copies = first.encode(), []
        for group in groups[1:]:
            copies += [(key.replace(first, group).encode(), value.replace(old, group.encode())) for key, value in left]
        rows.restore(copies)
    partition.members.take_changes()
    _settle_memory()
    return partition


def _settle_memory() -> None:
    """As a worker does after its restore: rows stay, and the collector need not look at them again."""
    gc.collect()
    gc.freeze()


def _events(partition: Partition, groups: Iterator[str] | Sequence[str], run: str) -> Iterator[Told]:
    at, offset = now_us(), 0
    for number, group in enumerate(groups):
        for upstream in even_life(group, f"{run}-{number}", at):
            yield partition.record(upstream, offset)
            offset += 1


def _measure(partition: Partition, events: Sequence[Told]) -> float:
    begun = time.thread_time_ns()
    for start in range(0, len(events), BATCH_RECORDS):
        partition.take(events[start : start + BATCH_RECORDS])
    return (time.thread_time_ns() - begun) / len(events) / 1_000


def apart() -> dict[str, Any]:
    """`measure` in a process of its own, whose memory nothing else has filled. Raises CalledProcessError."""
    done = subprocess.run([sys.executable, "-m", "benchmarks.flatness"], stdout=subprocess.PIPE, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def measure() -> dict[str, Any]:
    """Both series: {"books": {count: {"us": median, "min": …, "max": …}}, "entries": {…}}."""
    codec = Codec(Numbers())
    of_books(1_000, codec)  # warm
    gc.disable()  # what a worker's collector does seldom would fall on one point or another
    series: dict[str, Any] = {"books": {}, "entries": {}}
    for count in BOOKS:
        series["books"][str(count)] = _summary(of_books(count, codec))
        gc.unfreeze()
        gc.collect()
    for count in ENTRIES:
        series["entries"][str(count)] = _summary(of_entries(count, codec))
        gc.unfreeze()
        gc.collect()
    return series


def _summary(passes: Sequence[float]) -> dict[str, float]:
    return {"us": statistics.median(passes), "min": min(passes), "max": max(passes)}


def main() -> None:
    """Measure both series, and write them as JSON to standard output."""
    sys.stdout.write(json.dumps(measure(), indent=1) + "\n")


if __name__ == "__main__":
    main()
