"""A machine and the worker that runs on it: started, stopped, frozen, dead, started again."""

from confluent_kafka import KafkaException

from streams.runtime.restore import RestoreStalledError
from streams.runtime.settings import Settings
from streams.runtime.transaction import TransactionError
from streams.simulator.adversary import AdversarialHost, Killed
from streams.simulator.invariants import check_books
from streams.simulator.kafka.host import Process
from streams.simulator.worker import Contracts, Worker

RESTART_S = 1.0

EXPECTED_ENDS = (TransactionError, KafkaException, RestoreStalledError)
"""How a worker may end under these faults; it is then started again. Anything else is a bug of ours."""


class Machine:
    """A machine and the worker that runs on it, if one does."""

    def __init__(self, host: AdversarialHost, settings: Settings, contracts: Contracts) -> None:
        self.host, self._settings, self._contracts = host, settings, contracts
        self.worker: Worker | None = None
        self.is_wanted = False
        self.is_busy = False
        """It is in the middle of its turn: paused."""
        self.wakes_at_s = 0.0
        self.deaths = 0
        self.transactions = 0

    def turn(self) -> None:
        """Let the worker do what comes next; a dead one is started."""
        self.is_busy = True
        try:
            self._thaw()
            if self.worker is None:
                self._start()
            elif not self.is_wanted:
                self._stop()
            else:
                self._check(self.worker.turn())
            self._sleep(0.0)
        except Killed:
            self._drop(self.host.restart_after_s)
        except EXPECTED_ENDS:
            self._drop(RESTART_S)
        finally:
            self.is_busy = False

    @property
    def is_settled(self) -> bool:
        """Awake, with tables restored and records flowing; or stopped, where no worker is wanted."""
        if not self.is_wanted:
            return self.worker is None
        return self.worker is not None and bool(self.worker.partitions) and self.host.process.silent_since is None

    def freeze(self, seconds: float) -> None:
        """Stand still between two turns, and be heard of no more."""
        if self.worker is not None and not self.is_busy:
            self.host.process.silent_since = self.host.broker.now_s
            self.wakes_at_s = self.host.broker.now_s + seconds

    def _thaw(self) -> None:
        if self.worker is not None and self.host.process.silent_since is not None:
            self.host.broker.expire()
            self.host.process.silent_since = None

    def _start(self) -> None:
        self.host.process = Process()
        self.worker = Worker(self.host, self.host.outside, self._settings, self._contracts)
        self.worker.start()

    def _stop(self) -> None:
        assert self.worker is not None
        self.worker.stop()
        self.worker = None

    def _check(self, partitions: list[int]) -> None:
        assert self.worker is not None
        self.transactions += bool(partitions)
        check_books(self.worker.app.tables["balances"], partitions)

    def _drop(self, restart_after_s: float) -> None:
        self.deaths += 1
        self.host.process.silent_since = self.host.broker.now_s
        self.worker = None
        self._sleep(restart_after_s)

    def _sleep(self, seconds: float) -> None:
        host = self.host
        self.wakes_at_s = host.broker.now_s + host.lag_s + seconds
        host.lag_s = 0.0
