"""What upstream publishes in one day: pure, from a seed; with repetitions, disorder, and records that are no messages.

A day comes in phases. Within one, a book's events are all on one topic, so that their order, and with it every outcome,
is the same in each run, however often a worker dies. What Billing answers and lots charge meanwhile comes in any order,
and decides nothing of the same phase: bills come when accounts are open, payments when bills are sent.
"""

import random
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from schemas.dealer_accounts import RegisterDealer
from schemas.dealer_bills import CreateBill
from schemas.fields import Message, Money
from schemas.mobility import DepositBudget, Funding, TripCancelled, TripEnded, TripStarted, VehicleScope
from schemas.prison_advances import WriteOffAdvance
from schemas.prison_finance import (
    AdvanceApproval,
    AuthorisePurchase,
    CancelPurchase,
    CreditPrisoner,
    FundingSource,
    MoveBetweenSubAccounts,
    RefundPurchase,
    SubAccount,
    SubmitPurchase,
    SupplierPayment,
)
from schemas.publishing import Upstream, upstream
from schemas.topics import (
    ADVANCES,
    BATCHES,
    BILLING_PAYMENTS,
    BILLS,
    CREDITS,
    DEALER_COMMANDS,
    DEPOSITS,
    LOT_DEALS,
    PURCHASES,
    TRIPS,
    Topic,
)
from streams.demo import auction, canteen, dealers
from streams.demo.world import Scale, World, prison_of
from streams.prison_finance.accounts import pounds

DAY_START_US = 1_772_409_600_000_000  # 2026-03-02T00:00:00Z, a Monday; London is on UTC then
HOUR_US = 3_600_000_000
MINUTE_US = 60_000_000

EVENING_US = DAY_START_US + 23 * HOUR_US + 10 * MINUTE_US
"""When the shops submit the week's orders, and Billing reports what dealers have paid."""

ORDERING_SHARE = 0.4
"""Of a prison's people, how many order from the canteen."""

REPEATED_SHARE = 0.02
OTHER_CONTENT_SHARE = 0.003
EARLY_END_SHARE = 0.01


class Raw(NamedTuple):
    """A record that is no message, as a careless upstream writes them."""

    topic: Topic
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes]]


class Planned(NamedTuple):
    """An event and when upstream sends it, in microseconds of the day."""

    sent_us: int
    event: Upstream


class Phase(NamedTuple):
    """Records that may be published at once; the next phase waits for their outcomes, and for Billing's answers."""

    name: str
    records: list[Upstream | Raw]
    tick_us: int


Programme = Callable[[int, Scale, World, Callable[[Message], bytes]], list[Phase]]
"""What upstream publishes: from a seed, how much of it, in which world; the last encodes what is almost a message."""


def make_day(seed: int, scale: Scale, world: World, encode: Callable[[Message], bytes]) -> list[Phase]:
    """The phases of the day. `encode` is needed for the records that are almost messages."""
    rnd = random.Random(f"day {seed}")
    morning = [*_deposits(rnd, world), *_registrations(world), *_credits(rnd, world)]
    shopping = orders(rnd, world, scale.purchases, "CANTEEN", 0)
    day = [*_trips(rnd, world, scale), *_bills(rnd, world, scale), *shopping]
    bad = _bad_records(encode)
    wages, write_offs = list(_wages(rnd, world)), list(_write_offs(rnd, day, world))
    ordered, confirmed = _canteen(rnd, world)
    dice = random.Random(f"auction {seed}")  # of its own: all else is as it would be without lots
    sold = auction.sales(dice, world, scale.lots, DAY_START_US)
    lots, changed = _auction(LOT_DEALS, sold, 10), _auction(LOT_DEALS, auction.changes(world, sold), 30)
    paid = _auction(
        BILLING_PAYMENTS, [*auction.payments(dice, sold), *auction.deposits(dice, world)] if sold else [], 23
    )
    returned = _auction(BILLING_PAYMENTS, auction.returns(world) if sold else (), 30)
    return [
        Phase("midnight", [], DAY_START_US),
        Phase("morning", sent(rnd, morning), DAY_START_US + 6 * HOUR_US),
        Phase("day", [*sent(rnd, day), *bad, *sent(dice, lots)], DAY_START_US + 23 * HOUR_US),
        Phase("evening", [*sent(rnd, [*ordered, *_payments(rnd, day)]), *sent(dice, paid)], EVENING_US + 2 * MINUTE_US),
        Phase("canteen confirmed", sent(rnd, confirmed), EVENING_US + 20 * MINUTE_US),
        Phase("next morning", [*sent(rnd, wages), *sent(dice, [*changed, *returned])], DAY_START_US + 32 * HOUR_US),
        Phase("night after", sent(rnd, write_offs), DAY_START_US + 60 * HOUR_US),
    ]


