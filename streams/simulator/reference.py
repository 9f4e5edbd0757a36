"""Reference data as Debezium reports it: changes of Postgres rows, in an Avro envelope (PIPE-06)."""

import io
from collections.abc import Iterable, Iterator
from decimal import Decimal
from functools import cache
from typing import Any, NamedTuple

import fastavro
import orjson

from connectors.cdc import Op
from connectors.tables import TABLE_OF, Table
from schemas.avro import schema_of
from schemas.codec import HEADER, MAGIC, parse
from schemas.dealer_billing import Dealer
from schemas.dealer_deposits import DepositTier
from schemas.dealer_reference import COMMISSION, CommissionPolicy, CommissionRate
from schemas.fields import Message
from schemas.mobility import GroupMember, VehiclePrice
from schemas.prison_reference import GlAccount, GlPurpose, Officer, Prison, Prisoner, Supplier
from streams.demo.day import DAY_START_US, HOUR_US
from streams.demo.world import (
    ADVANCE_ALLOWED,
    CIRCUMSTANCES,
    EVERY_DAYS,
    GL_ACCOUNTS,
    INSTALMENT,
    MODELS,
    OFFICERS,
    PRISONS,
    RATES,
    SUPPLIERS,
    TIERS,
    VAT,
    World,
    cash_permission,
    prison_of,
)
from streams.simulator.registry import MemoryRegistry

DEARER_UNTIL_US = DAY_START_US - 20 * 24 * HOUR_US
"""Until then our percentage was a higher one."""


class RowChange(NamedTuple):
    """One change of one row; `lsn` is its place in the database's log."""

    table: str
    op: Op
    before: Message | None
    after: Message | None
    lsn: int = 1


class ChangeRecord(NamedTuple):
    """A record of a CDC topic."""

    topic: str
    key: bytes
    value: bytes


def rows_of(world: World) -> Iterator[RowChange]:
    """All that the back office has typed in before the day begins, as a snapshot reports it."""
    kinds = {f"{msp}-{kind}": kind for msp, types in MODELS.items() for kind in types}
    for vehicle_id, msp_id, model_id in world.vehicles:
        kind = kinds[model_id]
        unlock_minor, per_minute = RATES[kind]
        price = VehiclePrice(
            vehicle_id=vehicle_id, msp_id=msp_id, model_id=model_id, vehicle_type=kind, schedule_id=model_id, version=1,
            currency="EUR", unlock_minor=unlock_minor, per_minute_minor=Decimal(per_minute),
            vat_rate=Decimal(VAT[msp_id]),
        )  # fmt: skip
        yield _row("vehicle_prices", price)
    for group_id, riders in world.members.items():
        for rider_id in riders:
            yield _row("group_members", GroupMember(group_id=group_id, rider_id=rider_id))
    for dealer_id in world.dealers:
        yield _row("dealers", dealer_row(dealer_id))
    for tier_id in TIERS:
        yield _row("deposit_tiers", tier_of(tier_id))
    yield _row("commission_rates", CommissionRate(rate_id="r1", version=1, share=Decimal("0.05"), valid_from=0))
    policy = CommissionPolicy(policy_id=COMMISSION, zone="Europe/Moscow", bill_after_days=1)
    yield _row("commission_policies", policy)
    yield from _prison_rows(world)


def dealer_row(dealer_id: str) -> Dealer:
    """A dealer who accepted the offer."""
    return Dealer(dealer_id=dealer_id, cme_dealer_id=f"cme-{dealer_id}", name=f"Dealer {dealer_id}")


def later_rate() -> RowChange:
    """The rate after the first; where change data stands still, deals are charged before it comes."""
    later = CommissionRate(rate_id="r2", version=2, share=Decimal("0.0425"), valid_from=DEARER_UNTIL_US)
    return RowChange("commission_rates", Op.CREATED, None, later)


def tier_of(tier_id: str) -> DepositTier:
    """A deposit tier as it is before the day begins."""
    segment, currency, from_minor = TIERS[tier_id]
    return DepositTier(tier_id=tier_id, segment=segment, currency=currency, from_minor=from_minor)


