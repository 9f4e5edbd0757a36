"""The contest: every contestant in turn, in each round in another order."""

import random
import statistics
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import NamedTuple

from benchmarks import install, latency, profiling, speed, work
from benchmarks.broker import Broker
from benchmarks.contestants import BARE_LOOP, MILLRACE, Contestant
from benchmarks.latency import BRISK, SLOW, Latency
from benchmarks.profiling import Profile
from benchmarks.speed import Speed
from benchmarks.work import Outcome

WARM_UP = 60_000
Say = Callable[[str], None]


@dataclass(frozen=True)
class Plan:
    """What to measure."""

    contestants: Sequence[Contestant]
    commands: int
    rounds: int
    seed: int
    latency: bool = False
    profile: bool = False


@dataclass
class Results:
    """What was measured, by contestant's name."""

    plan: Plan
    speeds: dict[str, list[Speed]] = field(default_factory=dict)
    latencies: dict[str, list[Latency]] = field(default_factory=dict)
    profile: Profile | None = None


class Spread(NamedTuple):
    """Of one figure over all rounds."""

    min: float
    median: float
    max: float


def spreads(speeds: Sequence[Speed]) -> dict[str, Spread]:
    """The spread of each figure of `Speed`."""
    columns = {name: [asdict(speed)[name] for speed in speeds] for name in asdict(speeds[0])}
    return {name: Spread(min(seen), statistics.median(seen), max(seen)) for name, seen in columns.items()}


class Work:
    """Topics full of commands, each made once, with the outcomes they must give."""

    def __init__(self, broker: Broker) -> None:
        self.broker = broker
        self._made: dict[int, tuple[str, Counter[Outcome]]] = {}

    def of(self, count: int) -> tuple[str, Counter[Outcome]]:
        """The topic with `count` commands."""
        if count not in self._made:
            topic = f"commands-{count}"
            self.broker.fill(topic, work.commands(count))
            self._made[count] = topic, work.model(work.commands(count))
        return self._made[count]


def hold(plan: Plan, topics: Work, say: Say) -> Results:
    """Run the whole plan. Raises AttemptError as soon as a contestant fails."""
    for each in plan.contestants:
        if each.needs is not None:
            install.ensure(each.needs, say)
    broker, results = topics.broker, Results(plan)
    for each in plan.contestants:
        topics.of(min(plan.commands, each.most_commands))
    say("warming the broker")
    speed.run(BARE_LOOP, broker, *topics.of(min(plan.commands, WARM_UP)))
    order, dice = list(plan.contestants), random.Random(plan.seed)
    for number in range(1, plan.rounds + 1):
        dice.shuffle(order)
        for each in order:
            seen, _ = speed.run(each, broker, *topics.of(min(plan.commands, each.most_commands)))
            results.speeds.setdefault(each.name, []).append(seen)
            say(f"round {number}: {each.name} {seen.events_per_s:,.0f}/s, others used {seen.other_cores:.1f} cores")
    for each in plan.contestants if plan.latency else ():
        for pace in (SLOW, BRISK) if each is MILLRACE else (SLOW,):
            found = latency.run(each, broker, pace)
            results.latencies.setdefault(each.name, []).append(found)
            say(f"latency at {pace.rate_per_s}/s: {each.name} p50 {found.p50_ms:.1f} ms, p99 {found.p99_ms:.1f} ms")
    if plan.profile:
        results.profile = profiling.run(broker, *topics.of(plan.commands))
    return results
