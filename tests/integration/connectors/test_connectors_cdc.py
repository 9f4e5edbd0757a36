"""Rows edited in Postgres arrive as reference messages, by Debezium and by no other path (PIPE-06)."""

from decimal import Decimal

import pytest
from connectors_place import Place, eventually

from connectors.cdc import Op, records_of
from connectors.rest import Connect
from connectors.tables import TABLES
from schemas.dealer_billing import Dealer
from schemas.dealer_deposits import DepositTier
from schemas.dealer_reference import CommissionPolicy, CommissionRate
from schemas.mobility import GroupMember, VehiclePrice
from schemas.prison_reference import GlAccount, GlPurpose, Officer, Prison, Prisoner, Supplier

PUBLISH = """
INSERT INTO reference.fee_schedule_versions (schedule_id, currency, unlock_minor, per_minute_minor, vat_rate)
VALUES ('standard', 'EUR', %s, 21.123456789, 0.25)
"""

EARLY = {
    "vehicle_prices": VehiclePrice(
        vehicle_id="early",
        msp_id="swift",
        model_id="s1",
        vehicle_type="scooter",
        schedule_id="standard",
        version=1,
        currency="EUR",
        unlock_minor=100,
        per_minute_minor=Decimal("19.5"),
        vat_rate=Decimal("0.25"),
    ),
    "group_members": GroupMember(group_id="g1", rider_id="early"),
    "dealers": Dealer(dealer_id="early", cme_dealer_id="cme-early", name="Early Ltd"),
    "prisoners": Prisoner(prisoner_id="early", prison_id="LEI", cost_centre="1210"),
    "suppliers": Supplier(supplier_id="early", name="Early", gl_account="2617"),
    "prisons": Prison(
        prison_id="early",
        cost_centre="1210",
        advance_allowed_minor=5_000,
        advance_instalment_minor=500,
        advance_every_days=7,
        automatic_circumstances=("arrival", "transfer"),
    ),
    "officers": Officer(officer_id="early", prison_id="early", may_approve_advances=True, may_write_off=False),
    "gl_accounts": GlAccount(purpose=GlPurpose.SPENDS, nomis_code="2102", sop_account="2617"),
    "deposit_tiers": DepositTier(tier_id="early", segment="small", currency="EUR", from_minor=100),
    "commission_rates": CommissionRate(rate_id="early", version=1, share=Decimal("0.05"), valid_from=7),
    "commission_policies": CommissionPolicy(policy_id="commission", zone="Europe/Moscow", bill_after_days=1),
}
ROW_ID = {"gl_accounts": "spends", "commission_policies": "commission"}


@pytest.mark.requirement("PIPE-06")
@pytest.mark.parametrize("table", [table.name for table in TABLES])
def test_a_row_from_before_the_connectors_arrives_once_by_the_snapshot(place: Place, table: str) -> None:
    changes = place.changes(table, ROW_ID.get(table, "early"), 1)
    assert [change.op for change in changes].count(Op.SNAPSHOT) == 1
    assert changes[0].op is Op.SNAPSHOT
    assert [record.message for record in records_of(changes[0])] == [EARLY[table]]


@pytest.mark.requirement("PIPE-06", "MOB-03")
def test_a_price_version_inserted_by_sql_arrives_for_every_vehicle_of_its_models(place: Place) -> None:
    place.sql("INSERT INTO reference.vehicles VALUES ('priced-1', 'swift', 's1'), ('priced-2', 'swift', 's1')")
    place.sql(PUBLISH, 250)
    for vehicle in ("priced-1", "priced-2"):
        created, updated = place.changes("vehicle_prices", vehicle, 2)
        assert (created.op, updated.op) == (Op.CREATED, Op.UPDATED)
        assert updated.lsn > created.lsn
        (record,) = records_of(updated)
        assert isinstance(record.message, VehiclePrice)
        assert record.key == f"vehicle:{vehicle}"
        assert record.message.unlock_minor == 250
        assert record.message.per_minute_minor == Decimal("21.123456789")


@pytest.mark.requirement("PIPE-06")
def test_a_deleted_row_arrives_with_its_key_and_then_a_tombstone(place: Place) -> None:
    place.sql("INSERT INTO reference.suppliers VALUES ('gone', 'Gone', '2617')")
    place.sql("DELETE FROM reference.suppliers WHERE supplier_id = 'gone'")
    (_, deleted) = place.changes("suppliers", "gone", 2)
    assert [(record.key, record.message) for record in records_of(deleted)] == [("supplier:gone", None)]
    records = place.records("reference.suppliers.cdc.v1", lambda found: any(record.value() is None for record in found))
    assert [record.key() for record in records if record.value() is None] == [b'{"supplier_id":"gone"}']


