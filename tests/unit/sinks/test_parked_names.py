"""What `python -m sinks retry --subject` takes for the name of what is parked (PIPE-08)."""

import pytest

from sinks.parked import Parked

pytestmark = pytest.mark.requirement("PIPE-08")


def parked(subject: str) -> Parked:
    return Parked("billing", "calls", 3, 41, subject, "useless_answers", "Billing is busy")


@pytest.mark.parametrize(
    "subject", ["d-1/COMMISSION/client/1", "d-1/COMMISSION", "d-1", "COMMISSION/client", "calls/3@41"]
)
def test_a_call_is_of_its_own_name_its_account_its_dealer_and_its_record(subject: str) -> None:
    assert parked("d-1/COMMISSION/client/1").is_of(subject)


@pytest.mark.parametrize("subject", ["d-", "d-1/COMM", "COMMISSION/1", "calls/3@4", "calls", "", "/", "%"])
def test_a_part_of_a_name_names_nothing(subject: str) -> None:
    assert not parked("d-1/COMMISSION/client/1").is_of(subject)


@pytest.mark.parametrize("subject", ["", "d-1"])
def test_a_record_without_a_subject_has_its_place_for_a_name(subject: str) -> None:
    assert parked("").is_of("calls/3@41")
    assert not parked("").is_of(subject)
