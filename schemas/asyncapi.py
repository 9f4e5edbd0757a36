"""The AsyncAPI 3 document of all topics, made from their declarations (PIPE-12).

Seen from this pipeline: it receives what upstream writes, and sends what it writes itself. Payloads are Avro, framed as
Confluent does; headers are CloudEvents 1.0 in binary mode.
"""

from collections.abc import Iterator
from typing import Any

from schemas.avro import full_name, schema_of
from schemas.envelope import MAX_CHARS, SPEC_VERSION
from schemas.fields import Contract
from schemas.topics import PARTITIONS, TOPICS, UPSTREAM, Kind, Topic

AVRO = "application/vnd.apache.avro;version=1.9.0"
CONTENT_TYPE = "application/vnd.confluent.avro"
BINDING_VERSION = "0.5.0"

ATTRIBUTES = {
    "ce_specversion": "CloudEvents version",
    "ce_id": "unique within ce_source; with it, what makes a message idempotent; no '|'",
    "ce_source": "the system that says so, a URI reference; no '|'",
    "ce_type": "the full name of the Avro record",
    "ce_time": "when it happened: ISO 8601 with an offset from UTC",
    "ce_subject": "the book that the message is about: the record's key",
    "ce_correlationid": "what all messages of one story share; by default ce_id",
    "ce_causationid": "ce_id of the message that caused this one; by default ce_id",
    "ce_actor": "the person or system that asked for it; by default ce_source",
}
OPTIONAL = ("ce_correlationid", "ce_causationid", "ce_actor")


def document() -> dict[str, Any]:
    """The whole document, in the order of the declarations."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Millrace",
            "version": "1.0.0",
            "description": "Every topic of the pipeline that keeps money right. Generated: python -m schemas.generate",
        },
        "defaultContentType": CONTENT_TYPE,
        "servers": {
            "kafka": {
                "host": "{bootstrap}",
                "protocol": "kafka",
                "description": "Values are framed with schema ids of the registry: 0x00, four bytes of id, Avro.",
                "variables": {"bootstrap": {"default": "127.0.0.1:19092", "description": "MILLRACE_KAFKA"}},
            }
        },
        "channels": {topic.name: _channel(topic) for topic in TOPICS},
        "operations": dict(_operations()),
        "components": {
            "messages": {full_name(message): _message(topic, message) for topic, message in _messages()},
            "messageTraits": {"CloudEvent": {"headers": _headers()}},
        },
    }


def _messages() -> Iterator[tuple[Topic, type[Contract]]]:
    return ((topic, message) for topic in TOPICS for message in topic.messages)


def _channel(topic: Topic) -> dict[str, Any]:
    return {
        "address": topic.name,
        "title": topic.name,
        "description": f"Written by: {topic.writer}. Compatibility of its schemas: {topic.compatibility}.",
        "messages": {full_name(m): {"$ref": f"#/components/messages/{full_name(m)}"} for m in topic.messages},
        "bindings": {
            "kafka": {
                "topic": topic.name,
                "partitions": PARTITIONS,
                "topicConfiguration": {
                    name: [value] if name == "cleanup.policy" else _number(value)
                    for name, value in topic.config.items()
                    if name in ("cleanup.policy", "retention.ms")
                },
                "bindingVersion": BINDING_VERSION,
            }
        },
    }


def _operations() -> Iterator[tuple[str, dict[str, Any]]]:
    for topic in TOPICS:
        if not topic.messages:
            continue
        action = "receive" if topic in UPSTREAM else "send"
        channel = f"#/channels/{topic.name}"
        yield (
            f"{action}-{topic.name}",
            {
                "action": action,
                "channel": {"$ref": channel},
                "messages": [{"$ref": f"{channel}/messages/{full_name(message)}"} for message in topic.messages],
            },
        )


def _message(topic: Topic, message: type[Contract]) -> dict[str, Any]:
    schema = schema_of(message)
    described = {
        "name": full_name(message),
        "title": message.__name__,
        "summary": schema["doc"],
        "contentType": CONTENT_TYPE,
        "payload": {"schemaFormat": AVRO, "schema": schema},
        "bindings": {"kafka": _binding(topic)},
    }
    if topic.kind in (Kind.COMMAND, Kind.EVENT):
        return described | {"traits": [{"$ref": "#/components/messageTraits/CloudEvent"}]}
    return described


def _binding(topic: Topic) -> dict[str, Any]:
    lookup = {"schemaIdLocation": "payload", "schemaIdPayloadEncoding": "confluent"}
    binding: dict[str, Any] = lookup | {"schemaLookupStrategy": "TopicRecordNameStrategy"}
    if topic.key is not None:
        form = f"{topic.key.prefix}:{{{topic.key.field}}}" if topic.key.prefix else f"{{{topic.key.field}}}"
        binding["key"] = {"type": "string", "description": f"{form} in UTF-8; partitioned by murmur2, as Java does"}
    return binding | {"bindingVersion": BINDING_VERSION}


def _headers() -> dict[str, Any]:
    properties: dict[str, Any] = {
        name: {"type": "string", "maxLength": MAX_CHARS, "description": meaning} for name, meaning in ATTRIBUTES.items()
    }
    properties["ce_specversion"]["const"] = SPEC_VERSION
    properties["ce_time"]["format"] = "date-time"
    required = [name for name in ATTRIBUTES if name not in OPTIONAL]
    return {"type": "object", "required": required, "properties": properties}


def _number(text: str) -> int | str:
    return int(text) if text.lstrip("-").isdigit() else text
