"""One partition of prison finance for tests: commands go in, ticks pass, and a line says what then stands.

Moments are given as `09 10:00` or `09 10:00:30`: day and time of January 2024 in UTC, which is London's winter time; or
in full, `2024-07-01 23:30`. Commands give the events, or the refusal; ticks give the events of all that fell due.
Nothing remembers ids here but the room's own rows.
"""

from datetime import datetime
from typing import NamedTuple

from schemas.fields import Message, Money, to_micros
from schemas.general_ledger import CorrectLines, GeneralLedgerLine, LineRefusal, LinesProcessed, LinesRefused
from schemas.prison_advances import WriteOffAdvance
from schemas.prison_finance import (
    AdvanceApproval,
    AuthorisePurchase,
    CancelPurchase,
    CreditPrisoner,
    FundingSource,
    MoveBetweenSubAccounts,
    RefundPurchase,
    SubAccount,
    SubmitPurchase,
    SupplierPayment,
)
from schemas.prison_reference import GlAccount, GlPurpose, Officer, Prison, Prisoner, Supplier
from streams.ledger.accounts import Balance
from streams.ledger.draft import Draft, Ledger, Refused
from streams.ledger.limits import Usage
from streams.ledger.locks import Lock
from streams.prison_finance.accounting_day import OpenDays
from streams.prison_finance.advance import Advances
from streams.prison_finance.gl_transaction import GlTransaction
from streams.prison_finance.purchase import Purchase
from streams.prison_finance.reference import Reference
from streams.prison_finance.room import OPEN_DAYS, PrisonFinance, Tables
from streams.rooms import Notice
from streams.runtime.rows import Rows

WHO = "A1234BC"
MORNING = "09 10:00"
PRISONER = Prisoner(prisoner_id=WHO, prison_id="LEI", cost_centre="10572801")
CANTEEN = Supplier(supplier_id="canteen", name="Canteen", gl_account="2501")
BT = Supplier(supplier_id="BT", name="BT", gl_account="2502")
CODES = {"spends": "2102", "cash": "2101", "savings": "2103", "advance": "2198", "owed": "1502", "written_off": "4104"}
LEEDS = Prison(
    prison_id="LEI",
    cost_centre="10572801",
    advance_allowed_minor=100,
    advance_instalment_minor=10,
    advance_every_days=7,
    automatic_circumstances=("arrival",),
)
GOVERNOR = Officer(officer_id="governor", prison_id="LEI", may_approve_advances=True, may_write_off=True)
DEPUTY = Officer(officer_id="deputy", prison_id="LEI", may_approve_advances=False, may_write_off=False)
STRANGER = Officer(officer_id="stranger", prison_id="MDI", may_approve_advances=True, may_write_off=True)


class Kept(NamedTuple):
    """The room's own tables, as rows of the runtime."""

    purchases: Rows[Purchase]
    advances: Rows[Advances]
    transactions: Rows[GlTransaction]
    open_days: Rows[OpenDays]
    prisoners: Rows[Prisoner]
    suppliers: Rows[Supplier]
    prisons: Rows[Prison]
    officers: Rows[Officer]
    gl_accounts: Rows[GlAccount]

    @property
    def tables(self) -> Tables:
        """As the room wants them."""
        reference = Reference(self.prisoners, self.suppliers, self.prisons, self.officers, self.gl_accounts)
        return Tables(self.purchases, self.advances, self.transactions, self.open_days, reference)


class MoneyTables(NamedTuple):
    """The money tables, as rows of the runtime."""

    balances: Rows[Balance]
    locks: Rows[Lock]
    limits: Rows[Usage]