# ---- the rooms' events


def _deposits(rnd: random.Random, world: World) -> Iterator[Planned]:
    for number, group_id in enumerate(world.members):
        for part in range(rnd.choice((1, 2, 3))):
            restricted = rnd.random() < 0.3
            message = DepositBudget(
                deposit_id=f"dep-{number:03}-{part}",
                group_id=group_id,
                amount=_eur(rnd.randrange(500, 20_000)),
                expires_at=rnd.choice((None, DAY_START_US + 23 * HOUR_US, DAY_START_US + 90 * 24 * HOUR_US)),
                scopes=(VehicleScope(msp_id="ryde"), VehicleScope(vehicle_type="cargo")) if restricted else (),
                per_trip_minor=rnd.choice((None, None, 300)),
            )
            yield plan(DEPOSITS, message, message.deposit_id, 5 * HOUR_US + number, "budget-service")


def _trips(rnd: random.Random, world: World, scale: Scale) -> Iterator[Planned]:
    groups = [(group, riders) for group, riders in world.members.items() if riders]
    for number in range(scale.trips):
        group_id, riders = rnd.choice(groups)
        trip_id, began = f"trp-{number:05}", rnd.randrange(7 * HOUR_US, 20 * HOUR_US)
        vehicle = rnd.choice(world.vehicles).vehicle_id if rnd.random() > 0.005 else "veh-stolen"
        started = TripStarted(
            trip_id=trip_id,
            group_id=group_id,
            rider_id=rnd.choice(riders) if rnd.random() > 0.005 else "rid-stranger",
            vehicle_id=vehicle,
            estimated_seconds=rnd.randrange(180, 2_400),
            funding=rnd.choices(list(Funding), (2, 1, 5))[0],
        )
        fate = rnd.random()
        ridden = round(started.estimated_seconds * rnd.uniform(0.5, 1.6))
        if fate < 0.92:
            ended = TripEnded(trip_id=trip_id, group_id=group_id, ridden_seconds=ridden)
            finish: Message = ended
            ended_at = began + ridden * 1_000_000
            if rnd.random() < EARLY_END_SHARE:  # the end is published before the start
                yield plan(TRIPS, ended, f"{trip_id}-end", began - 1, "trip-service", happened=ended_at)
                yield plan(TRIPS, started, f"{trip_id}-start", began, "trip-service")
                continue
        elif fate < 0.97:
            finish = TripCancelled(trip_id=trip_id, group_id=group_id, reason="rider-changed-mind")
            ended_at = began + 2 * MINUTE_US
        else:  # the vehicle's modem died: no end is ever reported
            yield plan(TRIPS, started, f"{trip_id}-start", began, "trip-service")
            continue
        yield plan(TRIPS, started, f"{trip_id}-start", began, "trip-service")
        yield plan(TRIPS, finish, f"{trip_id}-end", ended_at, "trip-service")


def _registrations(world: World) -> Iterator[Planned]:
    for number, command in enumerate(dealers.registrations(world)):
        event_id = f"{command.dealer_id}-{'register' if isinstance(command, RegisterDealer) else 'buyout'}"
        yield plan(DEALER_COMMANDS, command, event_id, 5 * HOUR_US + number, "dealer-service")


def _auction(topic: Topic, messages: Iterable[auction.Said], hour: int) -> list[Planned]:
    """What Lotus says of lots, or Billing of what dealers have paid."""
    source = "lotus" if topic is LOT_DEALS else "billing"
    return [plan(topic, each, auction.event_id(each), hour * HOUR_US + number, source)
            for number, each in enumerate(messages)]  # fmt: skip


def _bills(rnd: random.Random, world: World, scale: Scale) -> Iterator[Planned]:
    for number, bill in enumerate(dealers.bills(rnd, world, scale.bills)):
        yield plan(BILLS, bill, bill.bill_id, 9 * HOUR_US + number, "dealer-service")


def _payments(rnd: random.Random, day: list[Planned]) -> Iterator[Planned]:
    """What banks have told Billing by the evening."""
    billed = [each.event.message for each in day if isinstance(each.event.message, CreateBill)]
    for number, payment in enumerate(dealers.payments(rnd, billed)):
        yield plan(BILLING_PAYMENTS, payment, payment.payment_id, EVENING_US - DAY_START_US + number, "billing")


