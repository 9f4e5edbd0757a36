"""What the pipeline counts of its decisions and its money, for Prometheus (PIPE-11)."""

from collections.abc import Iterable
from functools import cache

from prometheus_client import Counter

from schemas.ledger import JournalLine, Outcome
from schemas.refusals import Reason

DECISIONS = Counter("millrace_decisions", "Decisions by outcome", ["room", "outcome"])
REFUSALS = Counter("millrace_refusals", "Refused commands by reason", ["room", "reason"])
MONEY = Counter(
    "millrace_money_minor",
    "Money by step and by the classes of its accounts, in minor units",
    ["room", "step", "debit", "credit", "currency"],
)

# Finding the child of a labelled metric costs more than counting.
_decisions, _refusals, _money = cache(DECISIONS.labels), cache(REFUSALS.labels), cache(MONEY.labels)


def decided(room: str, outcome: Outcome, reason: Reason | None) -> None:
    """Count one decision."""
    _decisions(room, outcome).inc()
    if reason is not None:
        _refusals(room, reason).inc()


def moved(room: str, lines: Iterable[JournalLine]) -> None:
    """Count the money of one decision, by account class: `trips/msp-7` counts as `trips`."""
    for line in lines:
        debit, credit = line.debit.partition("/")[0], line.credit.partition("/")[0]
        _money(room, line.step, debit, credit, line.currency).inc(line.amount_minor)