@pytest.mark.requirement("PIPE-06", "MOB-11")
def test_a_members_move_leaves_the_old_group_and_enters_the_new(place: Place) -> None:
    place.sql("INSERT INTO reference.group_members VALUES ('mover', 'g1')")
    place.sql("UPDATE reference.group_members SET group_id = 'g2' WHERE rider_id = 'mover'")
    place.sql("DELETE FROM reference.group_members WHERE rider_id = 'mover'")
    told = [records_of(change) for change in place.changes("group_members", "mover", 3)]
    assert [[(record.key, record.row_id, record.message) for record in records] for records in told] == [
        [("group:g1", "mover", GroupMember(group_id="g1", rider_id="mover"))],
        [("group:g1", "mover", None), ("group:g2", "mover", GroupMember(group_id="g2", rider_id="mover"))],
        [("group:g2", "mover", None)],
    ]


@pytest.mark.requirement("PIPE-06", "PRI-10")
def test_a_prisons_new_cost_centre_arrives_for_its_prisoners(place: Place) -> None:
    place.sql("INSERT INTO reference.prisons VALUES ('MDI', 'Moorland', '1211')")
    place.sql("INSERT INTO reference.prisoners (prisoner_id, prison_id, daily_limit_minor) VALUES ('A1', 'MDI', 550)")
    place.sql("UPDATE reference.prisons SET cost_centre = '1299' WHERE prison_id = 'MDI'")
    told = [records_of(change)[0].message for change in place.changes("prisoners", "A1", 2)]
    assert told == [
        Prisoner(prisoner_id="A1", prison_id="MDI", cost_centre=cost_centre, daily_limit_minor=550)
        for cost_centre in ("1211", "1299")
    ]


@pytest.mark.requirement("PIPE-06", "PRI-04", "PRI-05")
def test_a_prisons_policy_and_a_governors_permission_arrive_as_they_are_typed_in(place: Place) -> None:
    place.sql("INSERT INTO reference.prisons VALUES ('WWI', 'Wandsworth', '1212')")
    place.sql("UPDATE reference.prisons SET automatic_circumstances = '{arrival}' WHERE prison_id = 'WWI'")
    told = [records_of(change)[0].message for change in place.changes("prisons", "WWI", 2)]
    assert told == [
        Prison(prison_id="WWI", cost_centre="1212", automatic_circumstances=circumstances)
        for circumstances in ((), ("arrival",))
    ]
    place.sql("INSERT INTO reference.prisoners VALUES ('A4', 'WWI')")
    permission = "cash_permission_until = reference.micros('2030-01-01 00:00Z'), cash_permission_most_minor = 5"
    place.sql(f"UPDATE reference.prisoners SET {permission} WHERE prisoner_id = 'A4'")
    changes = place.changes("prisoners", "A4", 2)
    (message,) = (record.message for record in records_of(changes[1]))
    assert isinstance(message, Prisoner)
    assert (message.cash_permission_until, message.cash_permission_most_minor) == (1_893_456_000_000_000, 5)


@pytest.mark.requirement("PIPE-15")
def test_a_dealers_legal_details_never_leave_postgres(place: Place) -> None:
    place.sql("INSERT INTO reference.dealers VALUES ('secretive', 'cme-s', 'Secretive', 'never to be published')")
    place.sql("UPDATE reference.dealers SET requisite = 'never to be published either' WHERE dealer_id = 'secretive'")
    place.sql("DELETE FROM reference.dealers WHERE dealer_id = 'secretive'")
    for change in place.changes("dealers", "secretive", 3):
        assert "requisite" not in {*(change.before or ()), *(change.after or ())}
    values = place.records("reference.dealers.cdc.v1", lambda found: len(found) >= 4)
    assert not any(b"never" in (record.value() or b"") for record in values)


@pytest.mark.requirement("PIPE-06")
def test_a_change_made_while_the_source_restarts_arrives_once(place: Place) -> None:
    """Also after the log moved on with what is not published, which the slot follows."""
    place.sql("CREATE TABLE IF NOT EXISTS public.noise AS SELECT generate_series(1, 50000)")
    with Connect(place.settings.connect) as rest:
        rest.restart(f"{place.deployment.name}-reference")
        for number in range(20):
            place.sql("INSERT INTO reference.suppliers VALUES (%s, 'Restarted', '2617')", f"restart-{number}")
        eventually(
            lambda: [1] if rest.state(f"{place.deployment.name}-reference").tasks == ("RUNNING",) else [], "task"
        )
    place.sql("INSERT INTO reference.suppliers VALUES ('restart-last', 'Restarted', '2617')")
    place.changes("suppliers", "restart-last", 1)
    for number in range(20):
        assert len(place.changes("suppliers", f"restart-{number}", 1)) == 1


@pytest.mark.requirement("PIPE-06")
def test_the_slot_follows_the_log_that_others_write(place: Place) -> None:
    """By its heartbeats: Postgres would keep all that the projections write until the next price change."""
    place.sql("CREATE TABLE public.others AS SELECT repeat('x', 1000) FROM generate_series(1, 5000)")
    written = place.sql("SELECT pg_current_wal_lsn()::text")[0][0]
    place.until(
        "SELECT 1 FROM pg_replication_slots WHERE slot_name = %s AND confirmed_flush_lsn >= %s::pg_lsn",
        place.deployment.slot,
        written,
    )
