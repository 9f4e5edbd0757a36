"""Errors as librdkafka raises them, and as a broker answers them."""

from confluent_kafka import KafkaError, KafkaException


class Refusal(Exception):
    """What a broker answers instead of doing what it was asked; `code` is one of `KafkaError`'s."""

    def __init__(self, code: int) -> None:
        super().__init__(KafkaError(code).name())
        self.code = code


def failure(code: int, text: str = "", **kind: bool) -> KafkaException:
    """The exception of a client's call; `kind` is fatal, retriable or txn_requires_abort."""
    return KafkaException(error(code, text, **kind))


def error(code: int, text: str = "", **kind: bool) -> KafkaError:
    """A KafkaError with its usual text, or another one."""
    return KafkaError(code, text, **kind) if text else KafkaError(code, **kind)
