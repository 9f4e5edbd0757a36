"""The examination: from evidence to a report, one step after the other. Pure but for what the evidence reads."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import NamedTuple

from streams.audit.books import Books
from streams.audit.chart import side_never_overdrawn
from streams.audit.compare import (
    balance_rows,
    compare,
    lock_rows,
    projected_balances,
    projected_locks,
    restored_balance,
    restored_lock,
    unbalanced,
)
from streams.audit.dealers import Dealers
from streams.audit.events import Events
from streams.audit.evidence import Evidence, Partition, Projection, Row, Span
from streams.audit.findings import Finding, Findings, Kind
from streams.audit.homes import rows_at_home, rows_elsewhere
from streams.audit.letters import Letters
from streams.audit.outcomes import Outcomes
from streams.audit.report import Report
from streams.audit.statements import Statements

OVERDUE_GRACE_US = 60_000_000
"""How long after its deadline a lock may still be open: ticks free a bounded number at a time."""


class Expected(NamedTuple):
    """What projections should show: the journal's fold, the side of each account, and the fold of dealers' events."""

    books: Books
    sides: Mapping[str, str]
    dealers: Dealers


def examine(evidence: Evidence, upstream: Collection[str], whole: Collection[str]) -> Report:
    """Audit everything. `upstream` topics need outcomes; `whole` topics must still hold their beginning."""
    findings = Findings()
    spans, committed = evidence.spans(), evidence.committed()
    truncated = list(_truncated(spans, whole))
    findings.extend(truncated)
    books, outcomes = Books(evidence.partitions()), Outcomes(upstream, spans, committed)
    letters, events = Letters(), Events()
    _read_journal(evidence, books, outcomes, events, findings)
    findings.extend(books.overdue(evidence.ticked(), OVERDUE_GRACE_US))
    _read_inputs(evidence, outcomes, letters, findings)
    _read_events(evidence, events, letters, findings)
    if not truncated:
        findings.extend(events.missing())
    dealers = _read_dealings(evidence, findings)
    findings.extend(dealers.owed(books))
    findings.extend(dealers.received(books))
    findings.extend(dealers.deposited(books))
    findings.extend(dealers.charged(_rates(evidence)))
    expected = Expected(books, _check_tables(evidence, books, findings), dealers)
    projected = evidence.projected()
    statements = _check_projection(projected, expected, findings)
    landed = _check_landings(evidence, expected, findings)
    findings.extend(_grown(evidence.grown()))
    return Report(
        inputs=dict(sorted(outcomes.inputs.items())),
        outcomes=dict(sorted(outcomes.decided.items())),
        dead_letters=dict(sorted(outcomes.letters.items())),
        lines=books.lines,
        books=len(books.books),
        accounts=len(books.accounts),
        open_locks=len(books.locks),
        statement_lines=statements.lines,
        projections=(projected.name, *landed),
        sums=books.sums(),
        findings=findings,
    )


def _truncated(spans: Mapping[Partition, Span], whole: Collection[str]) -> Iterator[Finding]:
    for partition, span in sorted(spans.items()):
        if partition.topic in whole and span.low > 0:
            yield Finding(Kind.TRUNCATED, str(partition), "records from offset 0 on", f"from {span.low} on")


def _read_journal(evidence: Evidence, books: Books, outcomes: Outcomes, events: Events, findings: Findings) -> None:
    for entry in evidence.journal():
        if isinstance(entry, Finding):
            findings.add(entry)
        else:
            findings.extend(books.enter(entry))
            findings.extend(outcomes.enter(entry))
            findings.extend(events.await_of(entry.fields))


def _read_inputs(evidence: Evidence, outcomes: Outcomes, letters: Letters, findings: Findings) -> None:
    for letter in evidence.dead_letters():
        if isinstance(letter, Finding):
            findings.add(letter)
        else:
            letters.bury(letter)
            findings.extend(outcomes.bury(letter.buried))
    for record in evidence.inputs():
        findings.extend(letters.meet(record))
        findings.extend(outcomes.meet(record.place))
    findings.extend(outcomes.left_over())


def _read_events(evidence: Evidence, events: Events, letters: Letters, findings: Findings) -> None:
    for event in evidence.events():
        if isinstance(event, Finding):
            findings.add(event)
        else:
            findings.extend(events.meet(event, letters))


def _read_dealings(evidence: Evidence, findings: Findings) -> Dealers:
    dealers = Dealers()
    for told in evidence.dealings():
        if isinstance(told, Finding):
            findings.add(told)
        else:
            findings.extend(dealers.enter(told))
    return dealers


def _rates(evidence: Evidence) -> Iterable[Row]:
    """Every rate that a partition knows, once."""
    return {key: row for rows in evidence.table("commission_rates") for key, row in rows.items()}.values()


def _check_tables(evidence: Evidence, books: Books, findings: Findings) -> dict[str, str]:
    """Compare the tables, and give each account's side: only the balances table knows it."""
    balances = {key: restored_balance(row) for key, row in _at_home("balances", evidence, findings).items()}
    findings.extend(compare(Kind.TABLE_DIFFERS, "table balances", balance_rows(books), balances))
    findings.extend(unbalanced("table balances", balances))
    locks = {key: restored_lock(row) for key, row in _at_home("locks", evidence, findings).items()}
    findings.extend(compare(Kind.TABLE_DIFFERS, "table locks", lock_rows(books), locks))
    findings.extend(_strange_sides(balances))
    return {key: row["side"] for key, row in balances.items()}


