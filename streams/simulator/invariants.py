"""What must hold of every run, whatever has happened in it. Each check tells differences as sentences."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from schemas.avro import full_name
from schemas.billing import BillingDone, BillingRefused
from schemas.dealer_accounts import AddFastBuyout, RegisterDealer
from schemas.dealer_billing import BillingPayment
from schemas.dealer_bills import CorrectBill, CreateBill, MatchPayment, VoidBill
from schemas.dealer_deposits import DepositReceived, DepositReturned
from schemas.fields import Contract
from schemas.general_ledger import CorrectLines, LinesProcessed, LinesRefused
from schemas.lots import DealConcluded, LotPriceChanged, LotWinnerChanged
from schemas.mobility import DepositBudget, TripCancelled, TripEnded, TripStarted
from schemas.prison_advances import WriteOffAdvance
from schemas.prison_batches import AuthoriseBatch, CancelBatch, SubmitBatch
from schemas.prison_finance import (
    AuthorisePurchase,
    CancelPurchase,
    CreditPrisoner,
    MoveBetweenSubAccounts,
    RefundPurchase,
    SubmitPurchase,
)
from schemas.topics import DECIDED, JOURNAL, PARTITIONS
from streams.audit.evidence import Row
from streams.audit.wire import Wire
from streams.simulator import lots
from streams.simulator.app import Table
from streams.simulator.evidence import audit, visible
from streams.simulator.kafka.broker import Broker
from streams.simulator.kafka.messages import Place
from streams.simulator.segments import segment_differences
from streams.simulator.worker import Worker


class Unsound(AssertionError):
    """Books in a worker's memory that are wrong in themselves."""


def check_books(balances: Table, partitions: Iterable[int]) -> None:
    """After a commit: debits are credits, and nothing is locked that is not there. Raises `Unsound`."""
    for partition in partitions:
        sums: Counter[str] = Counter()
        for key, row in balances.peek(partition).items():
            currency = key.rpartition("|")[2]
            sums[f"posted {currency}"] += row.debits_posted - row.credits_posted
            sums[f"pending {currency}"] += row.debits_pending - row.credits_pending
            if row.lots and (row.locked > row.posted or sum(lot.amount_minor for lot in row.lots) != row.posted):
                raise Unsound(f"{key}: {row.locked} locked of {row.posted} posted in {row.lots}")
        if any(sums.values()):
            raise Unsound(f"partition {partition}: debits and credits differ: {dict(sums)}")


def differences(broker: Broker, workers: Iterable[Worker], wire: Wire) -> Iterator[str]:
    """Everything that is wrong at the end of a run; nothing if all is right."""
    for finding in audit(broker, wire).findings.kept:
        yield f"{finding.kind}: {finding.where}: expected {finding.expected}, found {finding.found}"
    at_work = list(workers)
    for worker in at_work:
        yield from _memory(broker, worker)
    yield from lots.astray(at_work)
    yield from _repetitions(broker, wire)
    yield from segment_differences(broker, wire)


def _memory(broker: Broker, worker: Worker) -> Iterator[str]:
    """Tables in memory are what a successor would restore."""
    for table in worker.tables:
        for partition in worker.partitions:
            stored: dict[str, bytes] = {}
            for record in visible(broker, Place(table.changelog_topic_name, partition)):
                key = (record.key() or b"").decode()
                value = record.value()
                if value is None:
                    stored.pop(key, None)
                else:
                    stored[key] = value
            held = {key: table.encoded(row) for key, row in table.peek(partition).items()}
            for key in sorted(stored.keys() | held.keys()):
                if stored.get(key) != held.get(key):
                    found = f"the changelog has {stored.get(key)!r}, the worker {held.get(key)!r}"
                    yield f"memory_differs: {table.name}/{partition} {key}: {found}"


