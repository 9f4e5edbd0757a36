"""The auditor sees an account that is opened twice, without its payer, or with what is another account's (DLR-02)."""

from typing import Any

import pytest

from streams.audit.dealers import Dealers
from streams.audit.evidence import Told
from streams.audit.findings import Finding, Kind

pytestmark = pytest.mark.requirement("DLR-01", "DLR-02", "PIPE-09")

ACCOUNT = "dealer:D1|COMMISSION"


def opening(step: str, client: str | None = None, payer: str | None = None, **about: Any) -> Told:
    ids = {"client_id": client, "payer_id": payer}
    return Told("AccountOpening", {"dealer_id": "D1", "account": "COMMISSION", "step": step, **ids, **about})


def opened(client: str = "c-1", payer: str = "p-1", contract: str = "k-1", **about: Any) -> Told:
    ids = {"client_id": client, "payer_id": payer, "contract_id": contract}
    return Told("AccountOpened", {"dealer_id": "D1", "account": "COMMISSION", **ids, **about})


STEPS = opening("client"), opening("payer", "c-1"), opening("contract", "c-1", "p-1")


def found(*events: Told) -> list[Finding]:
    dealers = Dealers()
    return [finding for event in events for finding in dealers.enter(event)]


def test_an_account_that_is_opened_step_by_step_and_one_step_asked_again_is_as_it_should_be() -> None:
    asked_again = opening("payer", "c-1")
    other = {"account": "DEPOSIT"}
    beside = opening("client", **other), opening("payer", "c-2", **other), opening("contract", "c-2", "p-2", **other)
    assert found(*STEPS[:2], asked_again, STEPS[2], opened(), *beside, opened("c-2", "p-2", "k-2", **other)) == []


@pytest.mark.parametrize(
    ("events", "where", "expected", "is_found"),
    [
        ((*STEPS, opened(), opened(contract="k-2")), f"{ACCOUNT}, contract_id", "k-1", "k-2"),
        ((*STEPS, opened(), opened()), ACCOUNT, "opened once", "AccountOpened"),
        ((*STEPS, opened(), opening("contract", "c-1", "p-1")), ACCOUNT, "opened once", "AccountOpening"),
        ((*STEPS[:2], opened()), ACCOUNT, "opened after its contract was asked for", "after its payer"),
        ((*STEPS[:2], opening("client")), f"{ACCOUNT}, client_id", "c-1", "None"),
        ((*STEPS[:2], opening("contract", "c-2", "p-1")), f"{ACCOUNT}, client_id", "c-1", "c-2"),
        ((*STEPS, opened(payer="p-2")), f"{ACCOUNT}, payer_id", "p-1", "p-2"),
        (
            (*STEPS, opening("client", account="DEPOSIT"), opening("payer", "c-1", account="DEPOSIT")),
            "dealer:D1|DEPOSIT, client_id", "one of its own", f"that of {ACCOUNT}",
        ),
    ],
)  # fmt: skip
def test_an_opening_that_contradicts_itself_is_found(
    events: tuple[Told, ...], where: str, expected: str, is_found: str
) -> None:
    assert Finding(Kind.ACCOUNTS_DIFFER, where, expected, is_found) in found(*events)
