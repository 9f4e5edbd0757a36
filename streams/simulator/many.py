"""Many runs, side by side in processes."""

import multiprocessing
from collections.abc import Iterable, Iterator

from streams.simulator.run import Outcome, run, script_of

CHUNK = 8


def run_seed(seed: int) -> Outcome:
    """The run of one seed."""
    return run(script_of(seed))


def run_seeds(seeds: Iterable[int], processes: int) -> Iterator[Outcome]:
    """The runs of these seeds, in their order; in this process if there is to be one."""
    if processes <= 1:
        yield from map(run_seed, seeds)
        return
    with multiprocessing.get_context("fork").Pool(processes) as pool:
        yield from pool.imap(run_seed, seeds, CHUNK)
