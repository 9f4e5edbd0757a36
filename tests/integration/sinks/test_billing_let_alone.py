"""When the gauge says that Billing is let alone: an alert stands on it (DLR-01, PIPE-11)."""

import time

import pytest
from prometheus_client import REGISTRY

from sinks.billing.carrier import Carrier
from sinks.billing.http import HttpBilling
from sinks.database import connect
from stack.billing import Mood
from tests.integration.sinks.billing import Desk, client

pytestmark = pytest.mark.requirement("DLR-01", "PIPE-11")

REST_S = 2.5


def let_alone() -> float | None:
    return REGISTRY.get_sample_value("millrace_sink_billing_let_alone")


@pytest.mark.parametrize(
    ("meanwhile", "says"),
    [
        pytest.param("delete from sink.billing_call", 0, id="another worker had all answers"),
        pytest.param(
            "update sink.billing_call set state = 'parked' where call_id like '%%/1'",
            0,
            id="a person has the first",
        ),
        pytest.param(
            "update sink.billing_call set due_at = now() + interval '5 min'", 1, id="it waits for its next try"
        ),
    ],
)
def test_when_its_rest_is_over_billing_is_let_alone_only_if_a_call_waits_for_it(
    desk: Desk, meanwhile: str, says: int
) -> None:
    """The breaker itself stays open in each of these cases, as no call has tried."""
    desk.ask(client(), client(version=2))
    desk.billing.moods.append(Mood.BUSY)
    desk.world.run("billing")
    here = desk.settings(billing_failures=1, billing_rest_s=REST_S)
    billing = HttpBilling(here.billing, here.billing_timeout_s)
    with (
        connect(desk.world.postgres) as connection,
        Carrier(billing, desk.world.codec, here, desk.world.answers) as carrier,
    ):
        carrier.deliver(connection)
        desk.world.query(meanwhile)
        carrier.deliver(connection)
        assert let_alone() == 1, "it has its rest"
        time.sleep(REST_S + 0.1)
        carrier.deliver(connection)
    assert let_alone() == says
