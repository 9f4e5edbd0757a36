"""Changes of rows become reference messages, tombstones, or a named refusal (PIPE-06)."""

from decimal import Decimal
from typing import Any

import pytest

from connectors.cdc import Change, Op, ReferenceRecord, records_of
from connectors.tables import TABLE_OF, TABLES
from schemas.codec import Undecodable
from schemas.dealer_billing import Dealer
from schemas.dealer_deposits import DepositTier
from schemas.dealer_reference import CommissionPolicy, CommissionRate
from schemas.fields import Message
from schemas.mobility import GroupMember, VehiclePrice
from schemas.prison_reference import GlAccount, GlPurpose, Officer, Prison, Prisoner, Supplier
from schemas.topics import GROUP_MEMBERS, Topic

PRICE = {
    "vehicle_id": "v1",
    "msp_id": "swift",
    "model_id": "s1",
    "vehicle_type": "scooter",
    "schedule_id": "standard",
    "version": 3,
    "currency": "EUR",
    "unlock_minor": 100,
    "per_minute_minor": Decimal("19.500000000"),
    "vat_rate": Decimal("0.250000000"),
}
ROWS: dict[str, tuple[dict[str, Any], str, Message]] = {
    "vehicle_prices": (PRICE, "vehicle:v1", VehiclePrice(**PRICE)),
    "group_members": (
        {"rider_id": "r1", "group_id": "g1"},
        "group:g1",
        GroupMember(group_id="g1", rider_id="r1"),
    ),
    "dealers": (
        {"dealer_id": "d1", "cme_dealer_id": "c1", "name": "D"},
        "dealer:d1",
        Dealer(dealer_id="d1", cme_dealer_id="c1", name="D"),
    ),
    "prisoners": (
        {"prisoner_id": "A1", "prison_id": "LEI", "cost_centre": "1210", "daily_limit_minor": None},
        "prisoner:A1",
        Prisoner(prisoner_id="A1", prison_id="LEI", cost_centre="1210"),
    ),
    "suppliers": (
        {"supplier_id": "s1", "name": "S", "gl_account": "2617"},
        "supplier:s1",
        Supplier(supplier_id="s1", name="S", gl_account="2617"),
    ),
    "prisons": (
        {
            "prison_id": "LEI",
            "name": "Leeds",
            "cost_centre": "1210",
            "advance_allowed_minor": 5_000,
            "advance_instalment_minor": 500,
            "advance_every_days": 7,
            "automatic_circumstances": ["arrival"],
        },
        "prison:LEI",
        Prison(
            prison_id="LEI",
            cost_centre="1210",
            advance_allowed_minor=5_000,
            advance_instalment_minor=500,
            advance_every_days=7,
            automatic_circumstances=("arrival",),
        ),
    ),
    "officers": (
        {"officer_id": "o1", "prison_id": "LEI", "may_approve_advances": True, "may_write_off": False},
        "officer:o1",
        Officer(officer_id="o1", prison_id="LEI", may_approve_advances=True, may_write_off=False),
    ),
    "gl_accounts": (
        {"purpose": "spends", "nomis_code": "2102", "sop_account": "2617"},
        "gl-account:spends",
        GlAccount(purpose=GlPurpose.SPENDS, nomis_code="2102", sop_account="2617"),
    ),
    "deposit_tiers": (
        {"tier_id": "t1", "segment": "small", "currency": "EUR", "from_minor": 100},
        "deposit-tier:t1",
        DepositTier(tier_id="t1", segment="small", currency="EUR", from_minor=100),
    ),
    "commission_rates": (
        {"rate_id": "2026", "version": 1, "share": Decimal("0.050000000"), "valid_from": 7},
        "commission-rate:2026",
        CommissionRate(rate_id="2026", version=1, share=Decimal("0.05"), valid_from=7),
    ),
    "commission_policies": (
        {"policy_id": "commission", "zone": "Europe/Moscow", "bill_after_days": 1},
        "commission-policy:commission",
        CommissionPolicy(policy_id="commission", zone="Europe/Moscow", bill_after_days=1),
    ),
}
NAMES = [table.name for table in TABLES]


def change(table: str, op: Op, before: dict[str, Any] | None, after: dict[str, Any] | None) -> Change:
    return Change(table, op, before, after, lsn=1, source_ts_us=1)


def topic(table: str) -> Topic:
    return TABLE_OF[table].to


def row_id(table: str) -> str:
    return str(ROWS[table][0][TABLE_OF[table].row_id])


def emptied(table: str) -> dict[str, Any]:
    """A deleted row as Debezium tells it where only the primary key is in the replica identity."""
    return {name: "" if isinstance(value, str) else 0 for name, value in ROWS[table][0].items()} | {
        TABLE_OF[table].row_id: row_id(table)
    }


@pytest.mark.requirement("PIPE-06")
@pytest.mark.parametrize("table", NAMES)
@pytest.mark.parametrize("op", [Op.SNAPSHOT, Op.CREATED, Op.UPDATED])
def test_a_row_becomes_its_message(table: str, op: Op) -> None:
    row, key, message = ROWS[table]
    assert records_of(change(table, op, None, row)) == [ReferenceRecord(topic(table), key, message, row_id(table))]


