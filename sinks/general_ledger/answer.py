"""What the general ledger answers, and what it means for each line (PRI-11). Pure.

A transaction that has a refused line is not written by the general ledger at all; all others are. Purchases of the same
id may be two prisoners': those are two transactions, in the file as well (`sinks.adi.journal.Line.transaction`).
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Final, Literal, NamedTuple, Self
from uuid import NAMESPACE_URL, uuid5

from pydantic import BaseModel, ConfigDict, Field, model_validator

from schemas.general_ledger import MOST_LINES
from sinks.general_ledger.upload import Event, LineStatus
from sinks.remote import LONGEST_WORDS, Words, one_line


class Outcome(StrEnum):
    ACCEPTED = "accepted"
    ACCEPTED_IN_PART = "accepted in part"
    REFUSED = "refused"
    AT_WORK = "at work"
    """It has the file, and no answer yet."""


EVENTS: Final = {
    Outcome.ACCEPTED: Event.ACCEPTED,
    Outcome.ACCEPTED_IN_PART: Event.ACCEPTED_IN_PART,
    Outcome.REFUSED: Event.REFUSED,
}
"""Of the outcomes that `verdicts` takes."""


class RefusedLine(BaseModel):
    model_config = ConfigDict(frozen=True)

    line_id: str
    reason: Words


class Answer(BaseModel):
    """An answer, whole or not at all: one that contradicts itself is refused as nonsense."""

    model_config = ConfigDict(frozen=True)

    digest: str = Field(description="SHA-256 of the bytes that it is about")
    outcome: Outcome
    reference: Words | None = None
    reason: Words | None = Field(None, description="why the file was refused as a whole")
    refused: tuple[RefusedLine, ...] = ()

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if self.outcome is Outcome.ACCEPTED_IN_PART and not self.refused:
            raise ValueError("accepted in part, but no line is refused")
        if self.outcome is Outcome.ACCEPTED and self.refused:
            raise ValueError("accepted, but lines are refused")
        if self.outcome is Outcome.REFUSED and not (self.reason or self.refused):
            raise ValueError("refused without a reason")
        return self


class Unknown(BaseModel):
    """It has no file of this name."""

    model_config = ConfigDict(frozen=True)

    name: str
    outcome: Literal["unknown"]


class Unsettled(ValueError):
    """An answer that decides nothing about this file, and why."""


class SentLine(NamedTuple):
    """A line of the file."""

    line_id: str
    transaction_id: str
    prisoner_id: str


class Verdict(NamedTuple):
    """What became of a line; the reason of a refused one."""

    line: SentLine
    status: LineStatus
    reason: str | None


class Acknowledgement(NamedTuple):
    """What is told of the lines of one transaction. `reasons` by line id; of processed lines they are None."""

    event_id: str
    prisoner_id: str
    transaction_id: str
    outcome: LineStatus
    reasons: Mapping[str, str | None]


def verdicts(answer: Answer, digest: str, lines: Sequence[SentLine]) -> list[Verdict]:
    """One for each line of the file with this SHA-256.

    Raises `Unsettled`: it is about other bytes, has no outcome yet, or refuses lines that the file does not have.
    """
    if answer.digest != digest:
        found = one_line(answer.digest[:64])
        raise Unsettled(f"the general ledger has another file under this name, with SHA-256 {found}")
    if answer.outcome is Outcome.AT_WORK:
        raise Unsettled("the general ledger is at work on it")
    reasons = {line.line_id: line.reason for line in answer.refused}
    if strangers := reasons.keys() - {line.line_id for line in lines}:
        some = ", ".join(one_line(stranger) for stranger in sorted(strangers)[:3])
        raise Unsettled(f"the general ledger refuses lines that the file does not have: {some}")
    if answer.outcome is Outcome.REFUSED:
        whole = answer.reason or "the file was refused"
        return [Verdict(line, LineStatus.REFUSED, reasons.get(line.line_id, whole)) for line in lines]
    with_refused = {_transaction(line): line.line_id for line in lines if line.line_id in reasons}
    return [_verdict(line, reasons, with_refused) for line in lines]


def _verdict(line: SentLine, reasons: Mapping[str, str], with_refused: Mapping[tuple[str, str], str]) -> Verdict:
    refused = with_refused.get(_transaction(line))
    if refused is None:
        return Verdict(line, LineStatus.PROCESSED, None)
    sibling = f"not written: of its transaction, {refused} was refused"[:LONGEST_WORDS]
    return Verdict(line, LineStatus.REFUSED, reasons.get(line.line_id, sibling))


def _transaction(line: SentLine) -> tuple[str, str]:
    return line.prisoner_id, line.transaction_id


def acknowledgements(file: str, found: Sequence[Verdict]) -> list[Acknowledgement]:
    """What to tell the rooms, by prisoner and transaction. The same file and verdicts give the same event ids."""
    told: dict[tuple[str, str, LineStatus], list[Verdict]] = defaultdict(list)
    for verdict in sorted(found):
        told[verdict.line.prisoner_id, verdict.line.transaction_id, verdict.status].append(verdict)
    return [
        Acknowledgement(
            _event_id(file, prisoner_id, transaction_id, part),
            prisoner_id,
            transaction_id,
            status,
            {each.line.line_id: each.reason for each in some},
        )
        for (prisoner_id, transaction_id, status), lines in sorted(told.items())
        for part, some in enumerate(_chunks(lines))
    ]


def _chunks(lines: Sequence[Verdict]) -> Iterator[Sequence[Verdict]]:
    for start in range(0, len(lines), MOST_LINES):
        yield lines[start : start + MOST_LINES]


def _event_id(file: str, prisoner_id: str, transaction_id: str, part: int) -> str:
    """No outcome is in it: a file has one answer, and so a transaction of it too."""
    return str(uuid5(NAMESPACE_URL, f"millrace:gl-acknowledgement|{file}|{prisoner_id}|{transaction_id}|{part}"))
