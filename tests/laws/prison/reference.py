"""Reference data of both sides, edited together as if in Postgres. None is a tombstone."""

from itertools import count
from typing import Any

from schemas.prison_reference import GlAccount, GlPurpose, Officer, Prison, Prisoner, Supplier
from streams.runtime.rows import Rows
from tests.unit.prison_finance.partition import Kept

from .naive import Fields, NaivePrison

SUPPLIER = "supplier/"


class Editor:
    """Edits the rows of the room and the dicts of the model."""

    def __init__(self, kept: Kept, model: NaivePrison, first_code: int) -> None:
        self._kept = kept
        self._model = model
        self.account_of: dict[str, str] = {}
        """By code of the general ledger: no code is ever given twice."""
        self._codes = count(first_code)

    def prisoner(self, who: str, fields: Fields | None) -> None:
        """`prison`, `cost_centre`, `limit` of a day, and `until` when how much cash (`most`) is permitted."""
        row = fields and Prisoner(
            prisoner_id=who, prison_id=fields["prison"], cost_centre=fields["cost_centre"],
            daily_limit_minor=fields["limit"], cash_permission_until=fields["until"],
            cash_permission_most_minor=fields["most"],
        )  # fmt: skip
        self._edit(self._kept.prisoners, self._model.prisoners, who, row, fields)

    def prison(self, prison_id: str, fields: Fields | None) -> None:
        """`cost_centre`, and what it lends: how much is `allowed`, in which `instalment`, `every` so many days."""
        row = fields and Prison(
            prison_id=prison_id, cost_centre=fields["cost_centre"], advance_allowed_minor=fields["allowed"],
            advance_instalment_minor=fields["instalment"], advance_every_days=fields["every"],
            automatic_circumstances=fields["automatic"],
        )  # fmt: skip
        self._edit(self._kept.prisons, self._model.prisons, prison_id, row, fields)

    def officer(self, officer_id: str, fields: Fields | None) -> None:
        """`prison`, and what he may: `may_lend`, `may_write_off`."""
        row = fields and Officer(
            officer_id=officer_id, prison_id=fields["prison"], may_approve_advances=fields["may_lend"],
            may_write_off=fields["may_write_off"],
        )  # fmt: skip
        self._edit(self._kept.officers, self._model.officers, officer_id, row, fields)

    def new_code(self, account: str) -> None:
        """An account, or a supplier's, gets a code of the general ledger that none had before."""
        code = str(next(self._codes))
        self.account_of[code] = account
        self._code(account, code)

    def no_code(self, account: str) -> None:
        self._code(account, None)

    def _code(self, account: str, code: str | None) -> None:
        codes, name = self._model.codes, account.removeprefix(SUPPLIER)
        if account.startswith(SUPPLIER):
            supplier = code and Supplier(supplier_id=name, name=name, gl_account=code)
            self._edit(self._kept.suppliers, codes, account, supplier, code)
        else:
            row = code and GlAccount(purpose=GlPurpose(account), nomis_code=code, sop_account=code)
            self._edit(self._kept.gl_accounts, codes, account, row, code)

    def _edit(self, rows: Rows[Any], known: dict[str, Any], key: str, row: Any, fields: Any) -> None:
        name = key.removeprefix(SUPPLIER)
        if row is None:
            if name in known or key in known:
                del rows[name], known[key]
        else:
            rows[name], known[key] = row, fields
        rows.take_changes()
