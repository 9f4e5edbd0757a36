"""Draws faults by a seed, one after the other and sometimes two at once, until its time is over."""

import random
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from tests.torture.faults import Fault
from tests.torture.system import System

TOGETHER = 0.35
PAUSE_S = (0.5, 4.0)


class Adversary:
    """`survived` counts what was done. The order of faults follows from the seed; their moments from the machine."""

    def __init__(self, system: System, faults: Sequence[Fault], seed: int) -> None:
        self._system, self._faults = system, list(faults)
        self._dice = random.Random(f"adversary {seed}")
        self.seed = seed
        self.survived: Counter[str] = Counter()

    def torment(self, seconds: float) -> None:
        """Break things for so long; returns when all is mended. Raises what a fault could not mend."""
        until = time.monotonic() + seconds
        with ThreadPoolExecutor(2, "fault") as pool:
            while time.monotonic() < until:
                drawn = self._draw()
                self._system.say(" and ".join(each.name for each in drawn))
                struck: list[Future[None]] = [
                    pool.submit(each.strike, self._system, random.Random(self._dice.random())) for each in drawn
                ]
                for each, done in zip(drawn, struck, strict=True):
                    done.result()
                    self.survived[each.name] += 1
                time.sleep(self._dice.uniform(*PAUSE_S))

    def _draw(self) -> list[Fault]:
        first = self._pick(self._faults)
        others = [each for each in self._faults if each.target != first.target]
        if self._dice.random() > TOGETHER or not others:
            return [first]
        return [first, self._pick(others)]

    def _pick(self, among: Sequence[Fault]) -> Fault:
        return self._dice.choices(among, [each.weight for each in among])[0]
