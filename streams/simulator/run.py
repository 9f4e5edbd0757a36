"""One run: from a seed, or a script, to what came of it."""

import gc
import logging
import traceback
from collections import Counter
from functools import cache
from typing import NamedTuple

from schemas.codec import Codec
from streams.audit.wire import Wire
from streams.demo.world import Scale
from streams.simulator.evidence import new_wire
from streams.simulator.invariants import differences
from streams.simulator.reference import Debezium
from streams.simulator.registry import MemoryRegistry
from streams.simulator.script import SCALE, Script, write_script
from streams.simulator.worker import Contracts
from streams.simulator.world import World

TRACEBACK_LINES = 12


class Outcome(NamedTuple):
    """What came of a run. `problems` is empty where all is right."""

    seed: int
    commands: int
    problems: list[str]
    survived: Counter[str]
    transactions: int

    @property
    def kind(self) -> str:
        """What kind of problem came first: two failures of one kind count as the same."""
        return self.problems[0].partition(":")[0] if self.problems else ""


class Studio(NamedTuple):
    """What all runs of a process share."""

    contracts: Contracts
    debezium: Debezium
    wire: Wire


@cache
def studio() -> Studio:
    """Made once: codecs take a while."""
    for name in ("streams.runtime", "streams.simulator"):
        logging.getLogger(name).setLevel(logging.CRITICAL)  # workers die by the thousand, and each says why
    registry = MemoryRegistry()
    return Studio(Contracts(Codec(registry), registry), Debezium(registry), new_wire(registry))


def script_of(seed: int, scale: Scale = SCALE) -> Script:
    """The script of a seed."""
    made = studio()
    return write_script(seed, made.contracts.codec.encode, made.debezium, scale)


def run(script: Script) -> Outcome:
    """Run a script, and look at everything it has left behind."""
    made = studio()
    gc.disable()  # one run makes little garbage, and looking for it takes a tenth of the time
    world = World(script, made.contracts)
    problems: list[str] = []
    try:
        world.run()
        workers = [machine.worker for machine in world.machines if machine.worker is not None]
        problems += differences(world.broker, workers, made.wire)
    except Exception as error:  # noqa: BLE001  whatever a run raises is its outcome
        end = traceback.format_exc().splitlines()[-TRACEBACK_LINES:]
        problems.append("\n".join([f"{type(error).__name__}: {error}", *end]))
    gc.enable()
    committed = sum(machine.transactions for machine in world.machines)
    return Outcome(script.seed, len(script.sends), problems, world.survived, committed)
