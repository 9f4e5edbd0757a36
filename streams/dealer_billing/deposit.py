"""A dealer's deposit, and the price segments that it opens for buyout bidding (DLR-08).

    DEPOSIT account    DepositReceived           DepositReturned               it opens          tiers change
    not open           the deposit grows         the deposit shrinks           what the deposit  .
                                                                               reaches opens
    open               the same, and what it     the same, and what it does    .                 what it reaches opens,
                       reaches opens             not reach any more closes                       other segments close

The deposit is what Billing holds on the dealer's DEPOSIT account: what it has received, less what it has returned. A
report is of money that has moved already, so none is turned away because we know too little: neither dealer nor account
need be known, and Billing's answer that opens the account may still be on its way. Until then a deposit opens nothing.
Nor does it for a dealer whom reference data has ended: the next tick closes his segments, and opens them should he be
known again. No bill is on this account, and no surplus comes to it: nothing spends a deposit, and nothing makes it but
what was received for it.

Refused, and so not in our books but still with Billing, is

    a return of more than there is    Billing reports it in another event, after what it has returned
    an id that was used before        for a deposit or for a bill, by these rows, however long ago; within days by
                                      `Processor`, which tells a repetition from another payment

A dealer has one deposit in each currency, and nothing is converted: a segment opens in a currency, by the tiers of that
currency. It is open while the deposit reaches the lowest of its tiers. One decision closes segments that have no tier
any more, then the dearest first; and then opens segments, the cheapest first.

Every partition has all tiers, in one row that counts their changes, and a deposit's row says by which count it was
judged. The next tick judges those that an older count judged, a bounded number of them: a change of tiers costs the
books that hold deposits, and nothing afterwards.
"""

from collections.abc import Iterable, Iterator
from typing import Any, TypeAlias, assert_never

import msgspec
from msgspec.structs import replace

from schemas.dealer_billing import AccountType
from schemas.dealer_deposits import (
    DepositChanged,
    DepositReceived,
    DepositReturned,
    DepositTier,
    PriceSegmentGranted,
    PriceSegmentRevoked,
    ProjectedDeposit,
)
from schemas.fields import Fact, format_minor
from schemas.refusals import Reason
from streams.dealer_billing import registration
from streams.dealer_billing.accounts import BANK, CURRENT, dealer_of
from streams.dealer_billing.registration import Account
from streams.ledger.draft import Draft, Refused, refused

DEPOSIT = CURRENT.of(AccountType.DEPOSIT)

DepositEvent: TypeAlias = DepositChanged | PriceSegmentGranted | PriceSegmentRevoked


class Held(msgspec.Struct, frozen=True, omit_defaults=True):
    """The segments that are open by the deposit in one currency, by name. How much it is, the ledger says."""

    currency: str
    segments: tuple[str, ...] = ()


class Deposit(msgspec.Struct, frozen=True, omit_defaults=True):
    """A dealer's deposits, by currency. `judged_by` is the count of the tiers' changes when a tick last judged it.

    `turns` counts how often reference data has ended the dealer, or known him again.
    """

    held: tuple[Held, ...] = ()
    judged_by: int = 0
    turns: int = 0


class Moved(msgspec.Struct, frozen=True):
    """A payment that changed a deposit; its id is not taken again. Kept for ever, as those of bills are."""

    change_minor: int
    currency: str


class Tiers(msgspec.Struct, frozen=True, omit_defaults=True):
    """All tiers, and how often they have changed: equal in every partition that has read them all."""

    tiers: tuple[DepositTier, ...] = ()
    changes: int = 0


# ---- decide


def receive(
    draft: Draft, account: Account | None, deposit: Deposit | None, tiers: Tiers, message: DepositReceived
) -> list[Fact] | Refused:
    """Take money on the DEPOSIT account, and open what it reaches. Refuses AMOUNT_TOO_LARGE."""
    amount = message.amount
    text = f"Deposit {message.payment_id}"
    if refusal := draft.post(BANK, DEPOSIT, amount.amount_minor, amount.currency, text):
        return refusal
    return _changed(draft, account, deposit, tiers, message, amount.amount_minor)


def give_back(
    draft: Draft, account: Account | None, deposit: Deposit | None, tiers: Tiers, message: DepositReturned
) -> list[Fact] | Refused:
    """Let money go from the DEPOSIT account, and close what is out of reach.

    Refuses INSUFFICIENT_FUNDS, AMOUNT_TOO_LARGE.
    """
    amount = message.amount
    text = f"Deposit returned, {message.payment_id}"
    if refusal := draft.post(DEPOSIT, BANK, amount.amount_minor, amount.currency, text):
        return refusal
    return _changed(draft, account, deposit, tiers, message, -amount.amount_minor)


