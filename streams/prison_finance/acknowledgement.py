"""What the general ledger answers, and what an operator does about a refusal (PRI-11). The states: `gl_transaction`.

The general ledger takes the lines of a transaction together or not at all: an acknowledgement names all that are open,
and after a refusal nothing has to be taken back there. A correction writes the same lines under new ids, on the open
day, with today's codes and cost centre; no money moves in the prisoner's book. What later follows a corrected purchase,
its refunds and its advance's repayments, goes where the corrected lines went.
"""

from collections.abc import Iterator

import msgspec

from schemas.fields import Fact
from schemas.general_ledger import (
    CorrectLines,
    GeneralLedgerLine,
    LinesAreCorrected,
    LinesAreRefused,
    LinesProcessed,
    LinesRefused,
    TransactionProcessed,
)
from schemas.prison_finance import PurchaseProcessed
from schemas.refusals import Reason
from streams.ledger.draft import Draft, Refused, refused
from streams.prison_finance.general_ledger import GeneralLedger, line_id
from streams.prison_finance.gl_transaction import GlTransaction, State
from streams.prison_finance.purchase import Purchase
from streams.prison_finance.purchase import State as PurchaseState
from streams.prison_finance.reference import Reference, code_of


def processed(
    draft: Draft, purchase: Purchase | None, ledger: GeneralLedger, command: LinesProcessed
) -> list[Fact] | Refused:
    """The general ledger has the transaction; if it is a purchase, the purchase is processed.

    Refuses NOT_FOUND, and WRONG_STATE where the lines are not those that are open.
    """
    row = _written(ledger, command.transaction_id)
    if isinstance(row, Refused):
        return row
    if strange := {line.line_id for line in row.open} ^ set(command.line_ids):
        return refused(Reason.WRONG_STATE, transaction=command.transaction_id, lines_differ=_some(strange))
    events: list[Fact] = [
        TransactionProcessed(
            prisoner_id=command.prisoner_id,
            transaction_id=command.transaction_id,
            file=command.file,
            line_ids=command.line_ids,
            at=draft.at,
        )
    ]
    if purchase is not None and purchase.state is PurchaseState.AUTHORISED:
        done = PurchaseProcessed(purchase_id=command.transaction_id, prisoner_id=command.prisoner_id, at=draft.at)
        events.append(done)
    return events


def refuse(draft: Draft, ledger: GeneralLedger, command: LinesRefused) -> list[Fact] | Refused:
    """The general ledger has nothing of the transaction. Refuses NOT_FOUND, WRONG_STATE."""
    row = _written(ledger, command.transaction_id)
    if isinstance(row, Refused):
        return row
    if strange := {each.line_id for each in command.reasons} - {line.line_id for line in row.open}:
        return refused(Reason.WRONG_STATE, transaction=command.transaction_id, not_open=_some(strange))
    return [
        LinesAreRefused(
            prisoner_id=command.prisoner_id,
            transaction_id=command.transaction_id,
            file=command.file,
            reasons=command.reasons,
            at=draft.at,
        )
    ]


def correct(draft: Draft, reference: Reference, ledger: GeneralLedger, command: CorrectLines) -> list[Fact] | Refused:
    """Write the refused lines again. Refuses NOT_FOUND, WRONG_STATE, UNKNOWN_SUPPLIER, NO_GL_ACCOUNT."""
    row = ledger.transaction(command.transaction_id)
    if row is None:
        return refused(Reason.NOT_FOUND, transaction=command.transaction_id)
    if row.state is not State.REFUSED:
        return refused(Reason.WRONG_STATE, transaction=command.transaction_id, state=row.state)
    codes: dict[str, str] = {}
    for account in {line.account: None for line in row.open}:
        assert account is not None
        code = code_of(reference, account)
        if isinstance(code, Refused):
            return code
        codes[account] = code
    corrected = LinesAreCorrected(
        correction_id=command.correction_id,
        prisoner_id=command.prisoner_id,
        transaction_id=command.transaction_id,
        line_ids=tuple(line.line_id for line in row.open),
        at=draft.at,
    )
    return [corrected, *_again(row, codes, reference, ledger.date(draft.at))]


def _again(row: GlTransaction, codes: dict[str, str], reference: Reference, dated: str) -> Iterator[GeneralLedgerLine]:
    """The open lines, in their pairs, numbered on."""
    for index, line in enumerate(row.open):
        assert line.account is not None
        number = row.entries + 1 + index // 2
        prison = reference.prisons.get(line.prison_id)
        yield msgspec.structs.replace(
            line,
            line_id=line_id(line.prisoner_id, line.transaction_id, dated, number, line.side),
            accounting_date=dated,
            cost_centre=line.cost_centre if prison is None else prison.cost_centre,
            gl_account=codes[line.account],
            corrects=line.line_id,
        )


def _written(ledger: GeneralLedger, transaction_id: str) -> GlTransaction | Refused:
    row = ledger.transaction(transaction_id)
    if row is None:
        return refused(Reason.NOT_FOUND, transaction=transaction_id)
    if row.state is not State.WRITTEN:
        return refused(Reason.WRONG_STATE, transaction=transaction_id, state=row.state)
    return row


def _some(line_ids: set[str]) -> str:
    """The first of them: a refusal's figures stay short."""
    return ", ".join(sorted(line_ids)[:3])
