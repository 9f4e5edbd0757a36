"""The sink that gathers general-ledger lines and cuts a closed day into journal files (PRI-10, PRI-11).

    line    → `sink.adi_line`, with no file yet
    closed  → `sink.adi_close`; when every partition has closed the day or a later one (its first may be later), the
              announced control totals are compared with the lines that came, and each prison's lines become files, a
              workbook and its CSV twin each

A day whose totals differ is not cut at all, a prison whose transactions do not balance is not cut: it is parked under
the place of the record that closed the day, and `retry` looks again. A line that comes after its day was closed in its
partition, or was cut, is parked: upstream gives such a line the next open day, so it can only be a mistake.

A line that corrects another takes the place of one that the general ledger refused, which becomes `reversed`: it stays
in its file and never goes up again. What corrects anything else is parked.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from enum import StrEnum
from typing import NamedTuple

from schemas.codec import Undecodable
from schemas.general_ledger import AccountingDayClosed, GeneralLedgerLine
from schemas.topics import GL_LINES, Topic
from sinks.adi import proof, tables, workbook
from sinks.adi.journal import Journal, Unbalanced, in_order, journals, ranges
from sinks.adi.segments import CURRENCY
from sinks.adi.tables import Closed, Place
from sinks.database import Connection, Cursor
from sinks.manifest import File, Kind, Range, Row, Serial, take_numbers
from sinks.parked import Parked
from sinks.sink import Applied, Arrived


class Reason(StrEnum):
    """Why a line, a day or a prison's day waits. It is parked under this word."""

    NOT_GBP = "not_gbp"
    LATE_LINE = "late_line"
    LINE_ID_SEEN = "line_id_seen"
    CORRECTS_NO_REFUSED_LINE = "corrects_no_refused_line"
    CONTROL_TOTALS_DIFFER = "control_totals_differ"
    UNBALANCED = "unbalanced"


class Twins(NamedTuple):
    """The two files of a journal."""

    kind: Kind
    series: str
    ending: str


def twins(prison_id: str) -> tuple[Twins, Twins]:
    """The workbook first. Each prison has a series for either, in the order of its days."""
    return (
        Twins(Kind.ADI_WORKBOOK, f"adi/{prison_id}", "xlsx"),
        Twins(Kind.ADI_CSV, f"adi-csv/{prison_id}", "csv"),
    )


