"""What the pipeline counts of its decisions and its money, for Prometheus (PIPE-11)."""

from collections.abc import Iterable

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


def decided(room: str, outcome: Outcome, reason: Reason | None) -> None:
    """Count one decision."""
    DECISIONS.labels(room, outcome).inc()
    if reason is not None:
        REFUSALS.labels(room, reason).inc()


def moved(room: str, lines: Iterable[JournalLine]) -> None:
    """Count the money of one decision, by account class: `trips/msp-7` counts as `trips`."""
    for line in lines:
        debit, credit = (name.partition("/")[0] for name in (line.debit, line.credit))
        MONEY.labels(room, line.step, debit, credit, line.currency).inc(line.amount_minor)
