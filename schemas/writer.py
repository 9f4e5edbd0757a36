"""Avro writers compiled per schema: a schema is walked once, when a process starts, and not again for every record.

A writer is one expression of Python per record type: its parts, in order, joined. It reads attributes, so a message
need not become a dictionary first. Its bytes are fastavro's, which the contract tests compare for every message.
"""

import struct
from collections.abc import Callable
from decimal import Decimal
from functools import lru_cache
from typing import Any

REMEMBERED_LONGS = 16_384
"""A moment or an amount is written into all that one decision causes."""
REMEMBERED_DECIMALS = 1_024
"""Prices are few."""


class _Lengths(dict[int, bytes]):
    """Lengths and block counts as varints; the usual ones at hand."""

    def __missing__(self, length: int) -> bytes:
        return _varint(length)


def _varint(number: int) -> bytes:
    """Zigzag, seven bits a byte. Raises OverflowError beyond 64 bits."""
    if not -(1 << 63) <= number < 1 << 63:
        raise OverflowError(f"{number} is beyond 64 bits")
    left, out = number << 1 ^ number >> 63, bytearray()
    while left > 0x7F:
        out.append(left & 0x7F | 0x80)
        left >>= 7
    out.append(left)
    return bytes(out)


@lru_cache(maxsize=REMEMBERED_DECIMALS)
def _decimal(number: Decimal, scale: int) -> bytes:
    """The unscaled value, big-endian in two's complement, after its length. Raises ValueError if digits were lost."""
    unscaled = number.scaleb(scale)
    if unscaled != (whole := int(unscaled)):
        raise ValueError(f"{number} has more than {scale} decimals")
    size = (whole + (whole < 0)).bit_length() // 8 + 1
    return _LENGTHS[size] + whole.to_bytes(size, signed=True)


_LENGTHS = _Lengths({length: _varint(length) for length in range(1_024)})
_SCALARS = {"long": "LONG({})", "boolean": r"(b'\1' if {} else b'\0')", "double": "DOUBLE({})"}
_SCOPE = {
    "LENGTH": _LENGTHS,
    "LONG": lru_cache(maxsize=REMEMBERED_LONGS)(_varint),
    "DECIMAL": _decimal,
    "DOUBLE": struct.Struct("<d").pack,
}


def compile_writer(schema: Any, prefix: bytes = b"") -> Callable[[Any], bytes]:
    """A function from a record's object to `prefix` and its Avro bytes.

    Takes what `schemas.avro.schema_of` gives: records, enums, arrays, maps, optional fields, decimals, moments as
    whole microseconds. Raises KeyError for any other type.
    """
    return _Compiler().writer(schema, prefix)


class _Compiler:
    """Writes Python source, one function per record type."""

    def __init__(self) -> None:
        self._named: dict[str, Any] = {}
        self._scope: dict[str, Any] = dict(_SCOPE)
        self._temporaries = 0

    def writer(self, record: Any, prefix: bytes = b"") -> Callable[[Any], bytes]:
        parts = [repr(prefix)] if prefix else []
        for field in record["fields"]:
            parts += self._parts(field["type"], f"m.{field['name']}")
        source = f"lambda m: b''.join(({', '.join(parts)},))"
        compiled: Callable[[Any], bytes] = eval(source, self._scope)
        return compiled

    def _parts(self, schema: Any, value: str) -> list[str]:
        """Expressions of bytes that, one after the other, write `value`."""
        match schema:
            case "string":
                text = self._temporary()
                return [f"LENGTH[len({text} := {value}.encode())]", text]
            case "bytes":
                return [f"LENGTH[len({value})]", value]
            case "long" | "boolean" | "double":
                return [_SCALARS[schema].format(value)]
            case {"type": "long"}:
                return [_SCALARS["long"].format(value)]
            case {"type": "bytes", "logicalType": "decimal", "scale": scale}:
                return [f"DECIMAL({value}, {scale})"]
            case {"type": "enum", "symbols": symbols}:
                return [f"{self._name(schema, {each: _varint(n) for n, each in enumerate(symbols)})}[{value}]"]
            case {"type": "record"}:
                return [f"{self._name(schema, self.writer(schema))}({value})"]
            case {"type": "array", "items": item} | {"type": "map", "values": item}:
                return [self._block(schema["type"], item, value)]
            case ["null", some]:
                found = self._temporary()
                return [rf"(b'\0' if ({found} := {value}) is None else b'\2' + {self._one(some, found)})"]
            case _:
                return self._parts_of_named(schema, value)

    def _one(self, schema: Any, value: str) -> str:
        return f"({' + '.join(self._parts(schema, value))})"

    def _block(self, kind: str, item: Any, value: str) -> str:
        """All items in one block, and the empty block that ends it."""
        found, each = self._temporary(), self._temporary()
        if kind == "map":
            key, inner = self._temporary(), self._temporary()
            written = f"{self._one('string', key)} + {self._one(item, inner)} for {key}, {inner} in {found}.items()"
        else:
            written = f"{self._one(item, each)} for {each} in {found}"
        return rf"(LENGTH[len({found})] + b''.join([{written}]) + b'\0' if ({found} := {value}) else b'\0')"

    def _name(self, schema: Any, means: Any) -> str:
        """A name in the scope for what writes a named type."""
        full = f"{schema['namespace']}.{schema['name']}"
        name = f"{schema['type'].upper()}_{schema['name']}"
        self._named[full] = (schema["type"], name)
        self._scope[name] = means
        return name

    def _parts_of_named(self, full: Any, value: str) -> list[str]:
        if not isinstance(full, str) or full not in self._named:
            raise KeyError(f"no writer for the Avro type {full}")
        kind, name = self._named[full]
        return [f"{name}[{value}]" if kind == "enum" else f"{name}({value})"]

    def _temporary(self) -> str:
        self._temporaries += 1
        return f"t{self._temporaries}"
