"""A dealer's registration, his accounts with Billing, and his requisites (DLR-01, DLR-02, DLR-03).

    an account    Billing has done it            Billing refuses it         requisites change
    (none)        .                              .                          .
    CLIENT        client's id -> PAYER           told -> STOPPED            noted; sent when it is open
    PAYER         payer's id -> CONTRACT         told -> STOPPED            noted; sent when it is open
    CONTRACT      contract's id -> OPEN          told -> STOPPED            noted; sent when it is open
    STOPPED       .                              .                          the refused step is asked again; before
                                                                            a contract, its payer has these
    OPEN          the payer has these            told; it stays OPEN        sent, or noted while others are under way

CLIENT, PAYER and CONTRACT say what Billing is being asked for. RegisterDealer asks for the COMMISSION account,
AddFastBuyout for DEPOSIT and SETTLEMENT. Client and payer are asked for with the newest requisites, a contract with
those that its payer has; each at most once with the same version of them, which is in the call's id: what Billing has
done is never asked for again. Where it refuses a contract, the payer is what other requisites can mend. An answer that
is not awaited changes nothing.
"""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any, TypeAlias, assert_never

import msgspec
from msgspec.structs import replace

from schemas.billing import BillingDone, BillingRefused, ChangePayer, CreateClient, CreateContract, CreatePayer
from schemas.dealer_accounts import (
    AccountOpened,
    AccountOpening,
    AccountStopped,
    AddFastBuyout,
    DealerRegistered,
    OpeningStep,
    RegisterDealer,
    Requisites,
    RequisitesChanged,
    RequisitesRefused,
    RequisitesSent,
    RequisitesTaken,
    UpdateRequisites,
)
from schemas.dealer_billing import AccountType, Dealer
from schemas.fields import Fact
from schemas.refusals import Reason
from streams.ledger.draft import Refused, refused

AT_REGISTRATION = (AccountType.COMMISSION,)
FOR_FAST_BUYOUT = (AccountType.DEPOSIT, AccountType.SETTLEMENT)

AccountEvent: TypeAlias = (
    AccountOpening | AccountOpened | AccountStopped | RequisitesSent | RequisitesTaken | RequisitesRefused
)


class Registered(msgspec.Struct, frozen=True):
    """A registered dealer, with his newest requisites."""

    cme_dealer_id: str
    requisites: Requisites
    version: int


class State(StrEnum):
    """Where an account stands: what Billing is being asked for, or that it is not asked any more."""

    CLIENT = "client"
    PAYER = "payer"
    CONTRACT = "contract"
    STOPPED = "stopped"
    OPEN = "open"


ASKS = {
    OpeningStep.CLIENT: State.CLIENT,
    OpeningStep.PAYER: State.PAYER,
    OpeningStep.CONTRACT: State.CONTRACT,
}
NEXT = {OpeningStep.CLIENT: OpeningStep.PAYER, OpeningStep.PAYER: OpeningStep.CONTRACT}


class Account(msgspec.Struct, frozen=True, omit_defaults=True):
    """An account with Billing. `version` is of the requisites that Billing has, `asked` of those it was last sent.

    `step` is the last that was asked for. `is_sent` says that other requisites of the payer are under way; there is a
    payer once the account is open, or stopped at its contract.
    """

    state: State
    step: OpeningStep
    version: int
    asked: int
    client_id: str | None = None
    payer_id: str | None = None
    contract_id: str | None = None
    is_sent: bool = False


Accounts: TypeAlias = Mapping[AccountType, Account]
"""Those accounts of a dealer that there are."""


# ---- decide


def register(known: Dealer | None, dealer: Registered | None, command: RegisterDealer) -> list[Fact] | Refused:
    """Open the dealer's book and his COMMISSION account. Refuses UNKNOWN_DEALER, ALREADY_EXISTS."""
    if known is None or known.cme_dealer_id != command.cme_dealer_id:
        return refused(Reason.UNKNOWN_DEALER, dealer=command.dealer_id, cme_dealer=command.cme_dealer_id)
    if dealer is not None:
        return refused(Reason.ALREADY_EXISTS, dealer=command.dealer_id, cme_dealer=dealer.cme_dealer_id)
    registered = DealerRegistered(
        dealer_id=command.dealer_id, cme_dealer_id=command.cme_dealer_id, requisites=command.requisites, version=1
    )
    return [registered, *_begin(command.dealer_id, evolve_dealer(None, registered), AT_REGISTRATION)]