class AdiSink:
    """See `sinks.sink.Sink`. `partitions` is how many partitions the topic has, and so how many closings make a day."""

    name = "adi"
    kinds = (Kind.ADI_WORKBOOK, Kind.ADI_CSV)

    def __init__(self, partitions: int, topic: Topic = GL_LINES) -> None:
        self.topic = topic
        self._partitions = partitions

    def apply(self, cursor: Cursor, records: Sequence[Arrived]) -> Applied:
        """Keep lines and closings, then cut the days that are complete, earlier ones first."""
        parked = [
            self._parked((each.partition, each.offset), each.message.reason, str(each.message))
            for each in records
            if isinstance(each.message, Undecodable)
        ]
        closings = [
            ((each.partition, each.offset), each.message)
            for each in records
            if isinstance(each.message, AccountingDayClosed)
        ]
        for place, closed in closings:
            tables.insert_close(cursor, self.topic.name, place, closed)
        parked += self._keep_lines(cursor, records)
        files: list[File] = []
        for day, place in self._complete(cursor, closings):
            files += self._cut(cursor, day, place, parked)
        return Applied(files, parked)

    # ---- lines

    def _keep_lines(self, cursor: Cursor, records: Sequence[Arrived]) -> list[Parked]:
        lines = [
            ((each.partition, each.offset), each.message)
            for each in records
            if isinstance(each.message, GeneralLedgerLine)
        ]
        dates = {line.accounting_date for _, line in lines}
        closed, cut = tables.closes(cursor, self.topic.name, dates), tables.cut_days(cursor, dates)
        correctable = tables.refused_lines(cursor, {line.corrects for _, line in lines if line.corrects})
        timely: list[tuple[Place, GeneralLedgerLine]] = []
        parked: list[Parked] = []
        for place, line in lines:
            day = date.fromisoformat(line.accounting_date)
            closed_at = closed.get(Closed(place[0], day))
            if line.amount.currency != CURRENCY:
                parked.append(self._parked(place, Reason.NOT_GBP, f"line {line.line_id} is of {line.amount}"))
            elif (closed_at is not None and closed_at < place[1]) or (day, line.prison_id) in cut:
                parked.append(
                    self._parked(place, Reason.LATE_LINE, f"line {line.line_id} is of {day}, which is closed")
                )
            elif line.corrects is not None and line.corrects not in correctable:
                problem = (
                    f"line {line.line_id} corrects {line.corrects}, which was not refused, or is corrected already"
                )
                parked.append(self._parked(place, Reason.CORRECTS_NO_REFUSED_LINE, problem))
            else:
                correctable.discard(line.corrects or "")
                timely.append((place, line))
        kept = tables.insert_lines(cursor, self.topic.name, timely)
        tables.reverse_lines(cursor, {line.corrects for place, line in timely if line.corrects and place in kept})
        return parked + [
            self._parked(place, Reason.LINE_ID_SEEN, f"line {line.line_id} came before, at another place")
            for place, line in timely
            if place not in kept
        ]

    # ---- files

    def _complete(
        self, cursor: Cursor, closings: Sequence[tuple[Place, AccountingDayClosed]]
    ) -> list[tuple[date, Place]]:
        """The days that these closings complete, earlier ones first, each with the closing that it is told under."""
        through = tables.closed_through(cursor, self.topic.name, self._partitions) if closings else None
        if through is None:
            return []
        last = closings[-1][0]
        days = dict.fromkeys(tables.waiting_days(cursor, self.topic.name, self.name, self._partitions), last)
        days |= {date.fromisoformat(closed.accounting_date): place for place, closed in closings}
        return sorted((day, place) for day, place in days.items() if day <= through)

    def _cut(self, cursor: Cursor, day: date, place: Place, parked: list[Parked]) -> list[File]:
        if differing := tables.differing_totals(cursor, self.topic.name, day):
            parked.append(self._parked(place, Reason.CONTROL_TOTALS_DIFFER, "; ".join(differing), subject=f"{day}"))
            return []
        cut: list[Journal] = []
        initials = tables.initials(cursor)
        for prison_id, lines in tables.uncut_lines(cursor, self.topic.name, day).items():
            try:
                cut += journals(day, prison_id, initials, lines)
            except Unbalanced as error:
                parked.append(self._parked(place, Reason.UNBALANCED, str(error), subject=f"{day}/{prison_id}"))
        return self._files(cursor, cut)

    def _files(self, cursor: Cursor, cut: Sequence[Journal]) -> list[File]:
        wanted = [(journal, twin) for journal in cut for twin in twins(journal.prison_id)]
        serials = take_numbers(cursor, [twin.series for _, twin in wanted])
        files = [_file(journal, twin, serial) for (journal, twin), serial in zip(wanted, serials, strict=True)]
        names = [(journal, [_name(journal, twin) for twin in twins(journal.prison_id)]) for journal in cut]
        tables.insert_files(cursor, self.topic.name, names)
        return files

    def _parked(self, place: Place, reason: str, problem: str, subject: str = "") -> Parked:
        return Parked(self.name, self.topic.name, *place, subject, str(reason), problem)

    # ---- verify

    def remake(self, connection: Connection, row: Row) -> bytes | None:
        """The file again, from `sink.adi_line`."""
        if row.edition != workbook.EDITION:
            return None
        part = tables.part(connection, row.name)
        if part is None:
            return b""
        lines = in_order(tables.lines_of(connection, part.lines_of))
        return _content(Journal(part.accounting_date, part.prison_id, part.part, part.initials, lines), Kind(row.kind))

    def differences(self, connection: Connection, records: Iterable[Arrived]) -> Iterator[str]:
        """Every line is kept as its record says it, or parked; no other line exists; every closed day is in files."""
        return proof.differences(connection, self.topic.name, self.name, self._partitions, records)


def _name(journal: Journal, twin: Twins) -> str:
    return f"{journal.path}.{twin.ending}"


def _content(journal: Journal, kind: Kind) -> bytes:
    return workbook.workbook(journal) if kind is Kind.ADI_WORKBOOK else workbook.table(journal)


def _file(journal: Journal, twin: Twins, serial: Serial) -> File:
    return File(
        name=_name(journal, twin),
        kind=twin.kind,
        serial=serial,
        sources=[Range(*each) for each in ranges(journal.lines)],
        totals={
            "currency": CURRENCY,
            "lines": len(journal.lines),
            "debit_minor": journal.debit_minor,
            "credit_minor": journal.credit_minor,
        },
        edition=workbook.EDITION,
        made_at=journal.made_at,
        content=_content(journal, twin.kind),
    )
