"""Records on the wire: Avro by fastavro and the committed .avsc files, schema ids by the registry's REST interface."""

import io
import json
import struct
import time
from pathlib import Path
from typing import Any

import fastavro
import httpx

SCHEMAS = Path(__file__).parents[2] / "schemas" / "generated"
FRAME = struct.Struct(">bI")
REGISTRY_WAIT_S = 60.0

Fields = dict[str, Any]


class Wire:
    """Encodes and decodes by (topic, message name); ids are looked up once each."""

    def __init__(self, registry: str) -> None:
        self._registry = registry
        self._files = {path.stem: json.loads(path.read_text()) for path in SCHEMAS.glob("*.avsc")}
        self._ids: dict[str, int] = {}
        self._written: dict[int, tuple[str, Any]] = {}

    def encode(self, topic: str, name: str, fields: Fields) -> bytes:
        """The framed value of a message, `name` without its namespace."""
        subject = self._subject(topic, name)
        schema_id = self._ids.get(subject)
        if schema_id is None:
            body = {"schema": json.dumps(self._files[subject])}
            schema_id = self._ids[subject] = int(self._ask("POST", f"/subjects/{subject}", json=body)["id"])
        buffer = io.BytesIO()
        buffer.write(FRAME.pack(0, schema_id))
        fastavro.schemaless_writer(buffer, self._schema(schema_id)[1], fields)
        return buffer.getvalue()

    def decode(self, value: bytes) -> tuple[str, Fields]:
        """The message's name without its namespace, and its fields as they were written."""
        magic, schema_id = FRAME.unpack_from(value)
        assert magic == 0, value[:20]
        name, schema = self._schema(schema_id)
        fields: Fields = fastavro.schemaless_reader(io.BytesIO(value[FRAME.size :]), schema, None)
        return name, fields

    def full_name(self, topic: str, name: str) -> str:
        """The name with its namespace, as `ce_type` has it."""
        return self._subject(topic, name).removeprefix(f"{topic}-")

    def _subject(self, topic: str, name: str) -> str:
        return next(each for each in self._files if each.startswith(f"{topic}-") and each.endswith(f".{name}"))

    def _schema(self, schema_id: int) -> tuple[str, Any]:
        if schema_id not in self._written:
            written = json.loads(self._ask("GET", f"/schemas/ids/{schema_id}")["schema"])
            self._written[schema_id] = written["name"], fastavro.parse_schema(_plain_moments(written))
        return self._written[schema_id]

    def _ask(self, method: str, path: str, **request: Any) -> Any:
        deadline = time.monotonic() + REGISTRY_WAIT_S
        while True:  # the registry is one of the things that are broken meanwhile
            try:
                answer = httpx.request(method, self._registry + path, timeout=5.0, trust_env=False, **request)
                answer.raise_for_status()
                return answer.json()
            except httpx.HTTPError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)


def _plain_moments(schema: Any) -> Any:
    """The schema with moments as the whole microseconds that they are on the wire."""
    if isinstance(schema, list):
        return [_plain_moments(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    if schema.get("logicalType") == "timestamp-micros":
        return "long"
    return {name: part if name == "default" else _plain_moments(part) for name, part in schema.items()}