@pytest.mark.requirement("PIPE-06")
@pytest.mark.parametrize("table", [name for name in NAMES if name != "group_members"])
def test_a_deleted_row_becomes_a_tombstone_although_only_its_key_is_known(table: str) -> None:
    _, key, _ = ROWS[table]
    deleted = change(table, Op.DELETED, emptied(table), None)
    assert records_of(deleted) == [ReferenceRecord(topic(table), key, None, row_id(table))]


@pytest.mark.requirement("PIPE-06", "MOB-11")
def test_a_members_move_leaves_the_old_group_first() -> None:
    moved = change(
        "group_members", Op.UPDATED, {"rider_id": "r1", "group_id": "g1"}, {"rider_id": "r1", "group_id": "g2"}
    )
    assert records_of(moved) == [
        ReferenceRecord(GROUP_MEMBERS, "group:g1", None, "r1"),
        ReferenceRecord(GROUP_MEMBERS, "group:g2", GroupMember(group_id="g2", rider_id="r1"), "r1"),
    ]


def test_an_update_that_stays_under_its_key_takes_nothing_away() -> None:
    row, key, message = ROWS["group_members"]
    assert records_of(change("group_members", Op.UPDATED, row, row)) == [
        ReferenceRecord(GROUP_MEMBERS, key, message, "r1")
    ]


@pytest.mark.requirement("PIPE-06", "MOB-11")
def test_a_member_without_the_old_group_is_refused_rather_than_left_in_it() -> None:
    """The old group is only known by REPLICA IDENTITY FULL."""
    with pytest.raises(Undecodable, match="replica identity of group_members") as raised:
        records_of(change("group_members", Op.DELETED, {"rider_id": "r1", "group_id": ""}, None))
    assert (raised.value.reason, raised.value.field) == ("no_key", "before.group_id")


def test_columns_that_the_message_does_not_have_are_left_out() -> None:
    row, _, message = ROWS["suppliers"]
    (record,) = records_of(change("suppliers", Op.CREATED, None, row | {"edited_by": "someone"}))
    assert record.message == message


@pytest.mark.requirement("PIPE-06")
@pytest.mark.parametrize(
    ("table", "bad", "field"),
    [
        ("vehicle_prices", {"currency": "euro"}, "after.currency"),
        ("vehicle_prices", {"version": 0}, "after.version"),
        ("vehicle_prices", {"per_minute_minor": Decimal("-1")}, "after.per_minute_minor"),
        ("vehicle_prices", {"vat_rate": Decimal("0.1234567891")}, "after.vat_rate"),
        ("vehicle_prices", {"unlock_minor": 10**15 + 1}, "after.unlock_minor"),
        ("vehicle_prices", {"vehicle_id": "a|b"}, "after.vehicle_id"),
        ("group_members", {"group_id": None}, "after.group_id"),
        ("dealers", {"name": ""}, "after.name"),
        ("prisoners", {"daily_limit_minor": -1}, "after.daily_limit_minor"),
        ("prisoners", {"cash_permission_until": -1}, "after.cash_permission_until"),
        ("suppliers", {"gl_account": "26/17"}, "after.gl_account"),
        ("prisons", {"advance_every_days": 0}, "after.advance_every_days"),
        ("prisons", {"automatic_circumstances": ["a", None]}, "after.automatic_circumstances.1"),
        ("officers", {"may_write_off": None}, "after.may_write_off"),
        ("gl_accounts", {"sop_account": ""}, "after.sop_account"),
        ("deposit_tiers", {"from_minor": 0}, "after.from_minor"),
        ("commission_rates", {"share": Decimal(1)}, "after.share"),
        ("commission_rates", {"version": 0}, "after.version"),
        ("commission_policies", {"zone": "Europe/Moskau"}, "after.zone"),
        ("commission_policies", {"bill_after_days": 32}, "after.bill_after_days"),
    ],
)
def test_a_row_that_is_no_message_names_its_field(table: str, bad: dict[str, Any], field: str) -> None:
    with pytest.raises(Undecodable) as raised:
        records_of(change(table, Op.CREATED, None, ROWS[table][0] | bad))
    assert (raised.value.reason, raised.value.field) == ("refused_by_schema", field)


@pytest.mark.parametrize("table", NAMES)
def test_a_missing_column_is_named(table: str) -> None:
    column = TABLE_OF[table].row_id
    row = {name: value for name, value in ROWS[table][0].items() if name != column}
    with pytest.raises(Undecodable) as raised:
        records_of(change(table, Op.CREATED, None, row))
    assert raised.value.field == f"after.{column}"


def test_a_table_that_is_not_declared_is_named() -> None:
    with pytest.raises(Undecodable) as raised:
        records_of(change("strangers", Op.CREATED, None, {}))
    assert (raised.value.reason, raised.value.field) == ("unknown_table", "source.table")
