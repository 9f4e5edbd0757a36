"""One partition of prison finance for tests: commands go in, ticks pass, and a line says what then stands.

Moments are given as `09 10:00` or `09 10:00:30`: day and time of January 2024 in UTC, which is London's winter time; or
in full, `2024-07-01 23:30`. Commands give the events, or the refusal; ticks give the events of all that fell due.
Nothing remembers ids here but the room's own rows.
"""

from datetime import datetime
from typing import NamedTuple

from schemas.fields import Message, Money, to_micros
from schemas.prison_finance import (
    AuthorisePurchase,
    CancelPurchase,
    CreditPrisoner,
    MoveBetweenSubAccounts,
    Prisoner,
    SubAccount,
    SubmitPurchase,
    Supplier,
)
from streams.ledger.accounts import Balance
from streams.ledger.draft import Draft, Ledger, Refused
from streams.ledger.limits import Usage
from streams.ledger.locks import Lock
from streams.prison_finance.accounting_day import OpenDays
from streams.prison_finance.purchase import Purchase
from streams.prison_finance.room import OPEN_DAYS, PrisonFinance, Tables
from streams.rooms import Notice
from streams.runtime.rows import Rows

WHO = "A1234BC"
MORNING = "09 10:00"
PRISONER = Prisoner(prisoner_id=WHO, prison_id="LEI", cost_centre="10572801")
CANTEEN = Supplier(supplier_id="canteen", name="Canteen", gl_account="2501")


class Kept(NamedTuple):
    """The room's own tables, as rows of the runtime."""

    purchases: Rows[Purchase]
    open_days: Rows[OpenDays]
    prisoners: Rows[Prisoner]
    suppliers: Rows[Supplier]


class MoneyTables(NamedTuple):
    """The money tables, as rows of the runtime."""

    balances: Rows[Balance]
    locks: Rows[Lock]
    limits: Rows[Usage]


class Partition:
    """Knows the prisoner and the canteen; `limit` is the prisoner's daily limit."""

    def __init__(self, limit: int | None = None) -> None:
        self.kept = Kept(Rows(Purchase, due=lambda row: row.until), Rows(OpenDays), Rows(Prisoner), Rows(Supplier))
        self.money = MoneyTables(Rows(Balance, due=lambda row: row.next_expiry), Rows(Lock), Rows(Usage))
        self.room = PrisonFinance(Tables(*self.kept), Ledger(*self.money))
        self.kept.prisoners[WHO] = PRISONER.model_copy(update={"daily_limit_minor": limit})
        self.kept.suppliers["canteen"] = CANTEEN

    # ---- commands

    def credit(
        self, amount: int, sub_account: str = "spends", at: str = MORNING, *, who: str = WHO, currency: str = "GBP"
    ) -> list[Message] | Refused:
        command = CreditPrisoner(
            credit_id="C1",
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
        amount: int,
        at: str = MORNING,
        *,
        who: str = WHO,
        supplier: str = "canteen",
        currency: str = "GBP",
    ) -> list[Message] | Refused:
        command = SubmitPurchase(
            purchase_id=purchase_id,
            prisoner_id=who,
            supplier_id=supplier,
            amount=Money(amount_minor=amount, currency=currency),
            description="Tea and biscuits",
        )
        return self.give(command, at, who)

    def authorise(self, purchase_id: str, at: str = MORNING, *, who: str = WHO) -> list[Message] | Refused:
        return self.give(AuthorisePurchase(purchase_id=purchase_id, prisoner_id=who), at, who)

    def cancel(self, purchase_id: str, at: str = MORNING, *, who: str = WHO) -> list[Message] | Refused:
        return self.give(CancelPurchase(purchase_id=purchase_id, prisoner_id=who, reason="changed-mind"), at, who)

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

    def days(self) -> str:
        """The open day, and later ones that have lines: `2024-01-09 lines 2 debit 30 credit 30`."""
        row = self.kept.open_days.get(OPEN_DAYS)
        each = () if row is None else row.days
        return ", ".join(
            f"{day.date} lines {day.lines} debit {day.debit_minor} credit {day.credit_minor}" for day in each
        )


def moment(at: str) -> int:
    """UTC micros of `09 10:00` in January 2024, or of a full moment."""
    return to_micros(datetime.fromisoformat(f"{at if at.count('-') else '2024-01-' + at}+00:00"))


def pounds(amount_minor: int) -> Money:
    return Money(amount_minor=amount_minor, currency="GBP")
