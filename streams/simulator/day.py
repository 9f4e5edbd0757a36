"""The demo's day in this process: the same inputs, the same pipeline, the same audit, and no server."""

import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from itertools import chain

from schemas.ledger import AccountBalance
from schemas.topics import BALANCES, PARTITIONS, TOPICS
from streams.demo.day import Phase, Programme, make_day
from streams.demo.run import Result
from streams.demo.show import BalanceSum
from streams.demo.watch import Tally
from streams.demo.world import Scale, make_world
from streams.simulator.billing import GOOD
from streams.simulator.evidence import audit, visible
from streams.simulator.kafka.broker import Broker
from streams.simulator.kafka.messages import Place
from streams.simulator.reference import later_rate, rows_of
from streams.simulator.run import Studio, studio
from streams.simulator.script import Script, Send, reference_sends, send_of, ticks_in_time
from streams.simulator.world import Berth, World

BATCH_RECORDS = 2_000


def run_day(
    seed: int, scale: Scale, said: Callable[[str, int, int], None], make: Programme = make_day
) -> tuple[Result, list[BalanceSum]]:
    """The day, or another programme, to the audit; `said` hears of each phase: its name, records done and in all."""
    began, made = time.monotonic(), studio()
    encode = made.contracts.codec.encode
    reference = make_world(seed, scale)
    crew = [Berth("demo", BATCH_RECORDS, is_wanted=True)]
    world = World(Script(seed, (), (), ()), made.contracts, crew, GOOD)
    _play(world, "reference data", list(reference_sends(0.0, [*rows_of(reference), later_rate()], made.debezium)), said)
    working, inputs = time.monotonic(), 0
    for phase in make(seed, scale, reference, encode):
        inputs += len(phase.records)
        _play(world, phase.name, [send_of(0.0, record, encode) for record in phase.records], said)
        _tick(world, phase, made)
    worked_s = time.monotonic() - working
    report = audit(world.broker, made.wire)
    tally = Tally(made.contracts.codec)
    for topic in TOPICS:
        for partition in range(PARTITIONS):
            for record in visible(world.broker, Place(topic.name, partition)):
                tally.count(record)
    balances = list(sums_of(world.broker, made))
    return Result(tally, report, [], [], "", inputs, time.monotonic() - began, worked_s), balances


def _play(world: World, name: str, sends: list[Send], said: Callable[[str, int, int], None]) -> None:
    said(name, 0, len(sends))
    world.send(sends)
    world.work_off()
    said(name, len(sends), len(sends))


def _tick(world: World, phase: Phase, made: Studio) -> None:
    world.send(ticks_in_time(phase.tick_us, made.contracts.codec.encode))
    world.work_off()


def sums_of(broker: Broker, made: Studio) -> Iterator[BalanceSum]:
    """The projection of balances, summed by kinds of books and accounts as the demo does it in Postgres."""
    records = chain.from_iterable(visible(broker, Place(BALANCES.name, number)) for number in range(PARTITIONS))
    latest = {record.key(): record.value() for record in records}
    grouped: dict[tuple[str, str, str], list[AccountBalance]] = defaultdict(list)
    for value in latest.values():
        balance = made.contracts.codec.decode(BALANCES, value)
        assert isinstance(balance, AccountBalance)
        kinds = balance.book.partition(":")[0], balance.account.partition("/")[0]
        grouped[*kinds, balance.currency].append(balance)
    for kind, balances in sorted(grouped.items()):
        posted, available = (
            sum(getattr(each, name) for each in balances) for name in ("balance_minor", "available_minor")
        )
        yield BalanceSum(*kind, len(balances), posted, available)
