"""`python -m tests.torture`. Exits 1 if a single figure is wrong; the seed is in the report."""

import random
import sys
import time

import click

from stack.api import Network
from tests.torture.run import folder_of, report, run
from tests.torture.system import System


@click.command()
@click.option("--minutes", default=30.0, show_default=True, type=click.FloatRange(min=0.1), help="of torment")
@click.option("--seed", type=int, help="of load and faults; any if none is given")
@click.option("--rate", default=150.0, show_default=True, help="upstream records a second")
@click.option("--only", default="", metavar="WORD", help="faults with this word in their name")
@click.option("--brokers", type=click.Choice(["1", "3"]), default="1", show_default=True)
@click.option("--proxied", is_flag=True, help="Toxiproxy before the brokers, and faults of the network; needs Go")
@click.option("--instance", default="torture", show_default=True, help="of the stack; it is made anew and removed")
def torture(
    *, minutes: float, seed: int | None, rate: float, only: str, brokers: str, proxied: bool, instance: str
) -> None:
    """No penny wrong under any fault: load, faults, and proof."""
    seed = random.SystemRandom().randrange(1_000_000) if seed is None else seed
    folder, begun = folder_of(instance), time.monotonic()

    def say(text: str) -> None:
        print(f"{time.monotonic() - begun:7.1f} s  {text}", flush=True)

    say(f"seed {seed}; logs in {folder}")
    network = Network.PROXIED if proxied else Network.DIRECT
    system = System(instance, folder, seed, say, int(brokers), network)
    try:
        system.start()
        result = run(system, seed, minutes * 60, rate, only)
    finally:
        system.close()
    print(report(result))
    sys.exit(1 if result.differences else 0)


if __name__ == "__main__":
    torture()
