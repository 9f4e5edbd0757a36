"""The room of mobility: which process answers which message, over one partition of its tables."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple, assert_never

from schemas.fields import Contract, Fact
from schemas.mobility import (
    BudgetDeposited,
    BudgetExpired,
    ChargeCard,
    DepositBudget,
    GroupMember,
    Refused,
    TripCancelled,
    TripEnded,
    TripEndWaits,
    TripFundsLocked,
    TripReleased,
    TripSettled,
    TripStarted,
    VehiclePrice,
)
from streams.ledger import draft as drafts
from streams.ledger.accounts import Balance
from streams.ledger.draft import Draft, Ledger
from streams.ledger.tables import DueRows, Rows
from streams.mobility import deposit, trip
from streams.mobility.accounts import WALLET
from streams.mobility.trip import State, Trip
from streams.rooms import DUE_PER_TICK, DueDecision, Verdict

GROUP = "group:"


class Tables(NamedTuple):
    """One partition of what this room reads and writes."""

    trips: DueRows[Trip]
    prices: Rows[VehiclePrice]
    members: Rows[GroupMember]
    balances: DueRows[Balance]


class Mobility:
    """Decides deposits and trips of the groups in one partition."""

    name = "mobility"

    def __init__(self, tables: Tables, ledger: Ledger) -> None:
        self._tables = tables
        self._ledger = ledger

    def identity(self, message: Contract) -> str | None:
        """A deposit is made once; a trip's row knows the trip."""
        return f"deposit:{message.deposit_id}" if isinstance(message, DepositBudget) else None

    def decide(self, draft: Draft, message: Contract) -> Verdict:
        """Answer one upstream message."""
        tables = self._tables
        match message:
            case DepositBudget():
                return deposit.deposit(draft, message)
            case TripStarted():
                price = tables.prices.get(message.vehicle_id)
                member = tables.members.get(f"{draft.book}|{message.rider_id}")
                return trip.start(draft, self._trip(draft, message.trip_id), price, member, message)
            case TripEnded():
                return trip.end(draft, self._trip(draft, message.trip_id), message)
            case TripCancelled():
                return trip.cancel(draft, self._trip(draft, message.trip_id), message)
            case _:
                raise TypeError(f"{type(message).__name__} is no message of this room")

    def _trip(self, draft: Draft, trip_id: str) -> Trip | None:
        return self._tables.trips.get(f"{draft.book}|{trip_id}")

    def evolve(self, event: Fact) -> None:
        """Change the rows that an event changes."""
        match event:
            case TripFundsLocked() | TripEndWaits() | TripSettled() | TripReleased():
                key = f"{GROUP}{event.group_id}|{event.trip_id}"
                self._tables.trips[key] = trip.evolve(self._tables.trips.get(key), event)
            case BudgetDeposited() | BudgetExpired() | ChargeCard():
                pass  # the ledger's rows say it all
            case _:
                raise TypeError(f"{type(event).__name__} is no event of this room")

    def refusal(self, message: Contract, refused: drafts.Refused) -> list[Fact]:
        """The event that says no."""
        match message:
            case DepositBudget():
                group_id, refused_id = message.group_id, message.deposit_id
            case TripStarted() | TripEnded() | TripCancelled():
                group_id, refused_id = message.group_id, message.trip_id
            case _:
                raise TypeError(f"{type(message).__name__} is no message of this room")
        return [Refused(group_id=group_id, refused_id=refused_id, reason=refused.reason, figures=refused.figures)]

    def due(self, now: int) -> Iterable[DueDecision]:
        """Time out trips, forget ended ones, expire lots."""
        for key in self._tables.trips.due(now, DUE_PER_TICK):
            row = self._tables.trips.get(key)
            assert row is not None
            book, _, trip_id = key.partition("|")
            match row.state:
                case State.RUNNING | State.END_WAITS:
                    draft = Draft(book, now, self._ledger)
                    verdict = trip.time_out(draft, trip_id, book.removeprefix(GROUP), row)
                    yield DueDecision(f"{key}|{now}|timed_out", draft, verdict)
                case State.TIMED_OUT | State.SETTLED | State.RELEASED:
                    del self._tables.trips[key]
                case _:
                    assert_never(row.state)
        yield from self._lots_due(now)

    def _lots_due(self, now: int) -> Iterator[DueDecision]:
        """Expire lots, wallet by wallet: it is lots that make the work, and a wallet may have hundreds."""
        left = DUE_PER_TICK
        for key in self._tables.balances.due(now, DUE_PER_TICK):
            if left <= 0:
                return
            book, account, currency = key.split("|")
            assert account == WALLET.name
            balance = self._tables.balances.get(key)
            assert balance is not None
            draft = Draft(book, now, self._ledger)
            expired = deposit.expire(draft, book.removeprefix(GROUP), currency, now)
            left -= len(expired)
            yield DueDecision(f"{key}|{balance.entries}|expired", draft, expired)