def add_fast_buyout(dealer: Registered | None, accounts: Accounts, command: AddFastBuyout) -> list[Fact] | Refused:
    """Open the DEPOSIT and SETTLEMENT accounts. Refuses NOT_FOUND, ALREADY_EXISTS."""
    if dealer is None:
        return refused(Reason.NOT_FOUND, dealer=command.dealer_id)
    if standing := {account: accounts[account].state for account in FOR_FAST_BUYOUT if account in accounts}:
        return refused(Reason.ALREADY_EXISTS, dealer=command.dealer_id, **standing)
    return list(_begin(command.dealer_id, dealer, FOR_FAST_BUYOUT))


def update_requisites(dealer: Registered | None, accounts: Accounts, command: UpdateRequisites) -> list[Fact] | Refused:
    """Keep them, tell Billing of them where an account is open, try again where one was stopped. Refuses NOT_FOUND."""
    if dealer is None:
        return refused(Reason.NOT_FOUND, dealer=command.dealer_id)
    changed = RequisitesChanged(dealer_id=command.dealer_id, requisites=command.requisites, version=dealer.version + 1)
    newest, events = evolve_dealer(dealer, changed), list[Fact]([changed])
    for account, row in accounts.items():
        if row.state is State.STOPPED:
            events += _mend(command.dealer_id, account, newest, row)
        elif row.state is State.OPEN and not row.is_sent:
            events += _send(command.dealer_id, account, newest, row)
    return events


def hear_done(dealer: Registered | None, row: Account | None, answer: BillingDone) -> list[Fact]:
    """Take the step that follows what Billing has done for an account."""
    if dealer is None or row is None or answer.call_id != awaited(answer.dealer_id, answer.account, row):
        return []
    if row.is_sent:
        return _hear_taken(dealer, row, answer)
    has = _with_id(row, answer.billing_id)
    if following := NEXT.get(row.step):
        return list(_ask(answer.dealer_id, answer.account, dealer, following, has))
    assert has.client_id is not None
    assert has.payer_id is not None
    opened = AccountOpened(
        dealer_id=answer.dealer_id,
        account=answer.account,
        version=row.version,
        client_id=has.client_id,
        payer_id=has.payer_id,
        contract_id=answer.billing_id,
    )
    return [opened, *_catch_up(answer.dealer_id, answer.account, dealer, evolve(row, opened))]


def hear_refused(dealer: Registered | None, row: Account | None, answer: BillingRefused) -> list[Fact]:
    """Tell that Billing refuses a step, or requisites; go on at once if there are newer ones."""
    if dealer is None or row is None or answer.call_id != awaited(answer.dealer_id, answer.account, row):
        return []
    said: dict[str, Any] = {
        "dealer_id": answer.dealer_id,
        "account": answer.account,
        "code": answer.code,
        "text": answer.text,
    }
    if row.is_sent:
        no = RequisitesRefused(version=row.asked, **said)
        return [no, *_catch_up(answer.dealer_id, answer.account, dealer, evolve(row, no), beyond=row.asked)]
    stopped = AccountStopped(step=row.step, version=row.asked, **said)
    if dealer.version == row.asked:
        return [stopped]
    return [stopped, *_mend(answer.dealer_id, answer.account, dealer, row)]


# ---- evolve


def evolve_dealer(dealer: Registered | None, event: DealerRegistered | RequisitesChanged) -> Registered:
    """The dealer after an event."""
    match event:
        case DealerRegistered():
            return Registered(event.cme_dealer_id, event.requisites, event.version)
        case RequisitesChanged():
            assert dealer is not None
            return replace(dealer, requisites=event.requisites, version=event.version)
        case _:
            assert_never(event)


def evolve(row: Account | None, event: AccountEvent) -> Account:
    """An account after an event."""
    if isinstance(event, AccountOpening):
        version = event.version  # client and payer may have been made with different versions: the older one counts
        if row is not None and event.step is not OpeningStep.CLIENT:
            version = row.version
        return Account(ASKS[event.step], event.step, version, event.version, event.client_id, event.payer_id)
    assert row is not None
    match event:
        case AccountOpened():
            return replace(row, state=State.OPEN, contract_id=event.contract_id, asked=event.version)
        case AccountStopped():
            return replace(row, state=State.STOPPED)
        case RequisitesSent():
            return replace(row, asked=event.version, is_sent=True)
        case RequisitesTaken():
            return replace(row, version=event.version, is_sent=False)
        case RequisitesRefused():
            return replace(row, is_sent=False)
        case _:
            assert_never(event)


# ---- calls


