"""The field types that messages are built of: each is a Python type, its bounds, and its Avro form."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any, Literal, TypeAlias

import msgspec
from msgspec import Meta
from pydantic import BaseModel, ConfigDict, Field, GetCoreSchemaHandler, StringConstraints
from pydantic_core import CoreSchema, core_schema

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY_US = 24 * 3600 * 1_000_000
MAX_MINOR = 10**15  # ten trillion in a currency of two decimals: far above any amount, far below 2**63


class Avro:
    """The Avro form of an annotated field, where its Python type does not say it."""

    def __init__(self, **schema: Any) -> None:
        self.schema = schema


def to_micros(moment: datetime) -> int:
    """An aware moment as whole microseconds since 1970 UTC."""
    since = moment - EPOCH
    return since.days * _DAY_US + since.seconds * 1_000_000 + since.microseconds


def from_micros(micros: int) -> datetime:
    """Whole microseconds since 1970 UTC as an aware moment in UTC."""
    return EPOCH + timedelta(microseconds=micros)


def iso(micros: int) -> str:
    """A moment as people and JSON read it."""
    return from_micros(micros).isoformat().replace("+00:00", "Z")


class _Micros:
    """An integer inside; an ISO 8601 string with an offset in JSON."""

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        whole = core_schema.int_schema(ge=0, le=LATEST, strict=True)
        moment = core_schema.chain_schema(
            [
                core_schema.no_info_after_validator_function(
                    to_micros, core_schema.datetime_schema(tz_constraint="aware", strict=False)
                ),
                whole,
            ]
        )
        return core_schema.json_or_python_schema(
            json_schema=moment,
            python_schema=whole,
            serialization=core_schema.plain_serializer_function_ser_schema(iso, when_used="json"),
        )


LATEST = to_micros(datetime(2200, 1, 1, tzinfo=UTC))
UtcMicros = Annotated[int, _Micros, Avro(type="long", logicalType="timestamp-micros"), Meta(ge=0, le=LATEST)]
"""A moment: whole microseconds since 1970 UTC; ISO 8601 in JSON."""

_IDENTIFIER = r"^[A-Za-z0-9][A-Za-z0-9._~:-]{0,95}$"
Identifier = Annotated[str, StringConstraints(pattern=_IDENTIFIER), Meta(pattern=_IDENTIFIER)]
"""An id given by upstream: printable, bounded, and free of the separators `|` and `/` that our keys are built with."""

_LINE = r"^[^\x00-\x1f\x7f]+$"
LONGEST_TEXT = 240
Text = Annotated[
    str, StringConstraints(pattern=_LINE, max_length=LONGEST_TEXT), Meta(pattern=_LINE, max_length=LONGEST_TEXT)
]
"""One line for people. Postgres takes no NUL, and a CSV line no line break."""

_ATOM = r"[A-Za-z0-9!#\x24%&'*+/=?^_{}~-]+"
_EMAIL = rf"^{_ATOM}(\.{_ATOM})*@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$"
EmailAddress = Annotated[str, StringConstraints(pattern=_EMAIL, max_length=254), Meta(pattern=_EMAIL, max_length=254)]
"""An address as SMTP takes it without quotes: no space, comma or bracket can smuggle a second one in."""

_CURRENCY = r"^[A-Z]{3}$"
CurrencyCode = Annotated[str, StringConstraints(pattern=_CURRENCY), Meta(pattern=_CURRENCY)]
PositiveMinor = Annotated[int, Field(gt=0, le=MAX_MINOR), Meta(gt=0, le=MAX_MINOR)]
MinorUnits = Annotated[int, Field(ge=-MAX_MINOR, le=MAX_MINOR), Meta(ge=-MAX_MINOR, le=MAX_MINOR)]
NonNegativeMinor = Annotated[int, Field(ge=0, le=MAX_MINOR), Meta(ge=0, le=MAX_MINOR)]
Count = Annotated[int, Field(ge=0, le=10**12), Meta(ge=0, le=10**12)]
Rate = Annotated[
    Decimal,
    Field(max_digits=18, decimal_places=9, ge=0),
    Avro(type="bytes", logicalType="decimal", precision=18, scale=9),
]
"""A price per unit or a share, exact to nine decimals."""

_DATE = r"^\d{4}-\d{2}-\d{2}$"
IsoDate = Annotated[str, StringConstraints(pattern=_DATE), Meta(pattern=_DATE)]
"""A calendar day in a zone that the field's owner names; never a moment."""

Compatibility = Literal["FULL_TRANSITIVE", "BACKWARD_TRANSITIVE"]


class Record(BaseModel):
    """A record inside messages: immutable, closed, and exact in its types.

    What is wrong with one is said without its values, which may be personal, also in the stack of a dead letter.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Money(Record):
    """Whole minor units and a currency. A zero or negative sum is not money that can be moved."""

    amount_minor: PositiveMinor
    currency: CurrencyCode

    def __str__(self) -> str:
        return format_minor(self.amount_minor, self.currency)


def format_minor(amount_minor: int, currency: str) -> str:
    """`123456, "EUR"` as `1,234.56 EUR`."""
    exponent = DECIMALS.get(currency, 2)
    return f"{Decimal(amount_minor).scaleb(-exponent):,.{exponent}f} {currency}"


DECIMALS = {
    "BHD": 3, "BIF": 0, "CLF": 4, "CLP": 0, "DJF": 0, "GNF": 0, "IQD": 3, "ISK": 0, "JOD": 3, "JPY": 0, "KMF": 0,
    "KRW": 0, "KWD": 3, "LYD": 3, "OMR": 3, "PYG": 0, "RWF": 0, "TND": 3, "UGX": 0, "UYI": 0, "UYW": 4, "VND": 0,
    "VUV": 0, "XAF": 0, "XOF": 0, "XPF": 0,
}  # fmt: skip
"""Minor-unit decimals that are not two (ISO 4217)."""


class Message(Record):
    """What travels on a topic. A subclass is one Avro record; its docstring is the record's documentation."""


class FactPart(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A record inside facts. A subclass says `frozen` and `kw_only` again, which it does not inherit for all tools."""


class Fact(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What travels on a topic and only Millrace writes: checked when it is read, not when it is made.

    A decision writes several; what made them has checked their amounts. A subclass is one Avro record.
    """


Contract: TypeAlias = Message | Fact
"""Anything that travels on a topic."""
