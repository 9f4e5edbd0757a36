"""An accounting day as three parties say it: the ledger, the ADI files, the general ledger (PRI-11, BEY-04).

The ledger announces a day's totals for each partition, not for each prison: they are compared with the lines that came
as a whole, and the lines of each prison with its files and with what the general ledger answered.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import NamedTuple

from schemas.fields import format_minor
from sinks.adi import proof
from sinks.adi import tables as adi
from sinks.adi.segments import CURRENCY
from sinks.database import Connection
from sinks.errors import UnknownPrison
from sinks.general_ledger.upload import LineStatus


class Sum(NamedTuple):
    """Lines, and what they come to in pence."""

    lines: int = 0
    debit_minor: int = 0
    credit_minor: int = 0

    def __str__(self) -> str:
        lines = f"{self.lines:,} line{'' if self.lines == 1 else 's'}"
        debit, credit = (format_minor(each, CURRENCY) for each in (self.debit_minor, self.credit_minor))
        return f"{lines}, {debit}" if self.debit_minor == self.credit_minor else f"{lines}, {debit} against {credit}"

    def __add__(self, other: object) -> "Sum":
        assert isinstance(other, Sum)
        return Sum(*(mine + its for mine, its in zip(self, other, strict=True)))


class PrisonDay(NamedTuple):
    """One prison's day. The statuses of its lines come to `ledger`."""

    prison_id: str
    ledger: Sum
    files: Sum
    workbooks: Sum
    answered: Mapping[LineStatus, Sum]

    @property
    def open(self) -> Sum:
        """Lines without an answer."""
        return sum((self.of(each) for each in _UNANSWERED), Sum())

    def of(self, status: LineStatus) -> Sum:
        return self.answered.get(status, Sum())


class DayReport(NamedTuple):
    """A day. `announced` says in sentences where what came is not what was announced, `misfiled` which lines are in
    another prison's or day's journal."""

    day: date
    is_closed: bool
    announced: Sequence[str]
    prisons: Sequence[PrisonDay]
    misfiled: Sequence[str] = ()


_UNANSWERED = (LineStatus.APPENDED, LineStatus.FILED, LineStatus.UPLOADED)


def differences(report: DayReport) -> list[str]:
    """Why the day is not done, in sentences; none: all three say the same. A corrected line is done on its day."""
    found = [] if report.is_closed else [f"{report.day} is not closed in every partition yet: it has no files"]
    found += [f"announced and come differ: {each}" for each in report.announced]
    found += report.misfiled
    for prison in report.prisons:
        found += [f"{prison.prison_id}: {each}" for each in _of_prison(prison)]
    return found


def _of_prison(prison: PrisonDay) -> Iterator[str]:
    if prison.ledger.debit_minor != prison.ledger.credit_minor:
        yield f"the ledger's lines do not balance: {prison.ledger}"
    if prison.files != prison.ledger:
        yield f"the files hold {prison.files}, the ledger {prison.ledger}"
    if prison.workbooks != prison.files:
        yield f"the workbooks hold {prison.workbooks}, their CSV twins {prison.files}"
    if refused := prison.of(LineStatus.REFUSED).lines:
        yield f"the general ledger refused {refused} lines that nothing has corrected: see `python -m sinks refused`"
    if prison.open.lines:
        yield f"the general ledger has not answered {prison.open}"


# ---- from Postgres


def report(connection: Connection, topic: str, day: date, prison_id: str | None = None) -> DayReport:
    """The day of every prison, or of one, at one moment of the tables. Raises `UnknownPrison`."""
    with connection.transaction():
        connection.execute("set transaction isolation level repeatable read, read only")
        with connection.cursor() as cursor:
            partitions = _partitions(connection, topic)
            through = adi.closed_through(cursor, topic, partitions) if partitions else None
            announced = adi.differing_totals(cursor, topic, day)
        files, workbooks = _in_files(connection, day, "adi-csv"), _in_files(connection, day, "adi-workbook")
        lines, misfiled = _lines(connection, topic, day), list(proof.misfiled(connection, topic, day))
        names = sorted(lines.keys() | files.keys() | workbooks.keys())
        if prison_id is not None and prison_id not in names and not _has_files(connection, prison_id):
            raise UnknownPrison(f"no prison {prison_id} has ever had a file, or has a line of {day}")
    prisons = [
        PrisonDay(
            name,
            sum(lines.get(name, {}).values(), Sum()),
            files.get(name, Sum()),
            workbooks.get(name, Sum()),
            lines.get(name, {}),
        )
        for name in names
        if prison_id in (None, name)
    ]
    return DayReport(day, through is not None and day <= through, announced, prisons, misfiled)


def _partitions(connection: Connection, topic: str) -> int:
    """How many partitions the ADI sink reads."""
    row = connection.execute(
        "select count(*) from sink.position where sink = 'adi' and topic = %s", (topic,)
    ).fetchone()
    return 0 if row is None else int(row[0])


def _has_files(connection: Connection, prison_id: str) -> bool:
    return connection.execute("select from sink.adi_file where prison_id = %s limit 1", (prison_id,)).rowcount > 0


def _lines(connection: Connection, topic: str, day: date) -> dict[str, dict[LineStatus, Sum]]:
    rows = connection.execute(
        "select prison_id, status, count(*),"
        " coalesce(sum(amount_minor) filter (where side = 'debit'), 0)::bigint,"
        " coalesce(sum(amount_minor) filter (where side = 'credit'), 0)::bigint"
        " from sink.adi_line where topic = %s and accounting_date = %s group by 1, 2",
        (topic, day),
    )
    found: dict[str, dict[LineStatus, Sum]] = {}
    for prison_id, status, *sums in rows:
        found.setdefault(prison_id, {})[LineStatus(status)] = Sum(*sums)
    return found


def _in_files(connection: Connection, day: date, kind: str) -> dict[str, Sum]:
    rows = connection.execute(
        "select prison_id, sum((totals->>'lines')::bigint)::bigint, sum((totals->>'debit_minor')::bigint)::bigint,"
        " sum((totals->>'credit_minor')::bigint)::bigint from sink.manifest join sink.adi_file using (name)"
        " where kind = %s and accounting_date = %s group by 1",
        (kind, day),
    )
    return {prison_id: Sum(*sums) for prison_id, *sums in rows}
