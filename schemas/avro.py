"""Avro schemas, made from the message declarations; `schemas/generated/` holds them for other languages."""

import inspect
from enum import StrEnum
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, NamedTuple, TypeAlias, Union, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Meta

from schemas.fields import Avro, Record

Schema: TypeAlias = dict[str, Any] | list[Any] | str

SCALARS: dict[Any, str] = {str: "string", int: "long", bool: "boolean", bytes: "bytes", float: "double"}


REQUIRED: Any = object()


class Declared(NamedTuple):
    """One field of a record, however the record is declared. `default` is `REQUIRED` where there is none."""

    name: str
    annotation: Any
    metadata: list[Any]
    doc: str
    default: Any


def declared(record: type[Any]) -> list[Declared]:
    """The fields of a message or a fact, in order."""
    if issubclass(record, msgspec.Struct):
        hints = get_type_hints(record, include_extras=True)
        return [_declared(field, hints[field.name]) for field in msgspec.structs.fields(record)]
    return [
        Declared(
            name,
            info.annotation,
            info.metadata,
            info.description or "",
            REQUIRED if info.is_required() else info.default,
        )
        for name, info in record.model_fields.items()
    ]


def _declared(field: msgspec.structs.FieldInfo, hint: Any) -> Declared:
    described = [item.description for item in get_args(hint)[1:] if isinstance(item, Meta) and item.description]
    default = field.default
    if default is msgspec.NODEFAULT:
        factory = field.default_factory
        default = REQUIRED if factory is msgspec.NODEFAULT else factory()
    return Declared(field.name, hint, [], described[-1] if described else "", default)


def schema_of(record: type[Any]) -> dict[str, Any]:
    """The Avro record of a message. A nested record is written out at its first use and named afterwards."""
    schema = _record(record, set())
    assert isinstance(schema, dict)
    return schema


def full_name(record: type[Any]) -> str:
    """`millrace.<module>.<Class>`, with `.` in place of deeper packages; the class is the Avro record's name."""
    return f"{namespace(record)}.{record.__name__}"


def namespace(record: type[Any]) -> str:
    return "millrace." + record.__module__.removeprefix("schemas.")


def _record(record: type[Any], named: set[str]) -> Schema:
    if full_name(record) in named:
        return full_name(record)
    named.add(full_name(record))
    return {
        "type": "record",
        "name": record.__name__,
        "namespace": namespace(record),
        "doc": " ".join((inspect.getdoc(record) or "").split()),
        "fields": [_field(field, named) for field in declared(record)],
    }


def _field(declaration: Declared, named: set[str]) -> dict[str, Any]:
    name, annotation, metadata, doc, default = declaration
    field: dict[str, Any] = {"name": name, "type": _type(annotation, metadata, named)}
    if doc:
        field["doc"] = doc
    if default is not REQUIRED:
        field["default"] = _default(default)
    return field


def _default(value: Any) -> Any:
    return [] if value == () else value


def _type(annotation: Any, metadata: list[Any], named: set[str]) -> Schema:
    for item in metadata:
        if isinstance(item, Avro):
            return item.schema
    origin = get_origin(annotation)
    if origin is Annotated:
        inner, *extra = get_args(annotation)
        return _type(inner, extra, named)
    if origin in (Union, UnionType):
        return _optional(annotation, named)
    if origin in (tuple, dict):
        *_, item, last = (None, *get_args(annotation))
        if origin is dict:
            return {"type": "map", "values": _type(last, [], named)}
        return {"type": "array", "items": _type(item, [], named)}
    if isinstance(annotation, type) and issubclass(annotation, Record | msgspec.Struct):
        return _record(annotation, named)
    if isinstance(annotation, type) and issubclass(annotation, StrEnum):
        return _enum(annotation, named)
    if origin is Literal:
        raise TypeError(f"{annotation}: use a StrEnum, which has a name in Avro")
    return SCALARS[annotation]


def _optional(annotation: Any, named: set[str]) -> Schema:
    """`X | None` only: other unions of a field's types are not for messages that other languages read."""
    some = [arm for arm in get_args(annotation) if arm is not NoneType]
    if len(some) != 1:
        raise TypeError(f"{annotation}: a field is one type, or that type or None")
    return ["null", _type(some[0], [], named)]


def _enum(enum: type[StrEnum], named: set[str]) -> Schema:
    if full_name(enum) in named:
        return full_name(enum)
    named.add(full_name(enum))
    return {
        "type": "enum",
        "name": enum.__name__,
        "namespace": namespace(enum),
        "symbols": [member.value for member in enum],
    }
