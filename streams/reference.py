"""Reference data: changes of Postgres rows, as Debezium reports them, become reference messages on their topics."""

from schemas.registry import ConfluentRegistry
from streams.pipeline import Pipeline


def wire(pipeline: Pipeline, registry: ConfluentRegistry) -> None:
    """Declare an agent for every captured table."""
