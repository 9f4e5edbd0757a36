"""Proof, at declaration, that a row type cannot be changed in place."""

from collections.abc import Iterator
from functools import cache
from typing import Any

import msgspec
from msgspec import inspect
from pydantic import BaseModel

_MUTABLE = {
    inspect.ListType: "a list; use tuple[X, ...]",
    inspect.DictType: "a dict; use a tuple of pairs, or a row per entry",
    inspect.SetType: "a set; use frozenset",
    inspect.ByteArrayType: "a bytearray; use bytes",
    inspect.DataclassType: "a dataclass; use a frozen msgspec.Struct",
    inspect.TypedDictType: "a dict; use a frozen msgspec.Struct",
    inspect.AnyType: "of no declared type",
}


@cache
def refuse_mutable(row: Any) -> tuple[type, ...]:
    """The types that `row` allows: itself, or the members of a tagged union of structs.

    A row is a frozen `msgspec.Struct`, or a frozen pydantic model (a message kept as it came), all through. Raises
    TypeError that names the path otherwise: a value changed in place would be missed by the changelog and lost with
    the worker.
    """
    if _is_message(row):
        return (row,)
    top = inspect.type_info(row)
    members = top.types if isinstance(top, inspect.UnionType) else (top,)
    for path, kind in _walk(top, getattr(row, "__name__", str(row)), set()):
        if isinstance(kind, inspect.StructType) and not kind.cls.__struct_config__.frozen:
            raise TypeError(f"{path} must be a frozen struct: class {kind.cls.__name__}(msgspec.Struct, frozen=True)")
        if isinstance(kind, inspect.CustomType) and not _is_message(kind.cls):
            raise TypeError(f"{path} may not be a {kind.cls.__name__}; use a frozen struct or a frozen pydantic model")
        if type(kind) in _MUTABLE:
            raise TypeError(f"{path} may not be {_MUTABLE[type(kind)]}")
    structs = tuple(member.cls for member in members if isinstance(member, inspect.StructType))
    if len(structs) != len(members) or not all(issubclass(each, msgspec.Struct) for each in structs):
        raise TypeError(f"a row type must be a frozen msgspec.Struct, not {row}")
    return structs


def _walk(kind: inspect.Type, path: str, seen: set[type]) -> Iterator[tuple[str, inspect.Type]]:
    yield path, kind
    match kind:
        case inspect.StructType(cls=cls, fields=fields) if cls not in seen:
            seen.add(cls)
            for field in fields:
                yield from _walk(field.type, f"{path}.{field.name}", seen)
        case inspect.UnionType(types=types) | inspect.TupleType(item_types=types):
            for each in types:
                yield from _walk(each, path, seen)
        case inspect.VarTupleType(item_type=item) | inspect.FrozenSetType(item_type=item):
            yield from _walk(item, f"{path}[]", seen)
        case _:
            return


def _is_message(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel) and bool(kind.model_config.get("frozen"))
