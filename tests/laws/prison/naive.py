"""What must stand in prison finance, in dicts and lists and without a line of the room's code; `rules`
decides.

It keeps what stands and what is pending, every general-ledger line that must have been written, and ends accounting
days.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

Fields = dict[str, Any]
Movement = tuple[str, str, int]
"""Debit, credit, pence."""

LONDON = ZoneInfo("Europe/London")
MINUTE_US = 60_000_000
DAY_US = 1_440 * MINUTE_US
QUARTER_US = 90 * DAY_US
MEMORY_US = 8 * DAY_US
"""Ids: seven days, and one more that a backlog may take."""


class No(Exception):
    """Why not."""


class Line(NamedTuple):
    """One general-ledger line."""

    id: str
    who: str
    transaction: str
    side: str
    account: str
    amount: int
    code: str
    cost_centre: str
    prison: str
    day: date
    text: str
    reverses: str | None
    corrects: str | None


class NaivePrison:
    """One partition, in pence. Reference data is edited in place."""

    def __init__(self, today: date) -> None:
        self.prisoners: dict[str, Fields] = {}
        self.prisons: dict[str, Fields] = {}
        self.officers: dict[str, Fields] = {}
        self.codes: dict[str, str] = {}
        """Of the general ledger, by account; suppliers' too."""
        self.stands: defaultdict[str, Counter[str]] = defaultdict(Counter)
        """By prisoner and account: credits less debits."""
        self.held: defaultdict[str, dict[str, list[Movement]]] = defaultdict(dict)
        """By prisoner and purchase."""
        self.purchases: dict[tuple[str, str], Fields] = {}
        self.advances: defaultdict[str, list[Fields]] = defaultdict(list)
        self.transactions: dict[tuple[str, str], Fields] = {}
        self.used: dict[str, tuple[date, int]] = {}
        self.lines: list[Line] = []
        self.open_day = today
        self.answers: dict[tuple[str, str], str] = {}
        """By batch and purchase: the last that a batch must have heard."""
        self.seen: dict[tuple[str, str], tuple[Any, int]] = {}

    def held_of(self, who: str) -> list[Movement]:
        """What is pending."""
        return [each for movements in self.held[who].values() for each in movements]

    def available(self, who: str, account: str) -> int:
        """What stands on a sub-account and is not pending."""
        return self.stands[who][account] - sum(amount for debit, _, amount in self.held_of(who) if debit == account)

    def post(self, who: str, movements: Iterable[Movement]) -> None:
        for debit, credit, amount in movements:
            self.stands[who][debit] -= amount
            self.stands[who][credit] += amount

    def write(
        self, who: str, transaction: str, of: Fields, text: str, movements: Iterable[Movement], at: int,
        reverses: str | None = None, corrects: Iterable[Line] = (),
    ) -> None:  # fmt: skip
        """Two lines for each movement, on the open day or a later one, with the codes and the prison that it has."""
        day = min(max(london(at), self.open_day), self.open_day + timedelta(31))
        before = iter(corrects)
        row = self.transactions.setdefault((who, transaction), {"entries": 0, "open": []})
        row |= {"state": "written", "until": None}
        for movement in movements:
            row["entries"] += 1
            for side, account in zip(("debit", "credit"), movement[:2], strict=True):
                old = next(before, None)
                line = Line(
                    f"{who}/{transaction}/{day}/{row['entries']}/{side}", who, transaction, side, account, movement[2],
                    of["codes"][account], of["cost_centre"], of["prison"], day, text, reverses, old and old.id,
                )  # fmt: skip
                row["open"].append(line)
                self.lines.append(line)

    # ---- time

    def tick(self, now: int) -> list[tuple[date, int, int, int]]:
        """What falls due; the days that end, each with its lines, debit and credit."""
        for (who, purchase_id), row in list(self.purchases.items()):
            if row["until"] <= now and row["state"] == "pending":
                self.void(who, purchase_id, row, "timed_out", now)
            elif row["until"] <= now:
                del self.purchases[who, purchase_id]
        for key, row in list(self.transactions.items()):
            if row["until"] is not None and row["until"] <= now:
                del self.transactions[key]
        self.seen = {used: known for used, known in self.seen.items() if known[1] + MEMORY_US > now}
        ended = []
        while self.open_day < london(now) and len(ended) < 31:
            mine = [line for line in self.lines if line.day == self.open_day]
            sums = [sum(line.amount for line in mine if line.side == side) for side in ("debit", "credit")]
            ended.append((self.open_day, len(mine), *sums))
            self.open_day += timedelta(1)
        return ended

    # ---- purchases

    def purchase(self, fields: Fields) -> Fields:
        """A purchase that a command may speak of; a batch knows its own only."""
        row = self.purchases.get((fields["prisoner_id"], fields["purchase_id"]))
        if row is None or fields.get("batch_id", row["batch"]) != row["batch"]:
            raise No("not_found")
        return row

    def end(self, purchase_id: str, row: Fields, state: str, at: int) -> None:
        row |= {"state": state, "until": max(at, row["submitted_at"]) + QUARTER_US}
        if row["batch"] and state != "processed":
            self.answers[row["batch"], purchase_id] = state

    def void(self, who: str, purchase_id: str, row: Fields, state: str, at: int) -> None:
        self.end(purchase_id, row, state, at)
        del self.held[who][purchase_id]
        self.advances[who] = [each for each in self.advances[who] if each["id"] != purchase_id]
        if row["limit_day"] is not None and self.used[who][0] == row["limit_day"]:
            day, used = self.used[who]
            self.used[who] = day, used - sum(amount for _, _, amount in row["parts"])

    def lent(self, who: str, advance_id: str) -> Fields | None:
        return next((each for each in self.advances[who] if each["id"] == advance_id), None)

    def repay(self, who: str, lent: Fields, amount: int) -> None:
        lent["left"] -= amount
        if not lent["left"]:
            self.advances[who].remove(lent)


def london(at: int) -> date:
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=at)).astimezone(LONDON).date()


def in_pounds(money: Fields) -> int:
    if money["currency"] != "GBP":
        raise No("currency_mismatch")
    return int(money["amount_minor"])


def described(text: str, at: int, id_: str) -> str:
    return f"{text[:110]} - {london(at):%d.%m.%Y} - {id_}"