def contract_of(row: Account | None) -> str | None:
    """The contract under which bills are issued; None while the account is not open."""
    return row.contract_id if row is not None and row.state is State.OPEN else None


def awaited(dealer_id: str, account: AccountType, row: Account) -> str | None:
    """The id of the call whose answer the account waits for."""
    if row.is_sent:
        return _call_id(dealer_id, account, "requisites", row.asked)
    return None if row.state in (State.OPEN, State.STOPPED) else _call_id(dealer_id, account, row.step, row.asked)


def _call_id(dealer_id: str, account: AccountType, wanted: str, version: int) -> str:
    """What is asked with one version of the requisites is one call, however often it is asked (ADR 7)."""
    return f"{dealer_id}/{account}/{wanted}/{version}"


def _hear_taken(dealer: Registered, row: Account, answer: BillingDone) -> list[Fact]:
    """The payer has these requisites: go on to newer ones, or to the contract that was refused with others."""
    taken = RequisitesTaken(dealer_id=answer.dealer_id, account=answer.account, version=row.asked)
    has = evolve(row, taken)
    if row.state is State.OPEN or dealer.version > has.version:
        return [taken, *_catch_up(answer.dealer_id, answer.account, dealer, has)]
    return [taken, *_ask(answer.dealer_id, answer.account, dealer, row.step, has)]


def _begin(dealer_id: str, dealer: Registered, accounts: tuple[AccountType, ...]) -> Iterator[Fact]:
    for account in accounts:
        yield from _ask(dealer_id, account, dealer, OpeningStep.CLIENT, None)


def _mend(dealer_id: str, account: AccountType, dealer: Registered, row: Account) -> Iterator[Fact]:
    """Ask again for the step that was refused; for a contract, when its payer has the newest requisites."""
    if row.step is not OpeningStep.CONTRACT:
        yield from _ask(dealer_id, account, dealer, row.step, row)
    elif not row.is_sent:
        yield from _send(dealer_id, account, dealer, row)


def _ask(
    dealer_id: str, account: AccountType, dealer: Registered, step: OpeningStep, has: Account | None
) -> Iterator[Fact]:
    """Ask Billing for a step. `has` is the account with the ids that Billing has given, None before the first.

    For a contract, its `asked` is the version that the payer was made with.
    """
    client_id, payer_id = (None, None) if has is None else (has.client_id, has.payer_id)
    version = has.asked if has is not None and step is OpeningStep.CONTRACT else dealer.version
    opening = AccountOpening(
        dealer_id=dealer_id, account=account, step=step, version=version, client_id=client_id, payer_id=payer_id
    )
    yield opening
    call_id = _call_id(dealer_id, account, step, version)
    about: dict[str, Any] = {"call_id": call_id, "dealer_id": dealer_id, "account": account}
    match step:
        case OpeningStep.CLIENT:
            yield CreateClient(**about, requisites=dealer.requisites)
        case OpeningStep.PAYER:
            assert client_id is not None
            yield CreatePayer(**about, client_id=client_id, requisites=dealer.requisites)
        case OpeningStep.CONTRACT:
            assert client_id is not None
            assert payer_id is not None
            yield CreateContract(**about, client_id=client_id, payer_id=payer_id)
        case _:
            assert_never(step)


def _catch_up(
    dealer_id: str, account: AccountType, dealer: Registered, row: Account, beyond: int | None = None
) -> Iterator[Fact]:
    """Send the newest requisites of the dealer, if they are newer than what Billing has, or has refused."""
    if dealer.version > (row.version if beyond is None else beyond):
        yield from _send(dealer_id, account, dealer, row)


def _send(dealer_id: str, account: AccountType, dealer: Registered, row: Account) -> Iterator[Fact]:
    assert row.client_id is not None
    assert row.payer_id is not None
    yield RequisitesSent(dealer_id=dealer_id, account=account, version=dealer.version)
    yield ChangePayer(
        call_id=_call_id(dealer_id, account, "requisites", dealer.version),
        dealer_id=dealer_id,
        account=account,
        client_id=row.client_id,
        payer_id=row.payer_id,
        version=dealer.version,
        requisites=dealer.requisites,
    )


def _with_id(row: Account, billing_id: str) -> Account:
    """The account with what the step that was asked for has brought."""
    match row.step:
        case OpeningStep.CLIENT:
            return replace(row, client_id=billing_id)
        case OpeningStep.PAYER:
            return replace(row, payer_id=billing_id)
        case OpeningStep.CONTRACT:
            return replace(row, contract_id=billing_id)
        case _:
            assert_never(row.step)
