"""Trip life as a part of the whole benchmark: rounds, latency at two rates, profile."""

from dataclasses import dataclass, field

from benchmarks.contest import Say
from benchmarks.latency import BRISK, SLOW, Latency
from benchmarks.profiling import Profile
from benchmarks.speed import Speed
from benchmarks.trips import latency, profile, run
from benchmarks.trips.city import City
from benchmarks.trips.lives import EVENTS_OF_A_LIFE

LIVES = 40_000


@dataclass(frozen=True)
class Plan:
    """What to measure, and whether the auditor proves each round beside the model."""

    lives: int = LIVES
    rounds: int = 3
    audit: bool = True
    latency: bool = False
    profile: bool = False


@dataclass
class Results:
    """What was measured."""

    plan: Plan
    speeds: list[Speed] = field(default_factory=list)
    latencies: list[Latency] = field(default_factory=list)
    audited: int = 0
    """Decisions that the auditor has folded, in all rounds."""
    profile: Profile | None = None


def hold(plan: Plan, city: City, say: Say) -> Results:
    """Run the whole plan. Raises AttemptError as soon as anything is wrong."""
    results = Results(plan)
    for number in range(1, plan.rounds + 1):
        seen = run.run(city, plan.lives, seed=run.SEED + number, audit=plan.audit)
        results.speeds.append(seen.speed)
        results.audited += seen.audited
        say(f"trip life, round {number}: {seen.speed.events_per_s:,.0f}/s, others used {seen.speed.other_cores:.1f} "
            f"cores, the auditor folded {seen.audited:,} decisions")  # fmt: skip
    for pace in (SLOW, BRISK) if plan.latency else ():
        found = latency.run(city, pace)
        results.latencies.append(found)
        say(f"trip life, latency at {pace.rate_per_s}/s: p50 {found.p50_ms:.1f} ms, p99 {found.p99_ms:.1f} ms")
    if plan.profile:
        results.profile = profile.profile(city, seen, plan.lives // 4)
    return results


def events(plan: Plan) -> int:
    """About how many events a round has."""
    return plan.lives * EVENTS_OF_A_LIFE
