"""A cluster that has just been broken moves leaders about; the audit asks again, for a while."""

from collections.abc import Callable

import pytest
from confluent_kafka import KafkaError, KafkaException

from streams.audit.kafka import while_leaders_move


def refusing(*codes: int) -> Callable[[], str]:
    """Each call fails with the next of these errors; when they are used up, it answers."""
    left = list(codes)

    def ask() -> str:
        if left:
            raise KafkaException(KafkaError(left.pop(0)))
        return "answer"

    return ask


@pytest.mark.requirement("PIPE-09")
def test_a_partition_whose_leader_moves_is_asked_again() -> None:
    moving = refusing(KafkaError.NOT_LEADER_FOR_PARTITION, KafkaError.LEADER_NOT_AVAILABLE)
    assert while_leaders_move(moving, patience_s=10.0) == "answer"


def test_a_leader_that_never_settles_is_given_up() -> None:
    with pytest.raises(KafkaException, match="NOT_LEADER"):
        while_leaders_move(refusing(*[KafkaError.NOT_LEADER_FOR_PARTITION] * 9), patience_s=0.0)


def test_a_broker_that_is_away_is_not_waited_for() -> None:
    with pytest.raises(KafkaException, match="TRANSPORT"):
        while_leaders_move(refusing(KafkaError._TRANSPORT), patience_s=10.0)
