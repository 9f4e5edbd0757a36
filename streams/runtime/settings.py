"""What can be set about the runtime, read once from the environment (prefix `MILLRACE_`)."""

from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from dotenv import dotenv_values
from pydantic import Field, FilePath
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Settings of one worker process. Times are in seconds; every field is `MILLRACE_<NAME>` in the environment."""

    model_config = SettingsConfigDict(env_prefix="MILLRACE_", env_ignore_empty=True, frozen=True)

    worker: str = "0"
    """Name of this worker, stable over restarts and unique in the group: it makes the transactional id (PIPE-03)."""

    batch_records: int = Field(5_000, ge=1, le=100_000)
    """Most records in one cycle, and so in one transaction."""

    transaction_timeout_s: float = Field(6.0, ge=2.0)
    """How long the broker waits for a worker that died while committing; others are held up for as long. No longer than
    the session, which they wait for anyway."""

    commit_timeout_s: float = Field(30.0, ge=1.0)
    """How long a commit is tried again while the broker cannot be reached, before the worker ends itself."""

    process_timeout_s: float = Field(60.0, ge=1.0)
    """How long the agents may take over one batch before the worker ends itself."""

    restore_stall_timeout_s: float = Field(120.0, ge=1.0)
    """How long a restore may go without any progress before the worker ends itself."""

    broker_wait_s: float = Field(10.0, ge=0.1)
    """How long to wait for the first answer of the broker at start."""

    session_timeout_s: float = Field(6.0, ge=1.0)
    """Silence after which the group gives this worker's partitions to another one; the shortest that brokers allow by
    default."""

    warm_s: float = Field(3_600.0, ge=0.0)
    """Greatest age of revoked rows that a later restore may start from; far below `delete.retention.ms`."""

    snapshots: Path | None = None
    """Folder for snapshots of the tables (ADR 5); none by default: rows are somebody's money, and where they may lie on
    a disk is for people to say."""

    snapshot_records: int = Field(50_000, ge=1)
    """Changelog records after which a table partition is written to `snapshots`; never fewer than it has rows."""

    snapshot_max_age_s: float = Field(86_400.0, ge=1.0)
    """Greatest age of a snapshot that a restore may start from; never more than half of `delete.retention.ms`."""

    replication_factor: int = Field(1, ge=1)
    """Replicas of the changelog topics that this worker creates."""

    clock: Literal["own", "outside"] = "own"
    """`own`: this worker writes the ticks of its partitions; `outside`: somebody else does (replay, simulation)."""

    kafka_properties: FilePath | None = None
    """File of librdkafka properties, `name=value` a line, for every client: TLS, SASL (PIPE-15). Never logged."""

    @property
    def request_timeout_s(self) -> float:
        """Longest wait for one answer of the broker; it must be shorter than the transaction may last."""
        return self.transaction_timeout_s * 0.9

    @property
    def heartbeat_s(self) -> float:
        """How often this worker tells that it lives, and hears of a rebalance."""
        return min(1.0, self.session_timeout_s * 0.3)

    @property
    def commit_limit_s(self) -> float:
        """No commit, with all its attempts and a replaced producer, may take longer: then something hangs."""
        return 2 * self.commit_timeout_s + 2 * self.transaction_timeout_s

    @property
    def max_poll_interval_s(self) -> float:
        """Longest time between two polls: the agents' time, the commit's, and as much again."""
        return 2 * (self.process_timeout_s + self.commit_limit_s)

    @property
    def stuck_after_s(self) -> float:
        """A cycle without progress for this long is reported dead by `/health`."""
        return self.process_timeout_s + self.commit_limit_s

    @cached_property
    def security(self) -> dict[str, str | None]:
        """The properties of `kafka_properties`; empty without a file."""
        return {} if self.kafka_properties is None else dotenv_values(self.kafka_properties, interpolate=False)

    def client(self, servers: str, **extra: Any) -> dict[str, Any]:
        """Configuration every Kafka client of this process shares, with `extra` on top (dots as underscores)."""
        names = {name.replace("_", "."): value for name, value in extra.items()}
        return {
            "bootstrap.servers": servers,
            "reconnect.backoff.max.ms": 1_000,  # a broker that is back is found within a second
            **self.security,
            **names,
        }
