"""The reference data that the room goes by: one partition's copy of what was typed into Postgres (PIPE-06)."""

from collections.abc import Iterable
from typing import NamedTuple

from schemas.prison_finance import PinnedCode
from schemas.prison_reference import GlAccount, Officer, Prison, Prisoner, Supplier
from schemas.refusals import Reason
from streams.ledger.draft import Refused, refused
from streams.ledger.tables import Rows

SUPPLIER_PREFIX = "supplier/"


class Reference(NamedTuple):
    """Rows by id; the general ledger's accounts by purpose, which is the name of an account of the prisoner's book."""

    prisoners: Rows[Prisoner]
    suppliers: Rows[Supplier]
    prisons: Rows[Prison]
    officers: Rows[Officer]
    gl_accounts: Rows[GlAccount]


def code_of(reference: Reference, account: str) -> str | Refused:
    """The general ledger's code for an account of a prisoner's book, today. Refuses UNKNOWN_SUPPLIER, NO_GL_ACCOUNT."""
    if account.startswith(SUPPLIER_PREFIX):
        supplier_id = account.removeprefix(SUPPLIER_PREFIX)
        supplier = reference.suppliers.get(supplier_id)
        return refused(Reason.UNKNOWN_SUPPLIER, supplier=supplier_id) if supplier is None else supplier.gl_account
    row = reference.gl_accounts.get(account)
    return refused(Reason.NO_GL_ACCOUNT, purpose=account) if row is None else row.sop_account


def pin(reference: Reference, accounts: Iterable[str]) -> tuple[PinnedCode, ...] | Refused:
    """Today's codes of some accounts, each once. Refuses UNKNOWN_SUPPLIER, NO_GL_ACCOUNT."""
    pinned = []
    for account in dict.fromkeys(accounts):
        code = code_of(reference, account)
        if isinstance(code, Refused):
            return code
        pinned.append(PinnedCode(account=account, gl_account=code))
    return tuple(pinned)