def _credits(rnd: random.Random, world: World) -> Iterator[Planned]:
    for number, prisoner_id in enumerate(world.prisoners):
        for part, account in enumerate((SubAccount.CASH, SubAccount.SPENDS)):
            credit = CreditPrisoner(
                credit_id=f"crd-{number:05}-{part}",
                prisoner_id=prisoner_id,
                sub_account=account,
                amount=pounds(rnd.randrange(500, 5_000)),
                description="Money from home" if part == 0 else "Weekly wage",
            )
            yield plan(CREDITS, credit, credit.credit_id, 7 * HOUR_US + number * 10 + part, "prison")
        if rnd.random() < 0.2:
            move = MoveBetweenSubAccounts(
                transfer_id=f"mov-{number:05}",
                prisoner_id=prisoner_id,
                source=SubAccount.CASH,
                target=SubAccount.SPENDS,
                amount=pounds(rnd.randrange(100, 6_000)),
                description="Private cash to spends",
            )
            yield plan(CREDITS, move, move.transfer_id, 7 * HOUR_US + number * 10 + 5, "prison")


def orders(rnd: random.Random, world: World, count: int, prefix: str, day_us: int) -> Iterator[Planned]:
    """All single-person flows: from one source, two or all three, to one supplier or two; some taken back."""
    for number in range(count):
        purchase_id, prisoner = f"{prefix}-{number:05}", rnd.randrange(len(world.prisoners))
        at = day_us + rnd.randrange(9 * HOUR_US, 16 * HOUR_US)
        prisoner_id = world.prisoners[prisoner] if rnd.random() > 0.003 else "A9999ZZ"
        submitted = _submission(rnd, world, purchase_id, prisoner_id, prison_of(prisoner))
        yield plan(PURCHASES, submitted, f"{purchase_id}-submit", at, "shop")
        fate = rnd.random()
        ids: dict[str, Any] = {"purchase_id": purchase_id, "prisoner_id": prisoner_id}
        if fate < 0.9:
            yield plan(PURCHASES, AuthorisePurchase(**ids), f"{purchase_id}-auth", at + 3 * MINUTE_US, "shop")
        elif fate < 0.96:
            cancelled = CancelPurchase(**ids, reason="out-of-stock")
            yield plan(PURCHASES, cancelled, f"{purchase_id}-cancel", at + 4 * MINUTE_US, "shop")
        if fate < 0.06:
            payments = submitted.payments if fate < 0.03 else ()
            refund = RefundPurchase(**ids, refund_id=f"{purchase_id}-R", payments=payments, reason="Out of stock")
            yield plan(PURCHASES, refund, f"{purchase_id}-refund", at + HOUR_US, "shop")


def _canteen(rnd: random.Random, world: World) -> tuple[list[Planned], list[Planned]]:
    """The batches of the week, and what confirms them or calls them off."""
    ordered, at = list(canteen.batches(rnd, world, "WEEK", ORDERING_SHARE)), EVENING_US - DAY_START_US
    confirmed = canteen.confirmations(ordered)
    return (
        [plan(BATCHES, batch, f"{batch.batch_id}-submit", at, "shop") for batch in ordered],
        [plan(BATCHES, each, f"{each.batch_id}-confirm", at + 10 * MINUTE_US, "shop") for each in confirmed],
    )


FUNDING = {
    (FundingSource.SPENDS,): 10,
    (FundingSource.CASH,): 3,
    (FundingSource.SPENDS, FundingSource.CASH): 3,
    (FundingSource.ADVANCE,): 1,
    (FundingSource.SPENDS, FundingSource.CASH, FundingSource.ADVANCE): 2,
}
"""How often a purchase is paid how."""


def _submission(rnd: random.Random, world: World, purchase_id: str, prisoner_id: str, prison_id: str) -> SubmitPurchase:
    (funding,) = rnd.choices(list(FUNDING), list(FUNDING.values()))
    suppliers = rnd.sample(world.suppliers, rnd.choice((1, 1, 2))) if rnd.random() > 0.005 else ["ACME"]
    most = 900 if len(funding) == 1 else 3_000
    payments = tuple(
        SupplierPayment(supplier_id=supplier_id, amount=pounds(rnd.randrange(50, most))) for supplier_id in suppliers
    )
    approval = None
    if FundingSource.ADVANCE in funding:
        approval = rnd.choice(
            (
                AdvanceApproval(approved_by=f"deputy-{prison_id}"),
                AdvanceApproval(approved_by="nobody"),
                AdvanceApproval(circumstance="arrival-without-cash"),
            )
        )
    return SubmitPurchase(
        purchase_id=purchase_id,
        prisoner_id=prisoner_id,
        payments=payments,
        total=pounds(sum(payment.amount.amount_minor for payment in payments)),
        funding=funding,
        description="Canteen Spends",
        approval=approval,
        receipt_to=f"{prisoner_id.lower()}@prison.example" if rnd.random() < 0.5 else None,
    )


