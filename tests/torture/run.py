"""One run: start everything, load it, torment it, let it come to rest, and prove every figure."""

import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from tests.torture import kafka
from tests.torture.adversary import Adversary
from tests.torture.crew import CHECKOUT
from tests.torture.events import BETWEEN_BOOKS, UPSTREAM
from tests.torture.faults import Clock, faults
from tests.torture.load import Load
from tests.torture.system import GROUP, System
from tests.torture.verifier import files, tables
from tests.torture.verifier.check import TICKS, Check
from tests.torture.verifier.differences import Differences
from tests.torture.verifier.model import Model
from tests.torture.wire import Wire

DRAIN_S = 600.0
AUDIT_S = 900.0
LAST_TICK_H = 120
"""The last tick is this far ahead: all that waits falls due, and every accounting day with lines is closed."""


class Result(NamedTuple):
    """What a run has to tell. It is good if `differences` is empty."""

    seed: int
    survived: Counter[str]
    exits: Counter[tuple[str, int]]
    inputs: int
    unconfirmed: int
    """Inputs beyond those that a broker confirmed: the load's client wrote them again when an answer was lost. They are
    repetitions like any other."""
    outcomes: Counter[str]
    files: int
    differences: Counter[str]
    kept: list[str]
    drain_s: float
    seconds: float


def run(system: System, seed: int, seconds: float, rate: float, only: str = "") -> Result:
    """Torment a started system for so long, with the faults that have the word `only` in their name.

    Raises AssertionError where it does not come to rest.
    """
    begun = time.monotonic()
    wire = Wire(system.settings.registry)
    servers = system.settings.kafka
    clock = Clock(servers, wire)
    load = Load(servers, wire, system.facts, seed, rate)
    load.start()
    drawn = [each for each in faults(clock, system.stack) if only in each.name]
    adversary = Adversary(system, drawn, seed)
    adversary.torment(seconds)
    system.say("the adversary rests; waiting for all outcomes")
    load.stop()
    drained = time.monotonic()
    _await_consumed(servers, UPSTREAM)
    system.await_tiers(wire)
    ticked = clock.tick(LAST_TICK_H)
    _await_consumed(servers, (TICKS,))
    drain_s = time.monotonic() - drained
    system.say(f"at rest after {drain_s:.0f} s; verifying {load.delivered} inputs")
    return _verify(system, wire, adversary, load, ticked, drain_s, begun)


def _await_consumed(servers: str, topics: Sequence[str]) -> None:
    """Until these are decided, and then what books have told each other because of it."""
    kafka.await_consumed(servers, GROUP, topics, DRAIN_S)
    for topic in BETWEEN_BOOKS:
        kafka.await_decided(servers, GROUP, (topic,), DRAIN_S)


def _verify(
    system: System, wire: Wire, adversary: Adversary, load: Load, ticked: int, drain_s: float, begun: float
) -> Result:
    settings = system.settings
    check = Check(settings.kafka, wire, Model(system.facts, tiers=system.tiers()))
    differences = check.run()
    if check.given < load.delivered:
        gone = [place for place in load.confirmed if "/-" not in place and place not in check.inputs]
        differences.add("input", f"{load.delivered} records were confirmed, {check.given} are there, not {gone[:20]}")
    tables.check(settings.kafka, settings.postgres, wire, check.model, differences, ticked)
    written = files.check(settings.kafka, settings.postgres, system.blob, wire, check.model, differences)
    _audit(system, differences)
    return Result(
        adversary.seed, adversary.survived, system.crew.exits, check.given, max(0, check.given - load.delivered),
        check.outcomes, written, differences.counts, differences.kept, drain_s, time.monotonic() - begun,
    )  # fmt: skip


def _audit(system: System, differences: Differences) -> None:
    """The product's own auditor is another witness; it sees no inputs' content, but is what operators believe."""
    environment = {**os.environ, "MILLRACE_ENV_FILE": str(system.env_file)}
    command = [sys.executable, "-m", "streams", "audit", "--wait", "300"]
    said = subprocess.run(command, cwd=CHECKOUT, env=environment, capture_output=True, text=True, timeout=AUDIT_S,
                          check=False)  # fmt: skip
    system.say(f"the auditor ended with {said.returncode}")
    if said.returncode:
        differences.add("auditor", f"ended with {said.returncode}: {(said.stdout + said.stderr)[-2_000:]}")


def report(result: Result) -> str:
    """For people: the faults survived, and every difference found."""
    rows = [f"  {count:4}  {name}" for name, count in sorted(result.survived.items())]
    exits = ", ".join(f"{name} {code}: {count}" for (name, code), count in sorted(result.exits.items()))
    outcomes = ", ".join(f"{count:,} {name}" for name, count in sorted(result.outcomes.items()))
    lines = [
        f"seed {result.seed}: {result.survived.total()} faults in {result.seconds:.0f} s", *rows,
        f"  {result.inputs:,} inputs: {outcomes}; {result.files:,} files; at rest after {result.drain_s:.0f} s",
        f"  of the inputs {result.unconfirmed} were written again by the load's client, for want of an answer",
        f"  started again after exit code: {exits or 'none'}",
    ]  # fmt: skip
    if result.differences:
        counted = ", ".join(f"{kind} {count}" for kind, count in sorted(result.differences.items()))
        lines += [f"  DIFFERENCES: {counted}", *(f"    {each}" for each in result.kept)]
    else:
        lines.append("  no penny wrong")
    return "\n".join(lines)


def folder_of(instance: str) -> Path:
    """Where a run's logs and files lie; they stay."""
    path = Path(__file__).parents[2] / "build" / "torture" / f"{instance}-{time.strftime('%Y%m%d-%H%M%S')}"
    path.mkdir(parents=True)
    return path
