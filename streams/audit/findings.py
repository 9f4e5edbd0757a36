"""What an audit finds: differences as values, of one enumerated kind each."""

from collections import Counter
from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple

KEPT = 50
"""Findings kept of each kind. All are counted; one broken table must not fill the memory."""


class Kind(StrEnum):
    """Kinds of findings, grouped by what they contradict."""

    # the journal, by itself
    TRUNCATED = "truncated"
    UNREADABLE = "unreadable"
    MISPLACED = "misplaced"
    ILLEGAL_ENTRY = "illegal_entry"
    ILLEGAL_LINE = "illegal_line"
    LOCK_MISUSED = "lock_misused"
    LOTS_MISUSED = "lots_misused"
    OVERDRAWN = "overdrawn"
    UNBALANCED = "unbalanced"
    LOCK_OVERDUE = "lock_overdue"
    LOT_OVERDUE = "lot_overdue"
    # inputs, their outcomes, and the events that tell of them
    DECISION_TWICE = "decision_twice"
    EFFECT_TWICE = "effect_twice"
    NO_ORIGINAL = "no_original"
    NO_OUTCOME = "no_outcome"
    TWO_OUTCOMES = "two_outcomes"
    NO_CAUSE = "no_cause"
    OUTCOME_UNCOMMITTED = "outcome_uncommitted"
    UNPROCESSED = "unprocessed"
    LETTER_DIFFERS = "letter_differs"
    EVENT_MISSING = "event_missing"
    EVENT_UNCOUNTED = "event_uncounted"
    BILLS_DIFFER = "bills_differ"
    DEPOSITS_DIFFER = "deposits_differ"
    ACCOUNTS_DIFFER = "accounts_differ"
    MONEY_DIFFERS = "money_differs"
    DEALS_DIFFER = "deals_differ"
    # what should follow from the journal
    TABLE_DIFFERS = "table_differs"
    PROJECTION_DIFFERS = "projection_differs"
    STATEMENT_GAP = "statement_gap"
    STATEMENT_DIFFERS = "statement_differs"
    # the audit itself
    NOT_QUIET = "not_quiet"


MEANING: dict[Kind, str] = {
    Kind.TRUNCATED: "a topic no longer holds its beginning, so nothing can be proved from it",
    Kind.UNREADABLE: "a record is no message of its topic",
    Kind.MISPLACED: "an entry is under another key than its book, or entry or row on another partition",
    Kind.ILLEGAL_ENTRY: "an entry that is refused or repeated moves money, or has no reason",
    Kind.ILLEGAL_LINE: "a line breaks double entry",
    Kind.LOCK_MISUSED: "a line takes from a lock what the lock does not hold",
    Kind.LOTS_MISUSED: "a line takes from lots what the lots do not hold",
    Kind.OVERDRAWN: "an account that may not be overdrawn is below zero",
    Kind.UNBALANCED: "debits and credits of a currency differ",
    Kind.LOCK_OVERDUE: "a lock is still open after its deadline",
    Kind.LOT_OVERDUE: "a lot's free money is still spendable after its day",
    Kind.DECISION_TWICE: "one decision stands twice in the journal",
    Kind.EFFECT_TWICE: "one upstream message was accepted twice",
    Kind.NO_ORIGINAL: "an entry says that it repeats one that is not there",
    Kind.NO_OUTCOME: "a record was consumed and has no outcome",
    Kind.TWO_OUTCOMES: "a record has more than one outcome",
    Kind.NO_CAUSE: "an outcome names a record that does not exist",
    Kind.OUTCOME_UNCOMMITTED: "a record has an outcome, but will be consumed again",
    Kind.UNPROCESSED: "records wait to be consumed",
    Kind.LETTER_DIFFERS: "a dead letter does not hold the record that it buries",
    Kind.EVENT_MISSING: "an event that a journal entry counts is not there",
    Kind.EVENT_UNCOUNTED: "an event is there that no journal entry counts, or is there again",
    Kind.BILLS_DIFFER: "what the events say is owed of bills is not what the journal says",
    Kind.DEPOSITS_DIFFER: "what the events say of deposits is not what the journal says, or contradicts itself",
    Kind.ACCOUNTS_DIFFER: "a dealer's account is opened twice, not as its steps say, or with what is another account's",
    Kind.MONEY_DIFFERS: "what the events say of dealers' payments is not what the journal says, or contradicts itself",
    Kind.DEALS_DIFFER: "what lots, deals, commission rates and bills say of each other does not agree",
    Kind.TABLE_DIFFERS: "a table's changelog is not the fold of the journal",
    Kind.PROJECTION_DIFFERS: "a projection is not the fold of the journal, or of the events",
    Kind.STATEMENT_GAP: "the numbers of an account's statement lines have a gap",
    Kind.STATEMENT_DIFFERS: "a statement line is not what the journal says",
    Kind.NOT_QUIET: "something was written while the audit read: repeat it on a quiet system",
}


class Finding(NamedTuple):
    """One difference: of which kind, where, what should be there, and what is."""

    kind: Kind
    where: str
    expected: str
    found: str


class Findings:
    """Findings as they come: all are counted, the first of each kind are kept."""

    def __init__(self) -> None:
        self.counts: Counter[Kind] = Counter()
        self.kept: list[Finding] = []

    def add(self, finding: Finding) -> None:
        """Take one finding."""
        self.counts[finding.kind] += 1
        if self.counts[finding.kind] <= KEPT:
            self.kept.append(finding)

    def extend(self, findings: Iterable[Finding]) -> None:
        """Take several findings."""
        for finding in findings:
            self.add(finding)

    def take(self, others: "Findings") -> None:
        """Take all that another collection has counted and kept."""
        self.counts.update(others.counts)
        self.kept.extend(others.kept)

    def __len__(self) -> int:
        return self.counts.total()
