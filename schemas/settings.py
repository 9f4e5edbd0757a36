"""Where the servers are, read from `MILLRACE_*` in the environment or from the file that the stack writes."""

import os
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from dotenv import dotenv_values
from pydantic import Field, FilePath, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from schemas.fields import EmailAddress

QUIET = 2
"""Syslog level below which librdkafka says nothing: critical."""

WEB_ADDRESS = r"^https?://\S+$"
"""Of what is asked over HTTP for as long as it takes: without its scheme an address would be tried for ever."""

PARTITIONER = "murmur2_random"
"""The same in every client, Java's and ours: a key's partition must not depend on who wrote it."""


Read = TypeVar("Read", bound=BaseSettings)


class WrongSetting(ValueError):
    """A setting cannot be what it is; the message names its variable and says why."""


class Settings(BaseSettings):
    """Addresses and places. The environment wins over the file; an unknown value is an error that names the field."""

    model_config = SettingsConfigDict(env_prefix="MILLRACE_", frozen=True, extra="ignore")

    kafka: str = Field("127.0.0.1:19092", description="bootstrap servers, host:port, comma separated")
    kafka_properties: FilePath | None = Field(
        None, description="file of librdkafka properties, name=value a line, for every client: TLS, SASL; never logged"
    )
    registry: str = Field("http://127.0.0.1:18081/apis/ccompat/v7", description="schema registry, Confluent API")
    converter_registry: str = Field(
        "http://127.0.0.1:18081/apis/registry/v2", description="the same registry as Connect's Avro converter sees it"
    )
    postgres: str = Field("postgresql://millrace@127.0.0.1:15432/millrace", description="libpq connection string")
    connect: str = Field("http://127.0.0.1:18083", description="Kafka Connect's REST address")
    prometheus: str = Field("http://127.0.0.1:19090", description="Prometheus, for the dashboards' tests")
    scrape_targets: Path | None = Field(None, description="folder where workers announce themselves to Prometheus")
    web_host: str = Field("127.0.0.1", description="address on which a worker serves /metrics, /health, /ready")
    session_timeout_s: float = Field(6.0, ge=1.0, description="silence after which a consumer loses its partitions")
    blob: str = Field("file://build/blob", description="fsspec address of the blob storage of the sinks")
    general_ledger: str = Field(
        "http://127.0.0.1:18090", pattern=WEB_ADDRESS, description="the SOP general ledger's address for uploads"
    )
    general_ledger_token: SecretStr | None = Field(None, description="bearer token for it")
    general_ledger_timeout_s: float = Field(30.0, gt=0, description="how long an upload may take, to its answer")
    billing: str = Field("http://127.0.0.1:18091", pattern=WEB_ADDRESS, description="the external Billing's address")
    billing_token: SecretStr | None = Field(None, description="bearer token for it")
    billing_timeout_s: float = Field(10.0, gt=0, le=100, description="how long one call may take, to its answer")
    billing_failures: int = Field(5, ge=1, description="in a row, of any calls, after which Billing is let alone")
    billing_rest_s: float = Field(30.0, gt=0, description="for how long; then one call tries whether it is back")
    smtp: str = Field("127.0.0.1:1025", pattern=r"^\S+:\d+$", description="mail server of the receipts, host:port")
    smtp_user: str = Field("", description="who logs in there, over TLS only; empty: nobody")
    smtp_password: SecretStr | None = Field(None, description="the password of smtp_user")
    mail_from: EmailAddress = Field("receipts@millrace.example", description="sender of the receipts")

    @field_validator("mail_from")
    @classmethod
    def _no_encoded_word(cls, address: str) -> str:
        if "=?" in address:
            raise ValueError("mail libraries take =? for the beginning of an encoded word, and send nothing")
        return address

    def client(self, **properties: object) -> dict[str, object]:
        """Configuration of a Kafka client, with `properties` on top (dots as underscores).

        `kafka_properties` says how it shows who it is (PIPE-15). What cannot be reached is said by our own sentence,
        not by a line of librdkafka for every attempt; a broker that is back is found within a second.
        """
        named = {name.replace("_", "."): value for name, value in properties.items()}
        security = {} if self.kafka_properties is None else dotenv_values(self.kafka_properties, interpolate=False)
        return {
            "bootstrap.servers": self.kafka, "log_level": QUIET, "partitioner": PARTITIONER,
            "reconnect.backoff.max.ms": 1_000, **security, **named,
        }  # fmt: skip


@cache
def settings() -> Settings:
    """The settings of this process, read once. `MILLRACE_ENV_FILE` names another file than the stack's.

    Raises `WrongSetting`.
    """
    return read(Settings, _env_file=os.environ.get("MILLRACE_ENV_FILE", ".stack/env"))


def read(kind: type[Read], **options: Any) -> Read:
    """Settings of a kind, with pydantic's options. Raises `WrongSetting`."""
    try:
        return kind(**options)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        variable = "_".join(("MILLRACE", *(str(part).upper() for part in first["loc"])))
        raise WrongSetting(f"{variable} is wrong: {first['msg']}") from error
