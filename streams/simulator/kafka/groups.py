"""The group coordinator: members, generations, the range assignor, offsets that are committed or pending."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from confluent_kafka import OFFSET_INVALID, KafkaError

from streams.simulator.kafka.errors import Refusal
from streams.simulator.kafka.messages import Fate, Place


class GroupMetadata(NamedTuple):
    """Who commits, and for which generation: what fences a commit."""

    group: str
    member_id: str
    generation: int


@dataclass
class Member:
    """One consumer in the group. `silent_since` tells when its heartbeats stopped, None while they come."""

    member_id: str
    topics: tuple[str, ...]
    session_timeout_s: float
    silent_since: Callable[[], float | None]
    partitions: list[Place] = field(default_factory=list)


class Group:
    """One consumer group of the classic protocol, with eager rebalances.

    A rebalance begins when somebody joins, leaves or falls silent. It ends, with a new generation, when every member
    has joined again or has been silent for its session.
    """

    def __init__(self, name: str, partitions_of: Callable[[str], int]) -> None:
        self.name = name
        self.generation = 0
        self._partitions_of = partitions_of
        self._members: dict[str, Member] = {}
        self._rejoined: set[str] | None = None
        """Who has joined again during a rebalance; None while there is none."""
        self._offsets: dict[Place, int] = {}
        self._pending: dict[int, dict[Place, int]] = {}

    # ---- membership

    def join(self, member: Member) -> None:
        """Enter, or enter again during a rebalance."""
        self._members[member.member_id] = member
        if self._rejoined is None:
            self._rejoined = set()
        self._rejoined.add(member.member_id)
        self._complete()

    def leave(self, member_id: str) -> None:
        """Leave; the others rebalance."""
        if self._members.pop(member_id, None) is not None:
            self._begin_rebalance()

    def expire(self, now_s: float) -> None:
        """Drop members that have been silent for longer than their session."""
        for member in list(self._members.values()):
            silent_since = member.silent_since()
            if silent_since is not None and now_s - silent_since > member.session_timeout_s:
                self.leave(member.member_id)

    def knows(self, member_id: str) -> bool:
        """Whether the member is in the group."""
        return member_id in self._members

    def wants_rejoin(self, member_id: str) -> bool:
        """Whether a rebalance waits for this member."""
        return self._rejoined is not None and member_id not in self._rejoined

    @property
    def is_stable(self) -> bool:
        """No rebalance is under way."""
        return self._rejoined is None

    def assignment(self, member_id: str) -> list[Place]:
        """What the last rebalance gave a member."""
        return self._members[member_id].partitions

    def _begin_rebalance(self) -> None:
        if self._rejoined is None:
            self._rejoined = set()
        self._rejoined &= self._members.keys()
        self._complete()

    def _complete(self) -> None:
        if self._rejoined is None or self._rejoined != self._members.keys():
            return
        self._rejoined = None
        self.generation += 1
        shares = assign_ranges(self._members.values(), self._partitions_of)
        for member_id, member in self._members.items():
            member.partitions = shares[member_id]

    # ---- offsets

    def add_pending(self, producer_id: int, offsets: dict[Place, int], by: GroupMetadata) -> None:
        """Take offsets of a transaction; they count when it is committed. Raises Refusal for a former member."""
        if by.member_id:  # a commit without member id is not fenced (ADR 2, finding 7)
            if by.member_id not in self._members:
                raise Refusal(KafkaError.UNKNOWN_MEMBER_ID)
            if by.generation != self.generation:
                raise Refusal(KafkaError.ILLEGAL_GENERATION)
        self._pending.setdefault(producer_id, {}).update(offsets)

    def decide(self, producer_id: int, fate: Fate) -> None:
        """A transaction's marker has come."""
        offsets = self._pending.pop(producer_id, {})
        if fate is Fate.COMMITTED:
            self._offsets.update(offsets)

    def committed(self, places: Sequence[Place], *, stable: bool) -> list[int]:
        """The committed offsets; OFFSET_INVALID where there is none. Raises Refusal if one is pending, if `stable`."""
        if stable and any(place in offsets for offsets in self._pending.values() for place in places):
            raise Refusal(KafkaError.UNSTABLE_OFFSET_COMMIT)
        return [self._offsets.get(place, OFFSET_INVALID) for place in places]


def assign_ranges(members: Iterable[Member], partitions_of: Callable[[str], int]) -> dict[str, list[Place]]:
    """Kafka's range assignor: each topic's partitions in ranges, to its members in the order of their ids."""
    shares: dict[str, list[Place]] = {member.member_id: [] for member in members}
    by_id = {member.member_id: member for member in members}
    for topic in sorted({topic for member in by_id.values() for topic in member.topics}):
        takers = sorted(member_id for member_id, member in by_id.items() if topic in member.topics)
        whole, extra = divmod(partitions_of(topic), len(takers))
        first = 0
        for number, member_id in enumerate(takers):
            size = whole + (number < extra)
            shares[member_id] += [Place(topic, partition) for partition in range(first, first + size)]
            first += size
    return shares
