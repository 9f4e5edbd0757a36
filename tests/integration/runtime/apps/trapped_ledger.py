"""The ledger app, whose producer stops or kills its process at one exact point of a transaction.

POINT is before_offsets, after_offsets or after_commit; SIG is KILL or STOP; NTH counts transactions from 1.
"""

import functools
import os
import signal
import sys
import threading
from typing import Any

from confluent_kafka import Producer

from streams.runtime import driver
from streams.runtime.transaction import Transactions

POINT, SIG, NTH = os.environ["POINT"], os.environ["SIG"], int(os.environ.get("NTH", "3"))


class Trap(Producer):
    count = 0
    is_set = True

    def at(self, point: str) -> None:
        if Trap.is_set and (point, Trap.count) == (POINT, NTH):
            Trap.is_set = False  # what is tried again after it must go through
            self.flush(5)
            print("TRAPPED", file=sys.__stderr__, flush=True)
            signal.pthread_kill(threading.get_ident(), signal.Signals[f"SIG{SIG}"])  # this thread goes no step further

    def begin_transaction(self) -> None:
        Trap.count += 1
        super().begin_transaction()

    def send_offsets_to_transaction(self, *args: Any) -> None:
        self.at("before_offsets")
        super().send_offsets_to_transaction(*args)
        self.at("after_offsets")

    def commit_transaction(self, *args: Any) -> None:
        super().commit_transaction(*args)
        self.at("after_commit")


driver.Transactions = functools.partial(Transactions, new_producer=Trap)

from ledger import app  # noqa: E402  the trap must be set before the app makes its transport

if __name__ == "__main__":
    app.main()
