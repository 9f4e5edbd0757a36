"""A prison of the stories' own: its people, its suppliers, and what its shop sends."""

import time

from schemas.fields import Money
from schemas.general_ledger import GeneralLedgerLine
from schemas.prison_finance import (
    AdvanceApproval,
    AuthorisePurchase,
    CreditPrisoner,
    FundingSource,
    PrisonerCredited,
    PurchaseAuthorised,
    PurchasePending,
    Refused,
    SubAccount,
    SubmitPurchase,
    SupplierPayment,
)
from schemas.prison_reference import GlAccount, GlPurpose, Officer, Prisoner, Supplier
from schemas.prison_reference import Prison as PrisonMessage
from tests.e2e.world import World, fresh

CODES = {"spends": "2102", "cash": "2101", "savings": "2103", "advance": "2199", "owed": "1502", "written_off": "4104"}
HOUR_US = 3_600_000_000


def gbp(amount_minor: int) -> Money:
    return Money(amount_minor=amount_minor, currency="GBP")


class Prison:
    """Lends up to 20 pounds, to be repaid by a pound a day; two suppliers. Everything is typed into Postgres."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.prison_id, self.governor = fresh("PRI"), fresh("OFF")
        world.sql(
            "INSERT INTO reference.prisons VALUES (%s, 'HMP', %s, 2000, 100, 1, '{arrival}')",
            self.prison_id,
            self.prison_id,
        )
        world.sql("INSERT INTO reference.officers VALUES (%s, %s, true, true)", self.governor, self.prison_id)
        for purpose, code in CODES.items():
            insertion = "INSERT INTO reference.gl_accounts VALUES (%s, %s, %s) ON CONFLICT DO NOTHING"
            world.sql(insertion, purpose, code, code)
        for supplier, code in (("CANTEEN", "2501"), ("BT", "2502")):
            insertion = "INSERT INTO reference.suppliers VALUES (%s, %s, %s) ON CONFLICT DO NOTHING"
            world.sql(insertion, supplier, supplier.title(), code)
            world.told(Supplier, supplier_id=supplier)
        world.told(PrisonMessage, prison_id=self.prison_id)
        world.told(Officer, officer_id=self.governor)
        for purpose in CODES:
            world.told(GlAccount, purpose=GlPurpose(purpose))

    def prisoner(self, spends: int = 0, cash: int = 0, savings: int = 0, *, permitted: bool = True) -> str:
        """A prisoner with so many pence, who may pay 30 pounds of cash beside spends for an hour, or none."""
        prisoner, until = fresh("A"), time.time_ns() // 1_000 + HOUR_US
        self.world.sql(
            "INSERT INTO reference.prisoners"
            " (prisoner_id, prison_id, cash_permission_until, cash_permission_most_minor) VALUES (%s, %s, %s, %s)",
            prisoner,
            self.prison_id,
            *((until, 3_000) if permitted else (None, None)),
        )
        self.world.told(Prisoner, prisoner_id=prisoner)
        for account, amount in zip(SubAccount, (cash, spends, savings), strict=True):
            if amount:
                self.credit(prisoner, amount, account)
        return prisoner

    def credit(self, prisoner: str, amount: int, account: SubAccount = SubAccount.SPENDS) -> str:
        """Money comes in, and is there."""
        credit = fresh("crd")
        self.world.send(
            CreditPrisoner(
                credit_id=credit, prisoner_id=prisoner, sub_account=account, amount=gbp(amount), description="Wage"
            )
        )
        self.world.told(PrisonerCredited, credit_id=credit)
        return credit

    def submit(self, prisoner: str, payments: dict[str, int], funding: str, approved_by: str = "") -> str:
        """The id of a purchase that the shop has submitted."""
        order = self.order(prisoner, payments, funding, approved_by)
        self.world.send(order)
        return order.purchase_id

    def order(self, prisoner: str, payments: dict[str, int], funding: str, approved_by: str = "") -> SubmitPurchase:
        """What the shop submits for a new purchase."""
        return SubmitPurchase(
            purchase_id=fresh("CANTEEN"),
            prisoner_id=prisoner,
            payments=tuple(SupplierPayment(supplier_id=s, amount=gbp(a)) for s, a in payments.items()),
            total=gbp(sum(payments.values())),
            funding=tuple(FundingSource(source) for source in funding.split()),
            description="Canteen Spends",
            approval=AdvanceApproval(approved_by=approved_by) if "advance" in funding else None,
            receipt_to="prisoner@prison.example",
        )

    def refused(self, prisoner: str, payments: dict[str, int], funding: str, approved_by: str = "") -> Refused:
        """Why a purchase is refused."""
        return self.world.told(Refused, refused_id=self.submit(prisoner, payments, funding, approved_by))

    def parts(self, purchase: str) -> list[tuple[str, str, int]]:
        """What pays what of a pending purchase."""
        pending = self.world.told(PurchasePending, purchase_id=purchase)
        return [(part.source.value, part.supplier_id, part.amount_minor) for part in pending.parts]

    def authorise(self, prisoner: str, purchase: str) -> list[tuple[str, str, int]]:
        """The general-ledger entries of a confirmed purchase: debited and credited code, pence."""
        self.world.send(AuthorisePurchase(purchase_id=purchase, prisoner_id=prisoner))
        self.world.told(PurchaseAuthorised, purchase_id=purchase)
        return entries(self.lines(purchase))

    def lines(self, transaction: str) -> list[GeneralLedgerLine]:
        """The ledger lines of a transaction so far."""
        return [line for line in self.world.read(GeneralLedgerLine) if line.transaction_id == transaction]


def entries(lines: list[GeneralLedgerLine]) -> list[tuple[str, str, int]]:
    pairs = zip(lines[::2], lines[1::2], strict=True)
    assert all(debit.amount == credit.amount for debit, credit in zip(lines[::2], lines[1::2], strict=True))
    return [(debit.gl_account, credit.gl_account, debit.amount.amount_minor) for debit, credit in pairs]
