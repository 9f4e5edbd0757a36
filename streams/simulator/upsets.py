"""What an upstream does that is not careful: sends twice, sends late, sends the same under another id."""

import random
from collections.abc import Iterator, Sequence

from connectors.cdc import Op
from schemas.dealer_bills import CreateBill
from schemas.general_ledger import CorrectLines, LedgerSide, LineRefusal, LinesProcessed, LinesRefused
from schemas.lots import DealConcluded, LotPriceChanged
from schemas.mobility import DepositBudget, GroupMember
from schemas.prison_finance import AuthorisePurchase, SubmitPurchase
from schemas.publishing import Upstream
from schemas.topics import GL_ACKNOWLEDGEMENTS, GL_CORRECTIONS, Topic
from streams.demo.day import DAY_START_US, HOUR_US, Raw, plan
from streams.demo.world import World
from streams.prison_finance.accounting_day import london_date
from streams.simulator.reference import RowChange

LATE_SHARE = 0.05
AGAIN_SHARE = 0.06
OTHER_ID_SHARE = 0.03
OTHER_CONTENT_SHARE = 0.02
ANSWERED_SHARE = 0.7
OTHER_CONTENT = {
    DepositBudget: "amount",
    CreateBill: "amount",
    DealConcluded: "price",
    LotPriceChanged: "price",
}
"""Whose sum is another one where an id comes again with other content."""
LATEST_STEPS = 40
"""How many commands later something may come."""


def upset(
    rnd: random.Random, events: Sequence[Upstream | Raw], step_s: float
) -> Iterator[tuple[float, Upstream | Raw]]:
    """When each event is sent, in seconds; some late, some again, some under another id or with other content."""
    for number, event in enumerate(events):
        at_s = number * step_s

        def later(from_s: float = at_s) -> float:
            return from_s + rnd.random() * LATEST_STEPS * step_s

        yield (later() if rnd.random() < LATE_SHARE else at_s + rnd.random() * step_s), event
        if isinstance(event, Raw):
            continue
        if rnd.random() < AGAIN_SHARE:
            yield later(), event
        if rnd.random() < OTHER_ID_SHARE:
            renamed = event._replace(envelope=event.envelope._replace(id=f"{event.envelope.id}-again"))
            yield later(), renamed
            yield later(), renamed
        field = OTHER_CONTENT.get(type(event.message))
        if rnd.random() < OTHER_CONTENT_SHARE and field is not None:
            money = getattr(event.message, field)
            more = money.model_copy(update={"amount_minor": money.amount_minor + 1})
            yield later(), event._replace(message=event.message.model_copy(update={field: more}))


def acknowledged(rnd: random.Random, events: Sequence[Upstream | Raw]) -> Iterator[Upstream | Raw]:
    """The events, and after some purchases what the general ledger says of their lines, as far as it can be guessed."""
    submitted: dict[str, SubmitPurchase] = {}
    for event in events:
        yield event
        if isinstance(event, Raw):
            continue
        if isinstance(event.message, SubmitPurchase):
            submitted[event.message.purchase_id] = event.message
        purchase = getattr(event.message, "purchase_id", "")
        if isinstance(event.message, AuthorisePurchase) and purchase in submitted and rnd.random() < ANSWERED_SHARE:
            yield from _answers(rnd, submitted[purchase])


def _answers(rnd: random.Random, purchase: SubmitPurchase) -> Iterator[Upstream]:
    ids = {"prisoner_id": purchase.prisoner_id, "transaction_id": purchase.purchase_id}
    prefix = f"{purchase.prisoner_id}/{purchase.purchase_id}/{london_date(DAY_START_US)}"

    def lines(first: int) -> tuple[str, ...]:
        entries = range(first, first + len(purchase.payments))
        return tuple(f"{prefix}/{entry}/{side}" for entry in entries for side in LedgerSide)

    if rnd.random() < 0.5:
        yield _told(GL_ACKNOWLEDGEMENTS, LinesProcessed(**ids, file="1", line_ids=lines(1)))
        return
    reasons = (LineRefusal(line_id=lines(1)[0], reason="unknown account"),)
    yield _told(GL_ACKNOWLEDGEMENTS, LinesRefused(**ids, file="1", reasons=reasons))
    yield _told(GL_CORRECTIONS, CorrectLines(**ids, correction_id=f"{purchase.purchase_id}-K"))
    again = lines(1 + len(purchase.payments))
    yield _told(GL_ACKNOWLEDGEMENTS, LinesProcessed(**ids, file="2", line_ids=again))


def _told(topic: Topic, message: LinesProcessed | LinesRefused | CorrectLines) -> Upstream:
    file = "" if isinstance(message, CorrectLines) else message.file
    event_id = f"{message.transaction_id}-{type(message).__name__}-{file}"
    return plan(topic, message, event_id, 20 * HOUR_US, "sop").event


def moves_of(rnd: random.Random, world: World) -> list[RowChange]:
    """Riders who change their group, or leave it, during the day."""
    groups, changes = list(world.members), list[RowChange]()
    riders = [
        GroupMember(group_id=group, rider_id=rider) for group, riders in world.members.items() for rider in riders
    ]
    for lsn, before in enumerate(rnd.sample(riders, min(2, len(riders))), 2):
        if rnd.random() < 0.5:
            changes.append(RowChange("group_members", Op.DELETED, before, None, lsn))
        else:
            after = before.model_copy(update={"group_id": rnd.choice(groups)})
            changes.append(RowChange("group_members", Op.UPDATED, before, after, lsn))
    return changes
