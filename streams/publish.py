"""`python -m streams publish FILE.jsonl`: publish upstream events written as CloudEvents in JSON, a line each.

    {"specversion": "1.0", "id": "e-1", "source": "trip-service", "type": "millrace.mobility.TripStarted",
     "time": "2026-03-01T08:00:00Z", "data": {"trip_id": "t-1", "group_id": "g-1", …}}

Topic and key follow from the type and the data. `actor`, `correlationid`, `causationid` and `subject` may be given.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import orjson
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from schemas.avro import full_name
from schemas.codec import Undecodable, from_json
from schemas.fields import Message, to_micros
from schemas.publishing import Upstream, upstream
from schemas.topics import UPSTREAM

ACCEPTED = {
    full_name(message): (topic, message)
    for topic in UPSTREAM
    for message in topic.messages
    if issubclass(message, Message)
}


class BadLine(ValueError):
    """A line that is no event: says which line, which field, and why."""


class _Line(BaseModel):
    model_config = ConfigDict(extra="forbid")

    specversion: str = Field(pattern=r"^1\.0$")
    id: str = Field(min_length=1, max_length=160, pattern=r"^[^|]+$")
    source: str = Field(min_length=1)
    type: str
    time: AwareDatetime
    actor: str | None = None
    correlationid: str | None = None
    causationid: str | None = None
    subject: str | None = None
    datacontenttype: str = Field("application/json", pattern=r"^application/json$")
    data: dict[str, Any]


def read(lines: Iterable[bytes]) -> Iterator[Upstream]:
    """The events of a file's lines; empty lines are skipped. Raises `BadLine`."""
    for number, text in enumerate(lines, 1):
        if not text.strip():
            continue
        try:
            yield _event(_Line.model_validate(orjson.loads(text)))
        except orjson.JSONDecodeError as error:
            raise BadLine(f"line {number} is not JSON: {error}") from error
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            raise BadLine(f"line {number}, field {first['loc'][0] if first['loc'] else '-'}: {first['msg']}") from error
        except Undecodable as error:
            raise BadLine(f"line {number}, field data.{error}") from error
        except BadLine as error:
            raise BadLine(f"line {number}, {error}") from error


def _event(line: _Line) -> Upstream:
    if line.type not in ACCEPTED:
        raise BadLine(f"field type: {line.type} is none of {', '.join(ACCEPTED)}")
    topic, message_type = ACCEPTED[line.type]
    message = from_json(message_type, line.data)
    event = upstream(
        topic,
        message,
        event_id=line.id,
        source=line.source,
        time_us=to_micros(line.time),
        actor=line.actor or line.source,
        correlation_id=line.correlationid,
        causation_id=line.causationid,
    )
    key = event.envelope.subject
    if line.subject not in (None, key):
        raise BadLine(f"field subject: is {line.subject!r}, but the data is about {key!r}; it may be left out")
    return event
