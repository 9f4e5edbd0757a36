"""What there is of one purchase: the decisions of its prisoner's book, and what the sinks have of their events.

    book_of(pieces, "CANTEEN-0001")    # pieces: all records of the book

Pure. A decision belongs to the story if its command speaks of the purchase, of its advance or of one of its
general-ledger transactions, or if one of its events does: a credit that repays the advance, a tick that ends the time.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import NamedTuple

from schemas.envelope import read_envelope
from schemas.fields import Contract
from schemas.general_ledger import CorrectLines, LinesProcessed, LinesRefused
from schemas.ledger import Decided
from schemas.prison_advances import AdvanceRepaid, WriteOffAdvance
from schemas.prison_batches import BatchedAuthorise, BatchedCancel, BatchedSubmit
from schemas.prison_finance import (
    AuthorisePurchase,
    CancelPurchase,
    PurchaseRefunded,
    RefundPurchase,
    SubmitPurchase,
)
from schemas.topics import (
    ADVANCE_EVENTS,
    ADVANCES,
    BATCHED_PURCHASES,
    GL_ACKNOWLEDGEMENTS,
    GL_CORRECTIONS,
    GL_LINES,
    GL_TRANSACTIONS,
    JOURNAL,
    PURCHASE_EVENTS,
    PURCHASES,
    Topic,
)

COMMANDS: tuple[Topic, ...] = (PURCHASES, BATCHED_PURCHASES, ADVANCES, GL_ACKNOWLEDGEMENTS, GL_CORRECTIONS)
EVENTS: tuple[Topic, ...] = (PURCHASE_EVENTS, ADVANCE_EVENTS, GL_LINES, GL_TRANSACTIONS)
TOPICS: tuple[Topic, ...] = (*COMMANDS, JOURNAL, *EVENTS)
"""All that is read of a prisoner's book."""

Command = (
    SubmitPurchase | BatchedSubmit | AuthorisePurchase | BatchedAuthorise | CancelPurchase | BatchedCancel
    | RefundPurchase | WriteOffAdvance | LinesProcessed | LinesRefused | CorrectLines
)  # fmt: skip


class Place(NamedTuple):
    """Where a record lies."""

    topic: str
    partition: int
    offset: int


class Piece(NamedTuple):
    """A record of the book."""

    place: Place
    message: Contract
    headers: Sequence[tuple[str, bytes | None]] = ()


class Decision(NamedTuple):
    """A decision, what was asked (None: by time, or by a message about something else), and its events of the story."""

    entry: Decided
    asked: Command | None
    events: tuple[Piece, ...]


class Filed(NamedTuple):
    """A journal file with lines of the purchase, and how far it has come; moments are UTC microseconds."""

    name: str
    line_ids: tuple[str, ...]
    prison_id: str
    accounting_date: date
    number: int
    sha256: str
    stored: bool
    state: str | None
    attempts: int
    sent_at: int | None
    answered_at: int | None
    reference: str | None
    problem: str | None


class Mailed(NamedTuple):
    """A receipt that was sent, or waits."""

    message_id: str
    sent_at: int | None
    failures: int
    problem: str | None


class Sunk(NamedTuple):
    """What the sinks have of the purchase. `parked` says in sentences what a person must look at."""

    files: tuple[Filed, ...] = ()
    receipts: tuple[Mailed, ...] = ()
    parked: tuple[str, ...] = ()


class Book(NamedTuple):
    """The decisions of the story, in the order in which the book took them, and what waits for one: no worker has come
    to it, or it is a dead letter."""

    decisions: tuple[Decision, ...]
    undecided: tuple[Command, ...]


def book_of(pieces: Iterable[Piece], purchase_id: str) -> Book:
    """The story of one purchase, of all records of its prisoner's book."""
    entries, commands, events = list[Piece](), dict[Place, Command](), list[Piece]()
    for piece in pieces:
        if isinstance(piece.message, Decided):
            entries.append(piece)
        elif isinstance(piece.message, Command):
            commands[piece.place] = piece.message
        else:
            events.append(piece)
    ours = set(_transactions(purchase_id, [*commands.values(), *(event.message for event in events)]))
    asked = {place: command for place, command in commands.items() if _speaks_of(command, purchase_id, ours)}
    told = defaultdict[str, list[Piece]](list)
    for event in events:
        if _speaks_of(event.message, purchase_id, ours):
            told[read_envelope(event.headers).id.rpartition("/")[0]].append(event)
    found = tuple(
        Decision(entry, asked.get(_cause(entry)), tuple(sorted(told[entry.decision_id], key=_number)))
        for entry in _in_order(entries)
        if entry.decision_id in told or _cause(entry) in asked
    )
    decided = {_cause(each.entry) for each in found}
    return Book(found, tuple(command for place, command in asked.items() if place not in decided))


def _transactions(purchase_id: str, messages: Iterable[Contract]) -> Iterator[str]:
    """The purchase's own general-ledger transaction, and those of its refunds, of repayments, of the write-off."""
    yield purchase_id
    yield f"write-off/{purchase_id}"
    for message in messages:
        match message:
            case PurchaseRefunded(purchase_id=of, refund_id=refund_id) if of == purchase_id:
                yield f"refund/{refund_id}"
            case AdvanceRepaid(advance_id=of, transaction_id=transaction_id) if of == purchase_id:
                yield transaction_id


def _speaks_of(message: Contract, purchase_id: str, transactions: set[str]) -> bool:
    asked = message.purchase if isinstance(message, BatchedSubmit) else message
    ids = (getattr(asked, name, None) for name in ("purchase_id", "advance_id"))
    return purchase_id in ids or getattr(asked, "transaction_id", None) in transactions


def _in_order(entries: list[Piece]) -> Iterator[Decided]:
    """Journal entries of one book lie in the order of its decisions; where topics have got more partitions, it may go
    on in another one."""
    began = dict[int, int]()
    for piece in entries:
        assert isinstance(piece.message, Decided)
        began.setdefault(piece.place.partition, piece.message.recorded_at)
    for piece in sorted(entries, key=lambda each: (began[each.place.partition], each.place.offset)):
        assert isinstance(piece.message, Decided)
        yield piece.message


def _cause(entry: Decided) -> Place:
    return Place(entry.cause_topic, entry.cause_partition, entry.cause_offset)


def _number(event: Piece) -> int:
    return int(read_envelope(event.headers).id.rpartition("/")[2])
