"""The log of Postgres and the source that reads it: neither holds up the other, whatever others write (PIPE-06)."""

import pytest
from connectors_place import Place, eventually

from connectors.rest import Connect

pytestmark = pytest.mark.requirement("PIPE-06")

LET_GO = "SELECT 1 FROM pg_replication_slots WHERE slot_name = %s AND restart_lsn - '0/0'::pg_lsn > %s"
READER = (
    "SELECT active_pid FROM pg_replication_slots WHERE slot_name = %s AND active_pid IS DISTINCT FROM %s AND active"
)


def let_others_write(place: Place) -> None:
    """What no reader of reference data sees."""
    place.sql("CREATE TABLE IF NOT EXISTS public.elsewhere (written text)")
    place.sql("INSERT INTO public.elsewhere SELECT repeat('x', 1000) FROM generate_series(1, 1000)")
    place.sql("CHECKPOINT")


def test_postgres_lets_go_of_what_others_wrote_and_a_source_that_starts_again_goes_on(place: Place) -> None:
    """Postgres may not let go of more than the source has remembered to have read: it would never start again."""
    place.sql("INSERT INTO reference.suppliers VALUES ('before', 'Before', '2617')")
    (before,) = place.changes("suppliers", "before", 1)

    def has_let_go() -> list[object]:
        let_others_write(place)
        return place.sql(LET_GO, place.deployment.slot, before.lsn)

    eventually(has_let_go, "sign of Postgres letting go of its log")
    ((reader,),) = place.sql(READER, place.deployment.slot, None)
    with Connect(place.settings.connect) as rest:
        rest.restart(f"{place.deployment.name}-reference")
    place.until(READER, place.deployment.slot, reader)

    place.sql("INSERT INTO reference.suppliers VALUES ('after', 'After', '2617')")
    assert len(place.changes("suppliers", "after", 1)) == 1