def _at_home(name: str, evidence: Evidence, findings: Findings) -> dict[str, Row]:
    """The rows of a table that are where their books are; all others are told."""
    table = evidence.table(name)
    findings.extend(rows_elsewhere(f"table {name}", table))
    return rows_at_home(table)


def _strange_sides(balances: Mapping[str, Row]) -> Iterator[Finding]:
    for key, row in balances.items():
        book, _, account = key.rpartition("|")[0].partition("|")
        known = side_never_overdrawn(book, account)
        if row["side"] not in ((known,) if known else ("debit", "credit")):
            expected = known or "debit or credit"
            yield Finding(Kind.TABLE_DIFFERS, f"table balances {key}, side", expected, str(row["side"]))


def _check_projection(projection: Projection, expected: Expected, findings: Findings) -> Statements:
    (books, sides, dealers), kind, name = expected, Kind.PROJECTION_DIFFERS, projection.name
    findings.extend(compare(kind, f"{name} balances", projected_balances(books, sides), projection.balances))
    findings.extend(unbalanced(f"{name} balances", projection.balances))
    ended, gone = (projection.before.get(of, ()) for of in ("locks", "suspense"))
    locks = {key: row for key, row in projection.locks.items() if key in books.locks or key not in ended}
    findings.extend(compare(kind, f"{name} locks", projected_locks(books), locks))
    findings.extend(dealers.compare(name, projection.dealers, gone))
    statements = Statements(f"{name} statement", books, sides)
    for line in projection.lines:
        if isinstance(line, Finding):
            findings.add(line)
        else:
            findings.extend(statements.enter(line))
    findings.extend(statements.missing())
    return statements


def _check_landings(evidence: Evidence, expected: Expected, findings: Findings) -> tuple[str, ...]:
    """Compare Postgres, again while its sink has time to catch up; only the last reading's findings count."""
    last, names = Findings(), tuple[str, ...]()
    for landed in evidence.landings():
        last, names = Findings(), (landed.name,)
        _check_projection(landed, expected, last)
        if not last:
            break
    findings.take(last)
    return names


def _grown(partitions: Iterable[Partition]) -> Iterator[Finding]:
    for partition in partitions:
        yield Finding(Kind.NOT_QUIET, str(partition), "nothing new while the audit reads", "new records")