class Partition:
    """Knows the prisoner, two suppliers, Leeds with its officers; `limit` is the prisoner's daily limit."""

    def __init__(self, limit: int | None = None) -> None:
        self.kept = Kept(
            Rows(Purchase, due=lambda row: row.until),
            Rows(Advances),
            Rows(GlTransaction, due=lambda row: row.until),
            *(Rows(kind) for kind in (OpenDays, Prisoner, Supplier, Prison, Officer, GlAccount)),
        )
        self.money = MoneyTables(Rows(Balance, due=lambda row: row.next_expiry), Rows(Lock), Rows(Usage))
        self.room = PrisonFinance(self.kept.tables, Ledger(*self.money))
        self.lines: list[GeneralLedgerLine] = []
        self.kept.prisoners[WHO] = PRISONER
        self.change(daily_limit_minor=limit)
        self.kept.suppliers["canteen"] = CANTEEN
        self.kept.suppliers["BT"] = BT
        self.kept.prisons["LEI"] = LEEDS
        for officer in (GOVERNOR, DEPUTY, STRANGER):
            self.kept.officers[officer.officer_id] = officer
        for purpose, code in CODES.items():
            account = GlAccount(purpose=GlPurpose(purpose), nomis_code=code, sop_account=code)
            self.kept.gl_accounts[purpose] = account

    def change(self, who: str = WHO, **fields: object) -> None:
        """Edit the prisoner in Postgres."""
        self.kept.prisoners[who] = self.kept.prisoners[who].model_copy(update=fields)

    # ---- commands

    def credit(
        self,
        amount: int,
        sub_account: str = "spends",
        at: str = MORNING,
        *,
        who: str = WHO,
        currency: str = "GBP",
        credit_id: str = "C1",
    ) -> list[Message] | Refused:
        command = CreditPrisoner(
            credit_id=credit_id,
            prisoner_id=who,
            sub_account=SubAccount(sub_account),
            amount=Money(amount_minor=amount, currency=currency),
            description="Postal order",
        )
        return self.give(command, at, who)

    def move(
        self, amount: int, source: str, target: str, *, who: str = WHO, currency: str = "GBP"
    ) -> list[Message] | Refused:
        command = MoveBetweenSubAccounts(
            transfer_id="T1",
            prisoner_id=who,
            source=SubAccount(source),
            target=SubAccount(target),
            amount=Money(amount_minor=amount, currency=currency),
            description="Weekly spends",
        )
        return self.give(command, MORNING, who)

    def submit(
        self,
        purchase_id: str,
        payments: int | dict[str, int],
        at: str = MORNING,
        *,
        funding: str = "spends",
        approved_by: str = "",
        circumstance: str = "",
        who: str = WHO,
        currency: str = "GBP",
    ) -> list[Message] | Refused:
        """`payments` are pence by supplier, or what the canteen gets; `funding` is `spends cash advance` or less."""
        by_supplier = {"canteen": payments} if isinstance(payments, int) else payments
        approval = None
        if "advance" in funding:
            approval = AdvanceApproval(approved_by=approved_by or None, circumstance=circumstance or None)
        command = SubmitPurchase(
            purchase_id=purchase_id,
            prisoner_id=who,
            payments=to_suppliers(by_supplier, currency),
            total=Money(amount_minor=sum(by_supplier.values()), currency=currency),
            funding=tuple(FundingSource(source) for source in funding.split()),
            description="Canteen Spends",
            approval=approval,
        )
        return self.give(command, at, who)

    def authorise(self, purchase_id: str, at: str = MORNING, *, who: str = WHO) -> list[Message] | Refused:
        return self.give(AuthorisePurchase(purchase_id=purchase_id, prisoner_id=who), at, who)

    def cancel(self, purchase_id: str, at: str = MORNING, *, who: str = WHO) -> list[Message] | Refused:
        return self.give(CancelPurchase(purchase_id=purchase_id, prisoner_id=who, reason="changed-mind"), at, who)

    def buy(
        self, purchase_id: str, payments: int | dict[str, int], at: str = MORNING, *, funding: str = "spends"
    ) -> list[Message]:
        """Submitted and authorised; the governor approves."""
        approved_by = "governor" if "advance" in funding else ""
        submitted = self.submit(purchase_id, payments, at, funding=funding, approved_by=approved_by)
        assert not isinstance(submitted, Refused), submitted
        authorised = self.authorise(purchase_id, at)
        assert not isinstance(authorised, Refused), authorised
        return authorised

    def refund(
        self,
        refund_id: str,
        purchase_id: str,
        payments: dict[str, int] | None = None,
        at: str = MORNING,
        *,
        who: str = WHO,
        currency: str = "GBP",
    ) -> list[Message] | Refused:
        """Without payments all that is left."""
        command = RefundPurchase(
            refund_id=refund_id,
            purchase_id=purchase_id,
            prisoner_id=who,
            payments=to_suppliers(payments or {}, currency),
            reason="out of stock",
        )
        return self.give(command, at, who)

    def write_off(
        self, advance_id: str, by: str = "governor", at: str = MORNING, *, who: str = WHO
    ) -> list[Message] | Refused:
        command = WriteOffAdvance(advance_id=advance_id, prisoner_id=who, written_off_by=by, reason="released")
        return self.give(command, at, who)

    def open_lines(self, transaction_id: str, who: str = WHO) -> tuple[str, ...]:
        """The ids of the lines that the general ledger has not taken."""
        row = self.kept.transactions.get(f"prisoner:{who}|{transaction_id}")
        return () if row is None else tuple(line.line_id for line in row.open)

    def processed(
        self, transaction_id: str, lines: tuple[str, ...] | None = None, at: str = MORNING, *, who: str = WHO
    ) -> list[Message] | Refused:
        """The general ledger took these lines, or all that are open."""
        named = self.open_lines(transaction_id, who) if lines is None else lines
        command = LinesProcessed(
            prisoner_id=who, transaction_id=transaction_id, file="adi/1.xlsx", line_ids=named or ("none",)
        )
        return self.give(command, at, who)

    def lines_refused(
        self, transaction_id: str, lines: tuple[str, ...] | None = None, at: str = MORNING, *, who: str = WHO
    ) -> list[Message] | Refused:
        """The general ledger refused these lines, or the first that is open."""
        named = self.open_lines(transaction_id, who)[:1] if lines is None else lines
        reasons = tuple(LineRefusal(line_id=line, reason="unknown account") for line in named or ("none",))
        command = LinesRefused(prisoner_id=who, transaction_id=transaction_id, file="adi/1.xlsx", reasons=reasons)
        return self.give(command, at, who)

    def correct(self, transaction_id: str, at: str = MORNING, *, who: str = WHO) -> list[Message] | Refused:
        command = CorrectLines(correction_id="K1", prisoner_id=who, transaction_id=transaction_id)
        return self.give(command, at, who)

    def give(self, message: Message, at: str, who: str = WHO) -> list[Message] | Refused:
        """What the room answers, carried out where it is not refused."""
        draft = Draft(f"prisoner:{who}", moment(at), Ledger(*self.money))
        verdict = self.room.decide(draft, message)
        return verdict if isinstance(verdict, Refused) else self._carry_out(draft, verdict)

    def tick(self, at: str) -> list[Message]:
        """The events of all that falls due."""
        events: list[Message] = []
        for due in self.room.due(moment(at)):
            if isinstance(due, Notice):
                events += self._carry_out(None, due.events)
            else:
                assert not isinstance(due.verdict, Refused), due
                events += self._carry_out(due.draft, due.verdict)
        return events

    def _carry_out(self, draft: Draft | None, events: object) -> list[Message]:
        assert isinstance(events, list)
        if draft is not None:
            draft.commit()
        for event in events:
            self.room.evolve(event)
            if isinstance(event, GeneralLedgerLine):
                self.lines.append(event)
        return events

    # ---- what stands

    def balance(self, account: str, who: str = WHO) -> Balance | None:
        return self.money.balances.get(f"prisoner:{who}|{account}|GBP")

    def stands(self, who: str = WHO) -> str:
        """Every balance that is not zero, and what is locked of it: `spends 100/30`."""
        found = []
        for key in sorted(self.money.balances):
            book, account, currency = key.split("|")
            row = self.money.balances[key]
            if book == f"prisoner:{who}" and (row.posted or row.locked):
                assert currency == "GBP"
                found.append(f"{account} {row.posted}" + (f"/{row.locked}" if row.locked else ""))
        return ", ".join(found)

    def state(self, purchase_id: str, who: str = WHO) -> str | None:
        row = self.kept.purchases.get(f"prisoner:{who}|{purchase_id}")
        return None if row is None else row.state

    def advances(self, who: str = WHO) -> str:
        """The open advances: `P1 active 40/10`, which is what was lent and what is repaid of it."""
        row = self.kept.advances.get(f"prisoner:{who}")
        each = () if row is None else row.open
        return ", ".join(f"{a.advance_id} {a.state} {a.amount_minor}/{a.repaid_minor}" for a in each)

    def days(self) -> str:
        """The open day, and later ones that have lines: `2024-01-09 lines 2 debit 30 credit 30`."""
        row = self.kept.open_days.get(OPEN_DAYS)
        each = () if row is None else row.days
        return ", ".join(
            f"{day.date} lines {day.lines} debit {day.debit_minor} credit {day.credit_minor}" for day in each
        )


