"""Where the evidence comes from: a prisoner's book in Kafka, and the tables of the sinks."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

from schemas.codec import Codec, Undecodable
from schemas.general_ledger import GeneralLedgerLine
from schemas.prison_finance import PurchaseAuthorised
from schemas.topics import GL_LINES, Topic
from sinks.database import Connection
from sinks.errors import UnknownPurchase
from sinks.log import Log
from sinks.progress import Say, telling
from sinks.story.evidence import TOPICS, Book, Filed, Mailed, Piece, Place, Sunk, book_of

END = 2**63 - 1
"""An offset that no partition reaches."""


def book(codec: Codec, kafka: str, prisoner_id: str, purchase_id: str, say: Say) -> Book:
    """What the prisoner's book has of the purchase. Raises `UnknownPurchase`, `KafkaUnavailable`.

    All partitions are read, as topics that have got more of them keep old records where they were; only records with
    the prisoner's key are decoded.
    """
    key = f"prisoner:{prisoner_id}".encode()
    found = book_of(chain.from_iterable(_pieces(codec, kafka, topic, key, say) for topic in TOPICS), purchase_id)
    if not found.decisions and not found.undecided:
        raise UnknownPurchase(f"prisoner {prisoner_id} has no purchase {purchase_id}")
    return found


def _pieces(codec: Codec, kafka: str, topic: Topic, key: bytes, say: Say) -> Iterator[Piece]:
    say(f"reading {topic.name} ...")
    log = Log(kafka, topic.name)
    try:
        records = (record for partition in range(log.partitions) for record in log.read(partition, END))
        for record in telling(records, f"records of {topic.name}", say):
            if record.key != key:
                continue
            try:
                message = codec.decode(topic, record.value)
            except Undecodable:
                continue  # a dead letter: nobody decided it
            yield Piece(Place(topic.name, record.partition, record.offset), message, record.headers)
    finally:
        log.close()


def sunk(connection: Connection, found: Book) -> Sunk:
    """What the sinks have of these decisions' events, at one moment of their tables."""
    events = [event for decision in found.decisions for event in decision.events]
    lines = {event.place: event.message for event in events if isinstance(event.message, GeneralLedgerLine)}
    receipts = [event.place for event in events if isinstance(event.message, PurchaseAuthorised)]
    with connection.transaction():
        connection.execute("set transaction isolation level repeatable read, read only")
        return Sunk(
            tuple(_files(connection, [line.line_id for line in lines.values()])),
            tuple(_receipts(connection, receipts)),
            tuple(_parked(connection, [*lines, *receipts], lines.values())),
        )


def _files(connection: Connection, line_ids: Sequence[str]) -> Iterator[Filed]:
    """The CSVs, as they name each line and go up."""
    for row in connection.execute(
        "with lines as (select file, array_agg(line_id order by line_id) as ids from sink.adi_line"
        "   where line_id = any(%s) and file is not null group by file)"
        " select name, ids, twin.prison_id, accounting_date, manifest.number, sha256,"
        "   not exists (select from sink.outgoing where outgoing.name = manifest.name), state, coalesce(attempts, 0),"
        "   (extract(epoch from sent_at) * 1000000)::bigint, (extract(epoch from answered_at) * 1000000)::bigint,"
        "   reference, problem"
        " from lines join sink.adi_file as twin on twin.lines_of = lines.file join sink.manifest using (name)"
        "   left join sink.upload using (name)"
        " where kind = 'adi-csv' order by accounting_date, manifest.number",
        (list(line_ids),),
    ):
        yield Filed(row[0], tuple(row[1]), *row[2:])


def _receipts(connection: Connection, places: Sequence[Place]) -> Iterator[Mailed]:
    for place in places:
        for row in connection.execute(
            "select message_id, (extract(epoch from sent_at) * 1000000)::bigint, failures, problem from sink.receipt"
            " where topic = %s and partition = %s and record_offset = %s",
            place,
        ):
            yield Mailed(*row)


def _parked(connection: Connection, places: Iterable[Place], lines: Iterable[GeneralLedgerLine]) -> Iterator[str]:
    """The events themselves, and their prison's days."""
    for place in places:
        for row in connection.execute(
            "select sink, reason, problem from sink.parked"
            " where topic = %s and partition = %s and record_offset = %s and subject = ''",
            place,
        ):
            yield "{}: {}: {}".format(*row)
    days = {f"{line.accounting_date}/{line.prison_id}" for line in lines}
    subjects = days | {day.partition("/")[0] for day in days}
    for row in connection.execute(
        "select subject, reason, problem from sink.parked where sink = 'adi' and topic = %s and subject = any(%s)",
        (GL_LINES.name, sorted(subjects)),
    ):
        yield "adi: {}: {}: {}".format(*row)
