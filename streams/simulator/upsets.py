"""What an upstream does that is not careful: sends twice, sends late, sends the same under another id."""

import random
from collections.abc import Iterator, Sequence

from connectors.cdc import Op
from schemas.dealer_billing import RaiseBill
from schemas.mobility import DepositBudget, GroupMember
from schemas.publishing import Upstream
from streams.demo.day import Raw
from streams.demo.world import World
from streams.simulator.reference import RowChange

LATE_SHARE = 0.05
AGAIN_SHARE = 0.06
OTHER_ID_SHARE = 0.03
OTHER_CONTENT_SHARE = 0.02
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
        if rnd.random() < OTHER_CONTENT_SHARE and isinstance(event.message, DepositBudget | RaiseBill):
            more = event.message.amount.model_copy(update={"amount_minor": event.message.amount.amount_minor + 1})
            yield later(), event._replace(message=event.message.model_copy(update={"amount": more}))


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