def judge(draft: Draft, dealer_id: str, deposit: Deposit | None, tiers: Tiers) -> Iterator[Fact]:
    """What closes and what opens of an open account's segments, by its deposits and tiers as they are now."""
    for held in deposit.held if deposit is not None else ():
        yield from _judge(dealer_id, held, tiers, draft.balance(DEPOSIT, held.currency).posted)


def moved_before(moved: Moved | None, payment_id: str) -> Refused | None:
    """Why an id that changed a deposit is not taken again. Refuses ALREADY_EXISTS."""
    if moved is None:
        return None
    return refused(Reason.ALREADY_EXISTS, payment=payment_id, deposit=format_minor(moved.change_minor, moved.currency))


# ---- evolve


def evolve(deposit: Deposit | None, event: DepositEvent) -> Deposit:
    """A dealer's deposits after an event."""
    before = deposit or Deposit()
    held = {each.currency: each for each in before.held}
    mine = held.get(event.currency, Held(event.currency))
    match event:
        case DepositChanged():
            after = mine
        case PriceSegmentGranted():
            assert event.segment not in mine.segments, f"{event.segment} is open"
            after = replace(mine, segments=tuple(sorted((*mine.segments, event.segment))))
        case PriceSegmentRevoked():
            assert event.segment in mine.segments, f"{event.segment} is not open"
            after = replace(mine, segments=tuple(each for each in mine.segments if each != event.segment))
        case _:
            assert_never(event)
    held[event.currency] = after
    return replace(before, held=tuple(held[currency] for currency in sorted(held)))


def judged(deposit: Deposit | None, tiers: Tiers) -> Deposit:
    """The deposits that a tick has judged by these tiers."""
    return replace(deposit or Deposit(), judged_by=tiers.changes)


def turned(deposit: Deposit) -> Deposit:
    """The deposits of a dealer whom reference data has ended, or knows again: the next tick judges them."""
    return replace(deposit, judged_by=0, turns=deposit.turns + 1)


def evolve_tiers(tiers: Tiers | None, tier_id: str, tier: DepositTier | None) -> Tiers:
    """All tiers when one is new, other than it was, or gone. What is said again is no change."""
    before = tiers or Tiers()
    known = {each.tier_id: each for each in before.tiers}
    if known.get(tier_id) == tier:
        return before
    known.pop(tier_id, None)
    if tier is not None:
        known[tier_id] = tier
    return Tiers(tuple(known[each] for each in sorted(known)), before.changes + 1)


# ---- for people


def project(book: str, deposit: Deposit) -> ProjectedDeposit:
    """What is open, as analysts see it: no id has a space or a comma."""
    segments = [f"{held.currency} {segment}" for held in deposit.held for segment in held.segments]
    return ProjectedDeposit(id=book, dealer_id=dealer_of(book), segments=", ".join(segments))


# ---- inside


def _changed(
    draft: Draft,
    account: Account | None,
    deposit: Deposit | None,
    tiers: Tiers,
    message: DepositReceived | DepositReturned,
    change_minor: int,
) -> list[Fact]:
    currency = message.amount.currency
    changed = DepositChanged(
        dealer_id=message.dealer_id,
        payment_id=message.payment_id,
        currency=currency,
        change_minor=change_minor,
        deposit_minor=draft.balance(DEPOSIT, currency).posted,
    )
    if registration.contract_of(account) is None:
        return [changed]
    return [changed, *judge(draft, message.dealer_id, evolve(deposit, changed), tiers)]


def _judge(dealer_id: str, held: Held, tiers: Tiers, deposit_minor: int) -> Iterator[Fact]:
    lowest = _lowest(each for each in tiers.tiers if each.currency == held.currency)
    about: dict[str, Any] = {"dealer_id": dealer_id, "currency": held.currency, "deposit_minor": deposit_minor}
    for segment in held.segments:
        if segment not in lowest:
            yield PriceSegmentRevoked(**about, segment=segment, from_minor=None)
    for tier in reversed(lowest.values()):
        if tier.segment in held.segments and tier.from_minor > deposit_minor:
            yield PriceSegmentRevoked(**about, segment=tier.segment, from_minor=tier.from_minor)
    for tier in lowest.values():
        if tier.segment not in held.segments and tier.from_minor <= deposit_minor:
            opened: dict[str, Any] = {"segment": tier.segment, "tier_id": tier.tier_id, "from_minor": tier.from_minor}
            yield PriceSegmentGranted(**about, **opened)


def _lowest(tiers: Iterable[DepositTier]) -> dict[str, DepositTier]:
    """The lowest tier of each segment, the cheapest segment first."""
    lowest: dict[str, DepositTier] = {}
    for tier in sorted(tiers, key=lambda each: (each.from_minor, each.segment, each.tier_id)):
        lowest.setdefault(tier.segment, tier)
    return lowest
