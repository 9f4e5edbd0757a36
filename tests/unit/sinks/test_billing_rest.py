"""The rest that Billing has is as long as it should be, whatever somebody does to the clock (DLR-01)."""

import time
from datetime import UTC, datetime, timedelta

import pytest
from pybreaker import STATE_CLOSED, STATE_OPEN, CircuitBreaker, CircuitBreakerError

from sinks.billing.rest import Rest

pytestmark = pytest.mark.requirement("DLR-01")

REST_S = 60.0


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_rest_neither_ends_early_nor_lasts_longer_when_the_clock_is_set(hours: int) -> None:
    rest = Rest()
    breaker = CircuitBreaker(1, REST_S, state_storage=rest, throw_new_error_on_trip=False)
    with pytest.raises(ValueError, match="busy"), breaker.calling():
        raise ValueError("busy")
    rest.opened_at = datetime.now(UTC) + timedelta(hours=hours)  # what the clock said, before it was set

    with pytest.raises(CircuitBreakerError), breaker.calling():
        raise AssertionError("it has its rest")
    assert breaker.current_state == STATE_OPEN
    assert not rest.is_over(REST_S)
    rest._began = time.monotonic() - REST_S - 1  # the rest is over, and nobody had to wait for it
    assert rest.is_over(REST_S)
    assert breaker.current_state == STATE_OPEN, "until a call tries"
    with breaker.calling():
        pass
    assert breaker.current_state == STATE_CLOSED


def test_a_billing_that_never_failed_had_no_rest() -> None:
    assert Rest().opened_at is None
    assert Rest().is_over(REST_S)
