"""Commands and events of a purchase's story in words. Pure."""

from collections.abc import Iterable, Iterator
from typing import assert_never

from schemas.fields import Contract, format_minor, iso
from schemas.general_ledger import (
    CorrectLines,
    GeneralLedgerLine,
    LinesAreCorrected,
    LinesAreRefused,
    LinesProcessed,
    LinesRefused,
    TransactionProcessed,
)
from schemas.ledger import Decided, JournalLine, Outcome
from schemas.prison_advances import (
    AdvanceActive,
    AdvancePending,
    AdvanceRepaid,
    AdvanceVoided,
    AdvanceWrittenOff,
    WriteOffAdvance,
)
from schemas.prison_batches import BatchedAuthorise, BatchedCancel, BatchedSubmit
from schemas.prison_finance import (
    AuthorisePurchase,
    CancelPurchase,
    FundingSource,
    PurchaseAuthorised,
    PurchasePart,
    PurchasePending,
    PurchaseProcessed,
    PurchaseRefunded,
    PurchaseVoided,
    RefundPurchase,
    SubmitPurchase,
    SupplierPayment,
)
from schemas.topics import TICKS
from sinks.adi.segments import CURRENCY
from sinks.story.evidence import Command


def cause(entry: Decided) -> str:
    """What caused a decision that was not asked for: time, or a message about something else."""
    return "Its time is over" if entry.cause_topic == TICKS.name else f"{entry.cause_type} {entry.cause_id}"


def asked(command: Command) -> str:
    """What a decision was asked for."""
    match command:
        case SubmitPurchase():
            return _submission(command)
        case BatchedSubmit():
            return f"{_submission(command.purchase)}; in batch {command.batch_id}"
        case AuthorisePurchase():
            return "Confirm the order"
        case BatchedAuthorise():
            return f"Confirm the orders of batch {command.batch_id}"
        case CancelPurchase():
            return f"Call the order off: {command.reason}"
        case BatchedCancel():
            return f"Call the orders of batch {command.batch_id} off: {command.reason}"
        case RefundPurchase():
            what = _payments(command.payments) or "all that is left"
            return f"Refund {command.refund_id}: {what}; {command.reason}"
        case WriteOffAdvance():
            return f"Write the advance off, by {command.written_off_by}: {command.reason}"
        case LinesProcessed() | LinesRefused() | CorrectLines():
            return _of_the_general_ledger(command)
        case _:
            assert_never(command)


def _of_the_general_ledger(command: LinesProcessed | LinesRefused | CorrectLines) -> str:
    match command:
        case LinesProcessed():
            return f"The general ledger has written {len(command.line_ids)} lines of {command.transaction_id}"
        case LinesRefused():
            return f"The general ledger has refused {command.transaction_id}"
        case CorrectLines():
            return f"Write the lines of {command.transaction_id} again: correction {command.correction_id}"
        case _:
            assert_never(command)


def _submission(command: SubmitPurchase) -> str:
    order = ", then ".join(command.funding)
    return f"Submit {command.total}: {_payments(command.payments)}; paid from {order}"


def _payments(payments: Iterable[SupplierPayment]) -> str:
    return ", ".join(f"{each.supplier_id} {each.amount}" for each in payments)


def answered(entry: Decided) -> str:
    """What was decided, in a line."""
    match entry.outcome:
        case Outcome.ACCEPTED:
            return "accepted"
        case Outcome.REFUSED:
            figures = ", ".join(f"{name} {value}" for name, value in entry.figures.items())
            return f"refused: {entry.reason}" + (f" ({figures})" if figures else "")
        case Outcome.DUPLICATE:
            return f"a repetition of {entry.figures.get('of', 'what was said before')}: nothing happens again"
        case _:
            assert_never(entry.outcome)


def moved(line: JournalLine) -> str:
    """A movement of money, or a step in the life of a lock."""
    return f"{line.step} {line.debit} → {line.credit} {format_minor(line.amount_minor, line.currency)}"


