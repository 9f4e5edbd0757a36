"""What an audit says: what it counted, and what it found."""

from dataclasses import dataclass, field
from typing import Any

from streams.audit.findings import Findings


@dataclass(frozen=True)
class Report:
    """Counts of what was proved, and the findings. `sums` are minor units by currency, then by name of the sum."""

    inputs: dict[str, int]
    outcomes: dict[str, int]
    dead_letters: dict[str, int]
    lines: int
    books: int
    accounts: int
    open_locks: int
    statement_lines: int
    projections: tuple[str, ...]
    sums: dict[str, dict[str, int]]
    findings: Findings = field(default_factory=Findings)

    @property
    def clean(self) -> bool:
        """Whether nothing differs."""
        return not len(self.findings)

    @property
    def decisions(self) -> int:
        """Journal entries."""
        return sum(self.outcomes.values())

    def as_json(self) -> dict[str, Any]:
        """The report for programs. Of each kind of finding, all are counted and the first are shown."""
        return {
            "clean": self.clean,
            "inputs": self.inputs,
            "decisions": self.decisions,
            "outcomes": self.outcomes,
            "dead_letters": self.dead_letters,
            "lines": self.lines,
            "books": self.books,
            "accounts": self.accounts,
            "open_locks": self.open_locks,
            "statement_lines": self.statement_lines,
            "projections": list(self.projections),
            "sums": self.sums,
            "finding_counts": {kind.value: count for kind, count in self.findings.counts.items()},
            "findings": [finding._asdict() for finding in self.findings.kept],
        }