def _wages(rnd: random.Random, world: World) -> Iterator[Planned]:
    """The next morning's credits, out of which what is due of advances is repaid."""
    for number, prisoner_id in enumerate(world.prisoners):
        wage = CreditPrisoner(
            credit_id=f"wag-{number:05}",
            prisoner_id=prisoner_id,
            sub_account=rnd.choice((SubAccount.SPENDS, SubAccount.SPENDS, SubAccount.CASH, SubAccount.SAVINGS)),
            amount=pounds(rnd.randrange(100, 1_500)),
            description="Weekly wage",
        )
        yield plan(CREDITS, wage, wage.credit_id, 31 * HOUR_US + number, "prison")


def _write_offs(rnd: random.Random, day: list[Planned], world: World) -> Iterator[Planned]:
    """Some advances that are given up, or would be if there were any left, or if the officer might."""
    numbers = {prisoner_id: number for number, prisoner_id in enumerate(world.prisoners)}
    for planned in day:
        bought = planned.event.message
        if not isinstance(bought, SubmitPurchase) or bought.approval is None or bought.prisoner_id not in numbers:
            continue
        if rnd.random() < 0.1:
            rank = rnd.choice(("governor", "governor", "deputy"))
            given_up = WriteOffAdvance(
                advance_id=bought.purchase_id,
                prisoner_id=bought.prisoner_id,
                written_off_by=f"{rank}-{prison_of(numbers[bought.prisoner_id])}",
                reason="Released",
            )
            yield plan(ADVANCES, given_up, f"{bought.purchase_id}-given-up", 33 * HOUR_US, "prison")


# ---- what goes wrong on the way


def sent(rnd: random.Random, planned: list[Planned]) -> list[Upstream | Raw]:
    """In the order of sending, with some events sent twice, and some ids used twice."""
    again = []
    for sent_us, event in planned:
        if rnd.random() < REPEATED_SHARE:
            again.append(Planned(sent_us + MINUTE_US, event))
        elif rnd.random() < OTHER_CONTENT_SHARE and isinstance(event.message, TripEnded):
            other = event.message.model_copy(update={"ridden_seconds": event.message.ridden_seconds + 60})
            again.append(Planned(sent_us + MINUTE_US, event._replace(message=other)))
    return [each.event for each in sorted([*planned, *again], key=lambda each: each.sent_us)]


def _bad_records(encode: Callable[[Message], bytes]) -> list[Upstream | Raw]:
    """One of each kind that becomes a dead letter."""
    good = TripEnded(trip_id="trp-bad", group_id="grp-000", ridden_seconds=60)
    headers = plan(TRIPS, good, "bad", 0, "trip-service").event.envelope.headers()
    value = encode(good)
    negative = good.model_copy(update={"ridden_seconds": -60})
    return [
        Raw(TRIPS, b"group:grp-000", b'{"trip_id": "trp-bad"}', headers),
        Raw(TRIPS, b"group:grp-000", b"\x00\x7f\xff\xff\xff" + value[5:], headers),
        Raw(TRIPS, b"group:grp-000", value[:-1], headers),
        Raw(TRIPS, b"group:grp-001", value, headers),
        Raw(TRIPS, b"group:grp-000", encode(negative), headers),
        Raw(TRIPS, b"group:grp-000", value, [each for each in headers if each[0] != "ce_id"]),
        Raw(PURCHASES, b"group:grp-000", value, headers),
        Raw(BILLS, b"dealer:dlr-000", None, headers),
    ]


def plan(
    topic: Topic, message: Message, event_id: str, sent_us: int, source: str, happened: int | None = None
) -> Planned:
    """An event of upstream, `sent_us` into the day."""
    time_us = DAY_START_US + (sent_us if happened is None else happened)
    event = upstream(topic, message, event_id=event_id, source=source, time_us=time_us, actor=source)
    return Planned(sent_us, event)


def _eur(amount_minor: int) -> Money:
    return Money(amount_minor=amount_minor, currency="EUR")