def _repetitions(broker: Broker, wire: Wire) -> Iterator[str]:
    """What is sent again has its first outcome, and no other: under its own id, or under another one (PIPE-05)."""
    entries = {}
    for partition in range(PARTITIONS):
        for record in visible(broker, Place(JOURNAL.name, partition)):
            fields = wire.fields(JOURNAL.messages[0], record.value())
            entries[fields["cause_topic"], fields["cause_partition"], fields["cause_offset"]] = fields
    for topic in DECIDED:
        for partition in range(PARTITIONS):
            yield from _repeated(topic.name, partition, broker, wire, entries)


class _First(NamedTuple):
    """What was said under an id first, and the decision on it."""

    value: bytes | None
    decision_id: str


def _repeated(topic: str, partition: int, broker: Broker, wire: Wire, entries: Mapping[Any, Row]) -> Iterator[str]:
    told: dict[tuple[str, ...], _First] = {}
    done: dict[tuple[str, ...], _First] = {}
    for record in visible(broker, Place(topic, partition)):
        entry = entries.get((topic, partition, record.offset()))
        if entry is None:
            continue
        source = next(value for name, value in record.headers() or () if name == "ce_source")
        event = (entry["book"], (source or b"").decode(), entry["cause_id"])
        deed = _deed(entry, record.value(), wire)
        this, outcome = _First(record.value(), entry["decision_id"]), entry["outcome"]
        if first := told.get(event):
            expected = "duplicate" if first.value == this.value else "refused"
        elif first := done.get(deed):
            is_the_same = first.value == this.value and entry["cause_type"] not in _STEPS
            expected = "duplicate" if is_the_same else "refused"
        if first is not None and outcome != expected:
            yield f"repetition: {this.decision_id} repeats {first.decision_id}: {outcome}, not {expected}"
        told.setdefault(event, this)
        if deed and outcome == "accepted":
            done[deed] = this


DONE_ONCE: Mapping[type[Contract], tuple[str, ...]] = {
    DepositBudget: ("deposit_id",),
    BillingPayment: ("payment_id",),
    DepositReceived: ("payment_id",),
    DepositReturned: ("payment_id",),
    BillingDone: ("call_id",),
    BillingRefused: ("call_id",),
    MatchPayment: ("match_id",),
    DealConcluded: ("version",),
    LotPriceChanged: ("version",),
    LotWinnerChanged: ("version",),
    CreditPrisoner: ("credit_id",),
    MoveBetweenSubAccounts: ("transfer_id",),
    RefundPurchase: ("refund_id",),
    WriteOffAdvance: ("advance_id",),
    LinesProcessed: ("transaction_id", "file"),
    LinesRefused: ("transaction_id", "file"),
    CorrectLines: ("correction_id",),
}
"""What upstream may do once only, and the fields that say what it is: it is the same whatever event carries it."""

STEPS: Mapping[type[Contract], tuple[str, ...]] = {
    TripStarted: ("trip_id",),
    TripEnded: ("trip_id",),
    TripCancelled: ("trip_id",),
    RegisterDealer: ("dealer_id",),
    AddFastBuyout: ("dealer_id",),
    CreateBill: ("bill_id",),
    VoidBill: ("bill_id",),
    CorrectBill: ("bill_id",),
    SubmitPurchase: ("purchase_id",),
    AuthorisePurchase: ("purchase_id",),
    CancelPurchase: ("purchase_id",),
    SubmitBatch: ("batch_id",),
    AuthoriseBatch: ("batch_id",),
    CancelBatch: ("batch_id",),
}
"""What comes once in the life of one thing: in another event it comes too late, and is refused."""

_STEPS = {full_name(message) for message in STEPS}
_DEEDS = {full_name(message): (message, fields) for message, fields in {**DONE_ONCE, **STEPS}.items()}


def _deed(entry: Row, value: bytes | None, wire: Wire) -> tuple[str, ...]:
    """What a record asks for, if that is done once only; what was refused may be asked for again."""
    if entry["cause_type"] not in _DEEDS:
        return ()
    message, names = _DEEDS[entry["cause_type"]]
    fields = wire.fields(message, value)
    return (entry["book"], entry["cause_type"], *(fields[name] for name in names))
