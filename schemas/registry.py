"""The schema registry, over its Confluent API: ids of schemas, schemas of ids, compatibility (PIPE-12)."""

import json
from typing import Any, Protocol

import httpx
from confluent_kafka.schema_registry import ConfigCompatibilityLevel, Schema, SchemaRegistryClient, ServerConfig
from confluent_kafka.schema_registry.error import SchemaRegistryError

from schemas.avro import schema_of
from schemas.topics import TOPICS

NOT_FOUND = 404


class RegistryUnavailable(RuntimeError):
    """The registry does not answer: says which and what to do. Nothing may be decided without it."""


class UnknownSchema(LookupError):
    """The registry has no such schema."""


class Registry(Protocol):
    """What the codec needs of a registry."""

    def id_of(self, subject: str, schema: Any) -> int: ...

    def schema(self, schema_id: int) -> Any: ...


class ConfluentRegistry:
    """A registry that answers the Confluent API (Apicurio's `ccompat`, Confluent's own, Karapace)."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._client = SchemaRegistryClient({"url": url, "timeout": 10, "max.retries": 2})

    def id_of(self, subject: str, schema: Any) -> int:
        """The id of a registered schema. Raises `UnknownSchema`, `RegistryUnavailable`."""
        registered = self._ask(lambda: self._client.lookup_schema(subject, _avro(schema)))
        return int(registered.schema_id)

    def schema(self, schema_id: int) -> Any:
        """The schema of an id. Raises `UnknownSchema`, `RegistryUnavailable`."""
        schema = self._ask(lambda: self._client.get_schema(schema_id))
        if schema.schema_type != "AVRO":
            raise UnknownSchema(f"schema {schema_id} of the registry at {self._url} is {schema.schema_type}, not AVRO")
        return json.loads(schema.schema_str)

    def register(self, subject: str, schema: Any, compatibility: str) -> int:
        """Register a schema under the subject's compatibility rule. Raises `SchemaRegistryError` if it breaks it."""
        rule = ServerConfig(compatibility=ConfigCompatibilityLevel[compatibility])
        self._ask(lambda: self._client.set_config(subject, rule))
        return int(self._ask(lambda: self._client.register_schema(subject, _avro(schema))))

    def is_compatible(self, subject: str, schema: Any) -> bool:
        """Whether the registry would take this schema as the subject's next version."""
        return bool(self._ask(lambda: self._client.test_compatibility(subject, _avro(schema))))

    def _ask(self, question: Any) -> Any:
        try:
            return question()
        except SchemaRegistryError as error:
            if error.http_status_code == NOT_FOUND:
                raise UnknownSchema(f"the registry at {self._url} has no such schema: {error.error_message}") from error
            raise
        except httpx.TransportError as error:
            raise RegistryUnavailable(
                f"the schema registry at {self._url} does not answer ({error}): start it, or set MILLRACE_REGISTRY"
            ) from error


def register_all(registry: ConfluentRegistry) -> dict[str, int]:
    """Register every message of every topic: subject to id. Idempotent."""
    return {
        topic.subject(message): registry.register(topic.subject(message), schema_of(message), topic.compatibility)
        for topic in TOPICS
        for message in topic.messages
    }


def _avro(schema: Any) -> Schema:
    return Schema(json.dumps(schema), "AVRO")
