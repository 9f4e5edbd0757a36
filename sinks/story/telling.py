"""The steps of a purchase's story, in order. Pure.

Decisions stand in the order in which the book took them. What the sinks did stands among them by its moment, but never
before the decision that wrote its lines, nor after the one that the general ledger's answer brought: three servers'
clocks decide nothing.
"""

from collections.abc import Iterator
from datetime import date
from enum import StrEnum
from typing import Any, NamedTuple

import msgspec

from schemas.fields import Contract, Message, iso
from schemas.general_ledger import GeneralLedgerLine, LinesProcessed, LinesRefused
from schemas.ledger import JournalLine
from schemas.prison_finance import PurchaseAuthorised
from schemas.topics import CREDITS
from sinks.story import words
from sinks.story.evidence import Book, Decision, Filed, Mailed, Sunk


class Kind(StrEnum):
    DECISION = "decision"
    UNDECIDED = "undecided"
    FILE = "file"
    UPLOAD = "upload"
    ANSWER = "answer"
    RECEIPT = "receipt"
    PARKED = "parked"


class Step(NamedTuple):
    """One step. `at` is when it was recorded, in UTC microseconds; None where no clock was asked, or it is yet to come.

    `details` are for programs: the messages themselves, but for e-mail addresses.
    """

    kind: Kind
    at: int | None
    title: str
    notes: tuple[str, ...]
    details: dict[str, Any]


def steps(book: Book, sunk: Sunk, purchase_id: str) -> list[Step]:
    """All of them."""
    placed: list[list[Step]] = [[] for _ in range(len(book.decisions) + 1)]
    for filed in sunk.files:
        placed[_position_of_file(book, filed)] += _of_file(filed)
    for mailed in sunk.receipts:
        placed[_position_of_receipt(book, mailed)].append(_receipt(mailed))
    told: list[Step] = []
    for decision, before in zip(book.decisions, placed, strict=False):
        told += [*before, _decision(decision, purchase_id)]
    told += placed[-1]
    told += [
        Step(Kind.UNDECIDED, None, type(each).__name__, ("no worker has decided it, or it is a dead letter",),
             {"asked": _plain(each)})
        for each in book.undecided
    ]  # fmt: skip
    return told + [Step(Kind.PARKED, None, "Parked", (each,), {}) for each in sunk.parked]


# ---- where what the sinks did belongs


def _position_of_file(book: Book, filed: Filed) -> int:
    lines = set(filed.line_ids)
    written = max(number for number, each in enumerate(book.decisions) if lines & _lines_of(each))
    heard = next((number for number, each in enumerate(book.decisions) if _file_of(each) == filed.name), None)
    at = filed.sent_at if filed.answered_at is None else filed.answered_at
    return _position(book, written + 1, len(book.decisions) if heard is None else heard, at)


def _position_of_receipt(book: Book, mailed: Mailed) -> int:
    paid = next(
        number
        for number, each in enumerate(book.decisions)
        if any(isinstance(event.message, PurchaseAuthorised) for event in each.events)
    )
    return _position(book, paid + 1, len(book.decisions), mailed.sent_at)


def _position(book: Book, earliest: int, latest: int, at: int | None) -> int:
    """Before which decision: the first one within these bounds that was recorded later; the last, without a moment."""
    for number in range(earliest, latest):
        if at is not None and book.decisions[number].entry.recorded_at > at:
            return number
    return latest


def _lines_of(decision: Decision) -> set[str]:
    return {event.message.line_id for event in decision.events if isinstance(event.message, GeneralLedgerLine)}


def _file_of(decision: Decision) -> str | None:
    return decision.asked.file if isinstance(decision.asked, LinesProcessed | LinesRefused) else None


# ---- steps


def _decision(decision: Decision, purchase_id: str) -> Step:
    entry, asked = decision.entry, decision.asked
    entries = [line for line in entry.lines if entry.cause_topic != CREDITS.name or _is_of(line, purchase_id)]
    notes = [words.answered(entry)]
    for event in decision.events:
        notes += words.told(event.message, asked)
    notes += map(words.moved, entries)
    details = {
        "decision_id": entry.decision_id,
        "outcome": entry.outcome,
        "reason": entry.reason,
        "figures": entry.figures,
        "actor": entry.actor,
        "correlation_id": entry.correlation_id,
        "effective_at": iso(entry.effective_at),
        "cause": {"type": entry.cause_type, "id": entry.cause_id, "topic": entry.cause_topic},
        "asked": None if asked is None else _plain(asked),
        "events": [_plain(event.message) for event in decision.events],
        "entries": [msgspec.to_builtins(line) for line in entries],
    }
    title = words.cause(entry) if asked is None else words.asked(asked)
    return Step(Kind.DECISION, entry.recorded_at, title, tuple(notes), details)


def _is_of(line: JournalLine, purchase_id: str) -> bool:
    """Of what a credit moves: the repayment of this purchase's advance."""
    return line.text.endswith(f" - {purchase_id}")


def _of_file(filed: Filed) -> Iterator[Step]:
    stored = "stored" if filed.stored else "not stored yet"
    yield Step(
        Kind.FILE, None, f"Journal file {filed.name}",
        (f"number {filed.number} of {filed.prison_id}, {stored}; SHA-256 {filed.sha256}", *filed.line_ids),
        _row(filed),
    )  # fmt: skip
    if filed.state is None:
        return
    tries = "once" if filed.attempts == 1 else f"{filed.attempts} times"
    sent = f"sent {tries}" if filed.attempts else "the general ledger had it already" if filed.answered_at else "waits"
    problem = (filed.problem,) if filed.problem and filed.answered_at is None else ()
    yield Step(Kind.UPLOAD, filed.sent_at, f"Upload of {filed.name}: {sent}", problem, _row(filed))
    if filed.answered_at is not None:
        why = (filed.problem,) if filed.problem else ()
        title = f"The general ledger's answer: {filed.state}" + (f", {filed.reference}" if filed.reference else "")
        yield Step(Kind.ANSWER, filed.answered_at, title, why, _row(filed))


def _receipt(mailed: Mailed) -> Step:
    title = "Receipt waits for the mail server" if mailed.sent_at is None else "Receipt sent"
    problem = (mailed.problem,) if mailed.problem else ()
    return Step(Kind.RECEIPT, mailed.sent_at, title, (mailed.message_id, *problem), _row(mailed))


# ---- for programs


def _row(row: Filed | Mailed) -> dict[str, Any]:
    """A row of the sinks' tables; moments in ISO 8601."""
    found: dict[str, Any] = {}
    for name, value in row._asdict().items():
        is_moment = name.endswith("_at") and value is not None
        found[name] = iso(value) if is_moment else f"{value}" if isinstance(value, date) else value
    return found


def _plain(message: Contract) -> dict[str, Any]:
    """A message with its name. Of an address only that there is one: whoever looks into a purchase need not know it."""
    said = _builtins(message)
    return {"type": type(message).__name__, **_without_address(said)}


def _builtins(message: Contract) -> Any:
    if isinstance(message, Message):
        return message.model_dump(mode="json")
    return msgspec.to_builtins(message, enc_hook=lambda inside: inside.model_dump(mode="json"))


def _without_address(said: Any) -> Any:
    if not isinstance(said, dict):
        return said
    return {
        name: "<address>" if name == "receipt_to" and value is not None else _without_address(value)
        for name, value in said.items()
    }