def _prison_rows(world: World) -> Iterator[RowChange]:
    for prison_id, (_, cost_centre) in PRISONS.items():
        prison = Prison(
            prison_id=prison_id, cost_centre=cost_centre, advance_allowed_minor=ADVANCE_ALLOWED,
            advance_instalment_minor=INSTALMENT, advance_every_days=EVERY_DAYS,
            automatic_circumstances=tuple(CIRCUMSTANCES),
        )  # fmt: skip
        yield _row("prisons", prison)
    for officer_id, (prison_id, may_approve, may_write_off) in OFFICERS.items():
        officer = Officer(
            officer_id=officer_id, prison_id=prison_id, may_approve_advances=may_approve, may_write_off=may_write_off
        )  # fmt: skip
        yield _row("officers", officer)
    for purpose, (nomis_code, sop_account) in GL_ACCOUNTS.items():
        account = GlAccount(purpose=GlPurpose(purpose), nomis_code=nomis_code, sop_account=sop_account)
        yield _row("gl_accounts", account)
    for supplier_id in world.suppliers:
        name, gl_account = SUPPLIERS[supplier_id]
        yield _row("suppliers", Supplier(supplier_id=supplier_id, name=name, gl_account=gl_account))
    for number, prisoner_id in enumerate(world.prisoners):
        prison_id, (until, most) = prison_of(number), cash_permission(number)
        prisoner = Prisoner(
            prisoner_id=prisoner_id, prison_id=prison_id, cost_centre=PRISONS[prison_id][1],
            cash_permission_until=until, cash_permission_most_minor=most,
        )  # fmt: skip
        yield _row("prisoners", prisoner)


def _row(table: str, message: Message) -> RowChange:
    return RowChange(table, Op.SNAPSHOT, None, message)


class Debezium:
    """Writes changes as Debezium's converter does."""

    def __init__(self, registry: MemoryRegistry) -> None:
        self._schemas: dict[str, tuple[bytes, Any]] = {}
        for name, table in TABLE_OF.items():
            schema = envelope_schema(table)
            number = registry.number(orjson.dumps(schema).decode())
            self._schemas[name] = HEADER.pack(MAGIC, number), parse(schema)

    def records(self, changes: Iterable[RowChange]) -> Iterator[ChangeRecord]:
        """The records of changes, in their order."""
        for change in changes:
            table = TABLE_OF[change.table]
            row = change.after or change.before
            row_id = getattr(row, table.row_id)
            yield ChangeRecord(table.cdc_topic, f"{change.table}:{row_id}".encode(), self._encode(change))

    def _encode(self, change: RowChange) -> bytes:
        header, schema = self._schemas[change.table]
        source = {"table": change.table, "lsn": change.lsn, "ts_us": 0}
        before, after = (None if row is None else row.model_dump() for row in (change.before, change.after))
        buffer = io.BytesIO()
        fastavro.schemaless_writer(
            buffer, schema, {"op": change.op.value, "before": before, "after": after, "source": source}
        )
        return header + buffer.getvalue()


@cache
def _columns(message: type[Message]) -> Any:
    return {**schema_of(message), "name": "Value", "namespace": "reference"}


def envelope_schema(table: Table) -> dict[str, Any]:
    """The Avro schema of a table's changes: what Debezium adds that nobody reads is left out."""
    source = {
        "type": "record",
        "name": "Source",
        "fields": [
            {"name": "table", "type": "string"},
            {"name": "lsn", "type": "long"},
            {"name": "ts_us", "type": "long"},
        ],
    }
    return {
        "type": "record",
        "name": "Envelope",
        "namespace": f"reference.{table.name}",
        "fields": [
            {"name": "op", "type": "string"},
            {"name": "before", "type": ["null", _columns(table.message)]},
            {"name": "after", "type": ["null", "reference.Value"]},
            {"name": "source", "type": source},
        ],
    }
