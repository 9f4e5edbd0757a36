"""Why a sink stops. Each message is one sentence: which server or thing, where, and what to do."""

from enum import IntEnum


class Exit(IntEnum):
    """The exit codes of `python -m sinks`."""

    DONE = 0
    DIFFERENCES = 1  # `verify` or `day` found some, or records are still parked after `retry`
    REFUSED = 2  # a server or a setting is missing: a restart alone will not help
    FATAL = 70  # a server went away while running: a restart goes on where the last transaction ended


class SinkError(RuntimeError):
    """The parent of all below."""


class KafkaUnavailable(SinkError):
    """No broker answers, or the topic is not there."""


class PostgresUnavailable(SinkError):
    """Postgres does not answer, or has not the tables of the sinks."""


class StorageUnavailable(SinkError):
    """The blob storage refuses a put, so that the bytes wait in `sink.outgoing`; or it cannot be read."""


class UnknownPrison(SinkError):
    """Nothing is known of the prison that was asked for."""


class UnknownPurchase(SinkError):
    """Nobody ever said anything of the purchase that was asked for."""
