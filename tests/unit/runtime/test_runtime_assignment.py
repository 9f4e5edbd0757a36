"""The rebalance state machine, without a group."""

from typing import Any

import pytest
from confluent_kafka import TopicPartition

from streams.runtime.assignment import Assignment, AssignmentError, Phase

pytestmark = pytest.mark.requirement("PIPE-03")


class Member:
    """A group member whose metadata changes, as librdkafka's does when the session is lost."""

    def __init__(self) -> None:
        self.metadata = "member-1"
        self.fetching: list[TopicPartition] | None = None

    def assign(self, partitions: list[TopicPartition]) -> None:
        self.fetching = partitions

    def unassign(self) -> None:
        self.fetching = None

    def consumer_group_metadata(self) -> Any:
        return self.metadata


def partitions(*numbers: int, topic: str = "in") -> list[TopicPartition]:
    return [TopicPartition(topic, number) for number in numbers]


def test_nothing_is_fetched_before_the_tables_are_restored() -> None:
    member, assignment = Member(), Assignment(["in"])
    assignment.on_assign(member, partitions(0, 1))
    assert member.fetching == []
    assert assignment.phase is Phase.RESTORING


def test_the_group_metadata_is_that_of_the_assignment_not_of_the_commit() -> None:
    member, assignment = Member(), Assignment(["in"])
    assignment.on_assign(member, partitions(0))
    member.metadata = ""
    assert assignment.group == "member-1"


def test_every_callback_begins_a_new_epoch() -> None:
    member, assignment = Member(), Assignment(["in"])
    assignment.on_assign(member, partitions(0))
    assignment.on_revoke(member, partitions(0))
    assignment.on_assign(member, partitions(0))
    assert assignment.epoch == 3


def test_after_a_revocation_nothing_may_be_committed() -> None:
    member, assignment = Member(), Assignment(["in"])
    assignment.on_assign(member, partitions(0))
    assignment.on_revoke(member, partitions(0))
    assert (assignment.group, assignment.partitions, assignment.phase) == (None, (), Phase.UNASSIGNED)
    assert member.fetching is None


def test_a_restore_of_an_earlier_epoch_does_not_let_records_flow() -> None:
    member, assignment = Member(), Assignment(["in"])
    assignment.on_assign(member, partitions(0))
    begun = assignment.epoch
    assignment.on_revoke(member, partitions(0))
    assignment.on_assign(member, partitions(1))
    assignment.restored(begun)
    assert assignment.phase is Phase.RESTORING
    assignment.restored(assignment.epoch)
    assert assignment.phase is Phase.FLOWING


def test_an_empty_assignment_is_an_assignment() -> None:
    assignment = Assignment(["in"])
    assignment.on_assign(Member(), [])
    assignment.restored(assignment.epoch)
    assert assignment.phase is Phase.FLOWING


def test_topics_that_share_tables_must_come_with_the_same_partitions() -> None:
    assignment = Assignment(["in", "ticks"])
    assignment.on_assign(Member(), [*partitions(0, 1), *partitions(0, 1, topic="ticks")])
    assignment.check_copartitioned()
    assignment.on_assign(Member(), [*partitions(0, 1), *partitions(1, 2, topic="ticks")])
    with pytest.raises(AssignmentError, match=r"in: \[0, 1\]; ticks: \[1, 2\]"):
        assignment.check_copartitioned()
