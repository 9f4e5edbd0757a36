"""Where the servers are, read from `MILLRACE_*` in the environment or from the file that the stack writes."""

import os
from functools import cache
from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Addresses and places. The environment wins over the file; an unknown value is an error that names the field."""

    model_config = SettingsConfigDict(env_prefix="MILLRACE_", frozen=True, extra="ignore")

    kafka: str = Field("127.0.0.1:19092", description="bootstrap servers, host:port, comma separated")
    registry: str = Field("http://127.0.0.1:18081/apis/ccompat/v7", description="schema registry, Confluent API")
    converter_registry: str = Field(
        "http://127.0.0.1:18081/apis/registry/v2", description="the same registry as Connect's Avro converter sees it"
    )
    postgres: str = Field("postgresql://millrace@127.0.0.1:15432/millrace", description="libpq connection string")
    connect: str = Field("http://127.0.0.1:18083", description="Kafka Connect's REST address")
    prometheus: str = Field("http://127.0.0.1:19090", description="Prometheus, for the dashboards' tests")
    scrape_targets: Path | None = Field(None, description="folder where workers announce themselves to Prometheus")
    blob: str = Field("file://build/blob", description="fsspec address of the blob storage of the sinks")


@cache
def settings() -> Settings:
    """The settings of this process, read once. `MILLRACE_ENV_FILE` names another file than the stack's."""
    return Settings(_env_file=os.environ.get("MILLRACE_ENV_FILE", ".stack/env"))