# ---- what happened


def told(event: Contract, command: Command | None) -> Iterator[str]:
    """What an event says, in lines."""
    match event:
        case PurchasePending():
            yield from _funding(event, command)
            yield f"pending until {iso(event.deadline)}"
        case PurchaseAuthorised():
            yield f"authorised: {event.total} is paid"
        case PurchaseVoided():
            yield f"{event.cause}: {event.total} is free again"
        case PurchaseProcessed():
            yield "processed: the general ledger has all lines of the purchase"
        case PurchaseRefunded():
            for part in event.parts:
                amount = _pounds(part.amount_minor)
                yield f"{part.supplier_id} gives {amount} back, which {part.source} had paid: to {part.account}"
        case GeneralLedgerLine():
            yield _line(event)
        case TransactionProcessed() | LinesAreRefused() | LinesAreCorrected():
            yield from _of_a_transaction(event)
        case _:
            yield from _of_an_advance(event)


def _of_a_transaction(event: TransactionProcessed | LinesAreRefused | LinesAreCorrected) -> Iterator[str]:
    match event:
        case TransactionProcessed():
            yield f"{event.transaction_id} is processed"
        case LinesAreRefused():
            yield from (f"refused {each.line_id}: {each.reason}" for each in event.reasons)
            yield f"{event.transaction_id} waits for a correction"
        case LinesAreCorrected():
            yield f"{len(event.line_ids)} lines of {event.transaction_id} are reversed, and written again"
        case _:
            assert_never(event)


def _of_an_advance(event: Contract) -> Iterator[str]:
    match event:
        case AdvancePending():
            approval = event.approval.approved_by or f"the prison's policy for {event.approval.circumstance}"
            terms = f"{_pounds(event.instalment_minor)} every {event.every_days} days"
            yield f"an advance of {event.amount} is pending: approved by {approval}, to be repaid by {terms}"
        case AdvanceActive():
            yield f"the advance of {event.amount} is active: repaid from {event.since} on"
        case AdvanceVoided():
            yield f"the advance of {event.amount} will not be given"
        case AdvanceRepaid():
            yield f"{event.amount} of the advance is repaid, {_pounds(event.outstanding_minor)} outstanding"
        case AdvanceWrittenOff():
            yield f"{event.amount} of the advance is written off"
        case _:
            raise TypeError(f"{type(event).__name__} is no event of a purchase's story")


def _funding(event: PurchasePending, command: Command | None) -> Iterator[str]:
    """Why each source pays what it does: the first one all that it can, the next one what is left."""
    submitted = command.purchase if isinstance(command, BatchedSubmit) else command
    asked_for = submitted.funding if isinstance(submitted, SubmitPurchase) else tuple(FundingSource)
    left = event.total.amount_minor
    for source in asked_for:
        parts = [part for part in event.parts if part.source is source]
        paid = sum(part.amount_minor for part in parts)
        if parts:
            yield f"{source} pays {_pounds(paid)} of {_pounds(left)}: {_parts(parts)}"
        elif isinstance(submitted, SubmitPurchase):
            yield f"{source} has nothing" if left else f"{source} is not needed"
        left -= paid


def _parts(parts: Iterable[PurchasePart]) -> str:
    return ", ".join(f"{part.supplier_id} {_pounds(part.amount_minor)}" for part in parts)


def _line(line: GeneralLedgerLine) -> str:
    of = f" in place of {line.corrects}" if line.corrects else f", reverses {line.reverses}" if line.reverses else ""
    where = f"{line.prison_id}, cost centre {line.cost_centre}, {line.accounting_date}"
    return f"line {line.line_id}{of}: {line.side} {line.gl_account} {line.amount}; {where}"


def _pounds(amount_minor: int) -> str:
    return format_minor(amount_minor, CURRENCY)
