"""Who belongs to a group, as reference data says; joining and leaving are decided elsewhere (MOB-11)."""

from typing import assert_never

from schemas.mobility import GroupMember, GroupMemberLeft
from streams.ledger.tables import Rows


def evolve(members: Rows[GroupMember], event: GroupMember | GroupMemberLeft) -> None:
    """Add or drop a member."""
    key = f"group:{event.group_id}|{event.rider_id}"
    match event:
        case GroupMember():
            members[key] = event
        case GroupMemberLeft():
            if members.get(key) is not None:
                del members[key]
        case _:
            assert_never(event)
