"""The connectors' configurations: JSON files whose `${…}` are filled from the settings.

`${env:NAME}` and `${file:…}` are left alone: Connect reads them from its own environment, so that no credential is in a
file of ours, in a request, or in Connect's answers.
"""

import json
import re
from collections.abc import Iterator, Mapping
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple, TypeAlias

from psycopg.conninfo import conninfo_to_dict

from connectors.errors import BadConfiguration
from connectors.tables import CDC_CONFIG, TABLES
from schemas.settings import Settings
from schemas.topics import PARTITIONS

HERE = Path(__file__).parent
COMMON = "common.json"
BURY = "bury.json"
PLACEHOLDER = re.compile(r"\$\{([a-z.]+)\}")

Configuration: TypeAlias = dict[str, str]


class Deployment(NamedTuple):
    """What keeps two deployments on the same servers apart; `name` is of lower-case letters, digits and `_`."""

    name: str = "millrace"
    topic_prefix: str = ""

    @property
    def slot(self) -> str:
        """The replication slot, which Postgres names for the whole server, not for a database."""
        return f"{self.name}_reference"


MILLRACE = Deployment()


class Unreadable(StrEnum):
    """What a sink does with a record that it cannot read.

    Connect cannot tell a bad record from a registry that does not answer, and only workers write projections: so a
    sink stops, and loses nothing. That a record is bad, and may be put aside as a dead letter, a person says.
    """

    STOP = "stop"
    BURY = "bury"


def configurations(
    settings: Settings, deployment: Deployment = MILLRACE, unreadable: Unreadable = Unreadable.STOP
) -> dict[str, Configuration]:
    """Connector name to configuration: every file of `sources/`, and of `sinks/` upon their common part.

    Raises `BadConfiguration` for a placeholder that we do not know.
    """
    values = placeholders(settings, deployment)
    return {f"{deployment.name}-{path.stem}": _filled(path, files, values) for path, files in _files(unreadable)}


def placeholders(settings: Settings, deployment: Deployment) -> Configuration:
    """What stands in the files' `${…}`."""
    postgres = conninfo_to_dict(settings.postgres)
    return {f"cdc.{name}": value for name, value in CDC_CONFIG.items()} | {
        "deployment.name": deployment.name,
        "deployment.slot": deployment.slot,
        "topic.prefix": deployment.topic_prefix,
        "topic.partitions": str(PARTITIONS),
        "reference.tables": ",".join(f"reference.{table.name}" for table in TABLES),
        "postgres.host": str(postgres.get("host", "localhost")),
        "postgres.port": str(postgres.get("port", 5432)),
        "postgres.database": str(postgres.get("dbname", "millrace")),
        "postgres.user": str(postgres.get("user", "millrace")),
        "postgres.sslmode": str(postgres.get("sslmode", "prefer")),
        "registry.url": settings.converter_registry,
    }


def _files(unreadable: Unreadable) -> Iterator[tuple[Path, tuple[Path, ...]]]:
    for path in sorted((HERE / "sources").glob("*.json")):
        yield path, (path,)
    shared = (COMMON, BURY) if unreadable is Unreadable.BURY else (COMMON,)
    for path in sorted((HERE / "sinks").glob("*.json")):
        if path.name not in (COMMON, BURY):
            yield path, (*(path.with_name(each) for each in shared), path)


def _filled(path: Path, files: tuple[Path, ...], values: Mapping[str, str]) -> Configuration:
    merged: Configuration = {}
    for file in files:
        merged |= json.loads(file.read_text())

    def fill(match: re.Match[str]) -> str:
        if match[1] not in values:
            raise BadConfiguration(
                f"{path.parent.name}/{path.name} has the placeholder {match[0]}, which nothing fills: use one of "
                + ", ".join(sorted(values))
            )
        return values[match[1]]

    return {name: PLACEHOLDER.sub(fill, value) for name, value in merged.items()}
