"""What the external Billing holds, by what it was asked and has answered, against what dealers' books say of it."""

from typing import NamedTuple

from tests.torture import kafka
from tests.torture.events import BILLING_ANSWERS, BILLING_CALLS
from tests.torture.load import EXPECT
from tests.torture.verifier.differences import Differences
from tests.torture.verifier.model import Fields, Model
from tests.torture.wire import Wire


class Held(NamedTuple):
    """What Billing has: of a bill account, sum and currency; of a lot the last commission that it was told, if any."""

    bills: dict[str, tuple[str, int, str]]
    commission: dict[str, int]


def check(servers: str, wire: Wire, model: Model, differences: Differences) -> None:
    """A bill that is owed is in Billing, once and of this sum, and no other; a lot's commission is what it was told."""
    asked = [wire.decode(record.value()) for record in kafka.read(servers, BILLING_CALLS)]
    done: dict[str, bool] = {}
    for record in kafka.read(servers, BILLING_ANSWERS):
        if EXPECT not in dict(record.headers()):
            name, fields = wire.decode(record.value())
            done.setdefault(fields["call_id"], name == "BillingDone")
    found, expected = held(asked, done), owed(model)
    differences.compare("Billing bills", dict(expected.bills), dict(found.bills))
    differences.compare("Billing commission", dict(expected.commission), dict(found.commission))


def held(asked: list[tuple[str, Fields]], done: dict[str, bool]) -> Held:
    """By calls in the order of each book, and which of them Billing has carried out; but for bills that it is asked to
    void, as it may refuse that."""
    bills: dict[str, tuple[str, int, str]] = {}
    commission: dict[str, tuple[int, int]] = {}
    withdrawn = set[str]()
    for name, fields in asked:
        key = f"dealer:{fields['dealer_id']}|{fields.get('bill_id') or fields.get('lot_id')}"
        if name == "IssueBill" and done.get(fields["call_id"]):
            amount = fields["amount"]
            bills[key] = fields["account"], amount["amount_minor"], amount["currency"]
        elif name == "WithdrawBill":
            withdrawn.add(key)
        elif name == "ReportCommission":
            commission[key] = max(commission.get(key, (0, 0)), (fields["version"], fields["commission_minor"]))
    standing = {key: bill for key, bill in bills.items() if key not in withdrawn}
    return Held(standing, {key: minor for key, (_, minor) in commission.items()})


def owed(model: Model) -> Held:
    """By dealers' books: bills that are sent, and what each lot's deal is charged of commission."""
    bills = {key: (bill["account"], bill["common"], bill["currency"]) for key, bill in model.bills.items()
             if bill["life"] == "sent"}  # fmt: skip
    return Held(bills, {key: 0 if deal["month"] is None else deal["charged"] for key, deal in model.deals.items()
                        if deal["reports"]})  # fmt: skip
