"""Who said what, when and why: CloudEvents 1.0 attributes, as headers of the Kafka record (binary content mode)."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import NamedTuple

from schemas.fields import iso, to_micros

SPEC_VERSION = "1.0"
MAX_CHARS = 256
"""Longest attribute: what one message says of itself is copied into all that it causes."""
LATEST_US = to_micros(datetime(2100, 1, 1, tzinfo=UTC))
"""Before this, so that no deadline that follows from a moment leaves the range of `UtcMicros`."""
Headers = list[tuple[str, bytes]]


class InvalidEnvelope(ValueError):
    """A header is missing or cannot be read; `field` names it."""

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"header {field} {problem}")
        self.field = field


class Envelope(NamedTuple):
    """The context of one message.

    `id` is unique within `source`, and both together make a command idempotent (PIPE-05). `time_us` is when the thing
    happened, in UTC microseconds. `correlation_id` ties all messages of one story together, `causation_id` names the
    message that caused this one, `actor` the person or system that asked for it (PIPE-10).
    """

    id: str
    source: str
    type: str
    time_us: int
    subject: str
    correlation_id: str
    causation_id: str
    actor: str

    def headers(self) -> Headers:
        """The record headers of this envelope."""
        return [
            ("ce_specversion", b"1.0"),
            ("ce_id", self.id.encode()),
            ("ce_source", self.source.encode()),
            ("ce_type", self.type.encode()),
            ("ce_time", iso(self.time_us).encode()),
            ("ce_subject", self.subject.encode()),
            ("ce_correlationid", self.correlation_id.encode()),
            ("ce_causationid", self.causation_id.encode()),
            ("ce_actor", self.actor.encode()),
        ]


def read_envelope(headers: Iterable[tuple[str, bytes | None]] | None) -> Envelope:
    """The envelope of a record. Raises `InvalidEnvelope` naming the header that is missing or unreadable."""
    found = dict(headers or ())
    if (version := _text(found, "ce_specversion")) != SPEC_VERSION:
        raise InvalidEnvelope("ce_specversion", f"is {version!r}, not {SPEC_VERSION!r}")
    id_, source = _key_part(found, "ce_id"), _key_part(found, "ce_source")
    return Envelope(
        id_,
        source,
        _text(found, "ce_type"),
        _moment(_text(found, "ce_time")),
        _text(found, "ce_subject"),
        _text(found, "ce_correlationid", id_),
        _text(found, "ce_causationid", id_),
        _text(found, "ce_actor", source),
    )


def _text(found: Mapping[str, bytes | None], name: str, default: str | None = None) -> str:
    value = found.get(name)
    if not value:
        if default is None:
            raise InvalidEnvelope(name, "is missing")
        return default
    try:
        decoded = value.decode()
    except UnicodeDecodeError:
        raise InvalidEnvelope(name, "is not UTF-8") from None
    if len(decoded) > MAX_CHARS or not decoded.isprintable():
        raise InvalidEnvelope(name, f"is longer than {MAX_CHARS} characters or contains control characters")
    return decoded


def _key_part(found: Mapping[str, bytes | None], name: str) -> str:
    part = _text(found, name)
    if "|" in part:
        raise InvalidEnvelope(name, "contains '|'")
    return part


def _moment(text: str) -> int:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidEnvelope("ce_time", f"is not an ISO 8601 moment: {text!r}") from None
    if moment.tzinfo is None:
        raise InvalidEnvelope("ce_time", f"has no offset from UTC: {text!r}")
    micros = to_micros(moment)
    if not 0 <= micros < LATEST_US:
        raise InvalidEnvelope("ce_time", f"is before 1970 or after 2099: {text!r}")
    return micros
