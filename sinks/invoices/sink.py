"""The sink that turns settled trips into numbered invoices (MOB-25, PIPE-08).

A record that cannot be invoiced is parked and takes no number. When `retry` succeeds later, the invoice takes the next
number of its series at that moment: numbers tell the order of making, and stay free of gaps.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from schemas.codec import Undecodable
from schemas.mobility import TripSettled
from schemas.topics import TRIP_PAYMENTS, Topic
from sinks.database import Connection, Cursor
from sinks.invoices import render
from sinks.invoices.invoice import (
    Invoice,
    Issuer,
    NotInvoiceable,
    Reason,
    check,
    invoice,
    is_charged,
    local,
    number_of,
    series_of,
)
from sinks.manifest import File, Kind, Range, Row, Serial, take_numbers
from sinks.parked import Parked, parked_places
from sinks.sink import Applied, Arrived


class Due(NamedTuple):
    """A settled trip that shall have an invoice."""

    partition: int
    offset: int
    trip: TripSettled
    issuer: Issuer


class Unprintable(Exception):
    """Typst refused one of the invoices of a batch."""

    def __init__(self, due: Due, why: NotInvoiceable) -> None:
        super().__init__(str(why))
        self.due = due
        self.why = why


class InvoiceSink:
    """See `sinks.sink.Sink`."""

    name = "invoices"
    kinds = (Kind.INVOICE,)

    def __init__(self, topic: Topic = TRIP_PAYMENTS) -> None:
        self.topic = topic

    def apply(self, cursor: Cursor, records: Sequence[Arrived]) -> Applied:
        """Invoice the settled trips among the records; other messages are none of this sink's business."""
        due, parked = self._sort(cursor, records)
        while True:
            try:
                with cursor.connection.transaction():  # a savepoint: gives the numbers back if one cannot be printed
                    return Applied(self._issue(cursor, due), parked)
            except Unprintable as error:
                parked.append(self._parked(error.due.partition, error.due.offset, error.why))
                due.remove(error.due)

    def _sort(self, cursor: Cursor, records: Sequence[Arrived]) -> tuple[list[Due], list[Parked]]:
        settled = [record.message for record in records if isinstance(record.message, TripSettled)]
        issuers = _issuers(cursor, {trip.price.msp_id for trip in settled})
        invoiced = _invoiced(cursor, {trip.trip_id for trip in settled})
        due: list[Due] = []
        parked: list[Parked] = []
        for partition, offset, message, _ in records:
            try:
                if isinstance(message, Undecodable):
                    raise message
                if isinstance(message, TripSettled) and is_charged(message):
                    due.append(Due(partition, offset, message, _accept(message, issuers, invoiced)))
                    invoiced.add(message.trip_id)
            except (NotInvoiceable, Undecodable) as why:
                parked.append(self._parked(partition, offset, why))
        return due, parked

    def _issue(self, cursor: Cursor, due: Sequence[Due]) -> list[File]:
        serials = take_numbers(cursor, [series_of(each.trip, each.issuer, each.partition) for each in due])
        numbers = [number_of(*serial) for serial in serials]
        invoices = [invoice(each.trip, each.issuer, number) for each, number in zip(due, numbers, strict=True)]
        contents = render.render_all(invoices)
        files = [_file(*each) for each in zip(due, serials, invoices, contents, strict=True)]
        cursor.executemany(
            "insert into sink.invoice values (%s, %s, %s, %s, %s, %s)",
            [
                (
                    made.trip_id,
                    made.path,
                    self.topic.name,
                    each.partition,
                    each.offset,
                    msgspec.json.encode(made).decode(),
                )
                for each, made in zip(due, invoices, strict=True)
            ],
        )
        return files

    def _parked(self, partition: int, offset: int, why: NotInvoiceable | Undecodable) -> Parked:
        return Parked(self.name, self.topic.name, partition, offset, "", why.reason, str(why))

    # ---- verify

    def remake(self, connection: Connection, row: Row) -> bytes | None:
        """The PDF again, from `sink.invoice`."""
        if row.edition != render.EDITION:
            return None
        found = connection.execute("select content from sink.invoice where name = %s", (row.name,)).fetchone()
        return render.render(_read(found[0])) if found else b""

    def differences(self, connection: Connection, records: Iterable[Arrived]) -> Iterator[str]:
        """Every charged trip has its invoice as the record says it, or is parked; no other invoice exists."""
        kept = self._kept(connection)
        parked = parked_places(connection, self.name, self.topic.name)
        for partition, offset, message, _ in records:
            if not isinstance(message, TripSettled) or not is_charged(message):
                continue
            place = f"{self.topic.name}/{partition}@{offset}"
            found = kept.pop((partition, offset), None)
            if found is None and (partition, offset) not in parked:
                yield f"{place}: trip {message.trip_id} has no invoice and is not parked"
            elif found is not None and found != invoice(message, found.issuer, found.number):
                yield f"{place}: invoice {found.number} is not what the record says"
        for (partition, offset), unexplained in kept.items():
            place = f"{self.topic.name}/{partition}@{offset}"
            yield f"invoice {unexplained.number} names {place}, which has no such trip"

    def _kept(self, connection: Connection) -> dict[tuple[int, int], Invoice]:
        rows = connection.execute(
            "select partition, record_offset, content from sink.invoice where topic = %s", (self.topic.name,)
        )
        return {(row[0], row[1]): _read(row[2]) for row in rows}


def _accept(trip: TripSettled, issuers: Mapping[str, Issuer], invoiced: set[str]) -> Issuer:
    """The issuer of a trip that can be invoiced. Raises `NotInvoiceable` with the first reason that holds."""
    check(trip)
    if trip.trip_id in invoiced:
        raise NotInvoiceable(Reason.ALREADY_INVOICED, f"trip {trip.trip_id} has an invoice from an earlier record")
    issuer = issuers.get(trip.price.msp_id)
    if issuer is None:
        problem = f"sink.issuer has no {trip.price.msp_id}: insert it, then run `python -m sinks retry`"
        raise NotInvoiceable(Reason.UNKNOWN_ISSUER, problem)
    local(issuer, trip.ended_at)
    return issuer


def _file(due: Due, serial: Serial, made: Invoice, content: bytes | NotInvoiceable) -> File:
    if isinstance(content, NotInvoiceable):
        raise Unprintable(due, content)
    return File(
        name=made.path,
        kind=Kind.INVOICE,
        serial=serial,
        sources=(Range(due.partition, due.offset, due.offset),),
        totals={
            "currency": made.currency,
            "gross_minor": made.gross_minor,
            "net_minor": made.net_minor,
            "vat_minor": made.vat_minor,
        },
        edition=render.EDITION,
        made_at=made.issued_at,
        content=content,
    )


def _issuers(cursor: Cursor, ids: set[str]) -> dict[str, Issuer]:
    cursor.execute(
        "select issuer_id, code, legal_name, address, country, vat_number, zone, contact"
        " from sink.issuer where issuer_id = any(%s)",
        (sorted(ids),),
    )
    return {row[0]: msgspec.convert(dict(zip(_ISSUER_FIELDS, row, strict=True)), Issuer) for row in cursor}


_ISSUER_FIELDS = tuple(field.name for field in msgspec.structs.fields(Issuer))


def _invoiced(cursor: Cursor, trip_ids: set[str]) -> set[str]:
    cursor.execute("select trip_id from sink.invoice where trip_id = any(%s)", (sorted(trip_ids),))
    return {row[0] for row in cursor}


def _read(content: Any) -> Invoice:
    return msgspec.convert(content, Invoice)
