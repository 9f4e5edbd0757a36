"""Which partitions this worker owns, under which epoch, with what right to commit."""

from collections.abc import Sequence
from enum import Enum
from typing import Any, Protocol

from confluent_kafka import TopicPartition


class AssignmentError(Exception):
    """The group gave this worker partitions that do not belong together."""


class GroupMember(Protocol):
    """What the assignment asks of a consumer; `confluent_kafka.Consumer` is one."""

    def assign(self, partitions: list[TopicPartition]) -> None: ...
    def unassign(self) -> None: ...
    def consumer_group_metadata(self) -> Any: ...


class Phase(Enum):
    """Life of an assignment: nothing owned → owned, tables being restored → records flow → nothing owned …"""

    UNASSIGNED = "unassigned"
    RESTORING = "restoring"
    FLOWING = "flowing"


class Assignment:
    """The rebalance state machine. Its `on_…` are the consumer's callbacks and run in the thread that polls.

    Every callback starts a new `epoch`; whatever was fetched, restored or prepared under an earlier epoch is void.
    """

    def __init__(self, topics: Sequence[str] = ()) -> None:
        self.topics = tuple(topics)
        self.phase = Phase.UNASSIGNED
        self.epoch = 0
        self.partitions: tuple[TopicPartition, ...] = ()
        self.group: Any = None
        """Group metadata of this assignment; None when nothing may be committed."""

    def on_assign(self, member: GroupMember, partitions: list[TopicPartition]) -> None:
        """Take up `partitions`, perhaps none, but fetch nothing: no record may arrive before its tables are restored.

        Fetching begins with `Source.flow`, which assigns them with their offsets.

        The group metadata is captured here and not at commit: after a lost session librdkafka forgets its member id,
        and an offset commit without member id is not fenced by the group coordinator (ADR 2, finding 7).
        """
        self.epoch += 1
        member.assign([])
        self.partitions = tuple(partitions)
        self.group = member.consumer_group_metadata()
        self.phase = Phase.RESTORING

    def on_revoke(self, member: GroupMember, partitions: list[TopicPartition]) -> None:
        """Give up everything. Also serves a lost session: then the partitions are somebody else's already."""
        self.epoch += 1
        self.partitions, self.group = (), None
        self.phase = Phase.UNASSIGNED
        member.unassign()

    def restored(self, epoch: int) -> None:
        """The tables of `epoch` are restored; ignored if the assignment has moved on."""
        if epoch == self.epoch and self.phase is Phase.RESTORING:
            self.phase = Phase.FLOWING

    def check_copartitioned(self) -> None:
        """Every source topic must have given the same partitions: an agent's tables live on its own partition.

        Raises AssignmentError if not, as may happen while workers of two versions with other topics run together.
        """
        owned = {topic: {tp.partition for tp in self.partitions if tp.topic == topic} for topic in self.topics}
        if len({frozenset(numbers) for numbers in owned.values()}) > 1:
            listed = "; ".join(f"{topic}: {sorted(numbers)}" for topic, numbers in sorted(owned.items()))
            raise AssignmentError(f"the group split co-partitioned topics apart ({listed}): do all workers subscribe "
                                  "to the same topics?")  # fmt: skip
