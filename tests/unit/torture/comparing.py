"""What tests need that hold the verifier's model against a room of the product."""

import json
from typing import Any

import msgspec

from schemas.fields import Message
from schemas.ledger import Decided
from schemas.topics import TOPICS
from streams.runtime.rows import Rows
from tests.torture.events import Fields
from tests.torture.verifier.check import line_of
from tests.torture.verifier.differences import Differences
from tests.torture.verifier.model import Model, Verdict
from tests.torture.verifier.rows import TABLES

MESSAGES: dict[str, type[Message]] = {
    message.__name__: message for topic in TOPICS for message in topic.messages if issubclass(message, Message)
}

Tables = dict[str, dict[str, Any]]
"""By name: rows by key, as changelogs have them."""


def verdict(entry: Decided) -> Verdict:
    """What the room has decided, as the model says it."""
    return Verdict(entry.outcome.value, entry.reason, tuple(line_of(msgspec.to_builtins(line)) for line in entry.lines))


def fields_of(message: Any) -> Fields:
    """As Python has them."""
    fields: Fields = msgspec.to_builtins(message, enc_hook=lambda each: each.model_dump())
    return fields


def plain(rows: Rows[Any]) -> dict[str, Any]:
    """Rows as JSON has them."""
    return {key: json.loads(msgspec.json.encode(rows[key], enc_hook=lambda each: each.model_dump())) for key in rows}


def differing(model: Model, tables: Tables) -> list[str]:
    """What the verifier says of tables."""
    differences = Differences()
    for table in (each for each in TABLES if each.name in tables):
        found = {key: table.found(row) for key, row in tables[table.name].items()}
        differences.compare(table.name, table.expected(model), found)
    return differences.kept