def to_suppliers(by_supplier: dict[str, int], currency: str = "GBP") -> tuple[SupplierPayment, ...]:
    return tuple(
        SupplierPayment(supplier_id=supplier, amount=Money(amount_minor=amount, currency=currency))
        for supplier, amount in by_supplier.items()
    )


def entries(events: object) -> list[str]:
    """The general-ledger lines among events, in their pairs, as `2102 -> 2501 30`."""
    assert isinstance(events, list), events
    lines = [event for event in events if isinstance(event, GeneralLedgerLine)]
    pairs = list(zip(lines[::2], lines[1::2], strict=True))
    assert all(debit.amount == credit.amount for debit, credit in pairs)
    assert all((debit.side, credit.side) == ("debit", "credit") for debit, credit in pairs)
    return [f"{debit.gl_account} -> {credit.gl_account} {debit.amount.amount_minor}" for debit, credit in pairs]


def told(events: object) -> list[str]:
    """The names of events, without general-ledger lines."""
    assert isinstance(events, list), events
    return [type(event).__name__ for event in events if not isinstance(event, GeneralLedgerLine)]


def moment(at: str) -> int:
    """UTC micros of `09 10:00` in January 2024, or of a full moment."""
    return to_micros(datetime.fromisoformat(f"{at if at.count('-') else '2024-01-' + at}+00:00"))


def pounds(amount_minor: int) -> Money:
    return Money(amount_minor=amount_minor, currency="GBP")
