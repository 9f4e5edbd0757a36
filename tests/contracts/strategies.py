"""Hypothesis strategies made from the message declarations: any message that its schema accepts."""

from collections.abc import Iterator
from enum import StrEnum
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

import msgspec
from annotated_types import Ge, Gt, Le, Lt, MaxLen, MinLen
from hypothesis import assume
from hypothesis import strategies as st
from pydantic import ValidationError
from pydantic.fields import FieldInfo
from pydantic.types import StringConstraints

from schemas.avro import declared
from schemas.dealer_reference import CommissionPolicy
from schemas.fields import MAX_MINOR, Avro, Money, Record
from schemas.prison_finance import MOST_PAYMENTS, FundingSource, SubmitPurchase, SupplierPayment
from tests.rooms import moment

Kind = TypeVar("Kind")

PRINTABLE = st.characters(
    min_codepoint=0x20, max_codepoint=0x2FFF, exclude_characters="\x7f", exclude_categories=["Cs"]
)
BY_LOGICAL_TYPE: dict[str, st.SearchStrategy[Any]] = {
    "timestamp-micros": st.integers(0, moment("2200-01-01T00:00:00Z")),
    "decimal": st.decimals(min_value=0, max_value=999_999_999, places=9),
}

SHARES = st.decimals(min_value=0, max_value="0.999999999", places=9)


@cache
def messages(kind: type[Kind]) -> st.SearchStrategy[Kind]:
    """Any message of a kind."""
    fields = {field.name: _of(field.annotation, list(field.metadata)) for field in declared(kind)}

    def validated(values: dict[str, Any]) -> Kind:
        if kind is SubmitPurchase:  # hardly any purchase that is drawn field by field would add up
            values = _adding_up(values)
        if kind is CommissionPolicy:
            values = values | {"zone": "Europe/Moscow"}
        if issubclass(kind, msgspec.Struct):
            return msgspec.convert(values, kind)
        try:
            return kind.model_validate(values)
        except ValidationError as error:  # only a rule over several fields may refuse what each field allows
            assume(error.errors()[0]["type"] != "value_error")
            raise

    return st.fixed_dictionaries(fields).map(validated)


def _adding_up(values: dict[str, Any]) -> dict[str, Any]:
    """The same purchase with a total that is the sum, and with an approval where it needs one."""
    amount = 1 + values["total"].amount_minor // MOST_PAYMENTS
    payments = tuple(
        SupplierPayment(
            supplier_id=each.supplier_id, amount=Money(amount_minor=amount, currency=values["total"].currency)
        )
        for each in {each.supplier_id: each for each in values["payments"]}.values()
    )
    assume(amount * len(payments) <= MAX_MINOR)
    total = Money(amount_minor=amount * len(payments), currency=values["total"].currency)
    funding = tuple(source for source in FundingSource if source in values["funding"])
    lent = FundingSource.ADVANCE in funding
    assume(not lent or values["approval"] is not None)
    approval = values["approval"] if lent else None
    return values | {"payments": payments, "total": total, "funding": funding, "approval": approval}


def _of(annotation: Any, metadata: list[Any]) -> st.SearchStrategy[Any]:
    arguments = get_args(annotation)
    match get_origin(annotation):
        case origin if origin is Annotated:
            return _of(arguments[0], [*_flat(arguments[1:]), *metadata])
        case origin if origin in (Union, UnionType):
            (some,) = (arm for arm in arguments if arm is not NoneType)
            return st.none() | _of(some, metadata)
        case origin if origin is tuple:
            fewest = max((item.min_length for item in metadata if isinstance(item, MinLen)), default=0)
            most = min(4, _least(metadata, MaxLen, "max_length", 4))
            return st.lists(_of(arguments[0], []), min_size=fewest, max_size=most).map(tuple)
        case origin if origin is dict:
            return st.dictionaries(st.text(PRINTABLE, max_size=8), _of(arguments[1], []), max_size=3)
    for item in metadata:
        if isinstance(item, Avro) and any(isinstance(each, Lt) for each in metadata):
            return SHARES
        if isinstance(item, Avro):
            return BY_LOGICAL_TYPE[item.schema["logicalType"]]
    if issubclass(annotation, Record | msgspec.Struct):
        return messages(annotation)
    if issubclass(annotation, StrEnum):
        return st.sampled_from(annotation)
    return {str: _text, int: _integer, bool: _boolean, bytes: _bytes}[annotation](metadata)


@cache
def _matching(pattern: str, longest: int) -> st.SearchStrategy[str]:
    text = st.from_regex(pattern.replace("$", r"\Z"), alphabet=PRINTABLE)
    return text.filter(lambda found: len(found) <= longest)


def _text(metadata: list[Any]) -> st.SearchStrategy[str]:
    longest = _least(metadata, StringConstraints, "max_length", 40)
    for item in metadata:
        if isinstance(item, StringConstraints) and item.pattern is not None:
            return _matching(str(item.pattern), longest)
    return st.text(PRINTABLE, max_size=longest)


def _integer(metadata: list[Any]) -> st.SearchStrategy[int]:
    low = -_least(metadata, Ge, "ge", -(2**63), sign=-1)
    above = -_least(metadata, Gt, "gt", -(2**63) - 1, sign=-1)
    return st.integers(max(low, above + 1), _least(metadata, Le, "le", 2**63 - 1))


def _bytes(_: list[Any]) -> st.SearchStrategy[bytes]:
    return st.binary(max_size=40)


def _boolean(_: list[Any]) -> st.SearchStrategy[bool]:
    return st.booleans()


def _least(metadata: list[Any], kind: type, bound: str, otherwise: int, sign: int = 1) -> int:
    """The strictest bound of one kind; with `sign` -1 all are negated, so that the greatest is the strictest."""
    found = (getattr(item, bound) for item in metadata if isinstance(item, kind))
    return min((sign * each for each in found if each is not None), default=sign * otherwise)


def _flat(metadata: tuple[Any, ...]) -> Iterator[Any]:
    for item in metadata:
        if isinstance(item, FieldInfo):
            yield from item.metadata
        else:
            yield item
