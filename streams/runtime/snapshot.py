"""The file of one table partition as it stood at one offset of its changelog: there whole, or not at all (ADR 5).

Lines: a header; rows, up to a thousand to a line, as a JSON object of the values that the changelog holds; the SHA-256
of all before it, in hex. Knows neither Kafka nor tables.
"""

import hashlib
import io
import os
from collections.abc import Callable, Iterable
from enum import StrEnum
from itertools import chain
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from pydantic import BaseModel

R = TypeVar("R")

FORMAT = 1
SUFFIX = ".snapshot"
UNFINISHED = ".tmp"
_DIGEST_LINE = 2 * hashlib.sha256().digest_size + 1


class Refusal(StrEnum):
    """Why a snapshot is no base of a restore, in order of precedence."""

    UNREADABLE = "unreadable"
    """Torn, altered, of another format, or not to be read at all."""
    OTHER_CHANGELOG = "other_changelog"
    """Of another topic or partition, or of a topic of this name that was made anew since, or on another cluster."""
    OTHER_ROWS = "other_rows"
    """Of another row type."""
    AHEAD = "ahead"
    """Its offset is beyond the changelog's end: the changelog has lost records."""
    BEHIND = "behind"
    """Its offset is before the changelog's start: records between are gone."""
    TOO_OLD = "too_old"
    """Tombstones written since may be gone."""


class SnapshotRefusedError(Exception):
    """A snapshot that must not be used; the message says why in one sentence."""

    def __init__(self, reason: Refusal, text: str) -> None:
        super().__init__(text)
        self.reason = reason


class Header(msgspec.Struct, frozen=True):
    """What the rows are rows of."""

    topic: str
    topic_id: str
    """Kafka's own id of the topic: no other topic of any cluster has it, nor this one when it is made anew."""
    partition: int
    offset: int
    """Every committed change before it is in the rows, and no other."""
    row_type: str
    rows: int
    taken_at: float
    """Wall time in seconds; everything at `offset` and later was written after it."""
    format: int = FORMAT


class Wanted(msgspec.Struct, frozen=True):
    """The changelog partition to be restored, as the broker tells of it now."""

    topic: str
    topic_id: str
    partition: int
    row_type: str
    low: int
    """Its first offset."""
    high: int
    """Its next offset."""
    not_before: float
    """Wall time in seconds; of anything deleted earlier the tombstone may be gone."""


def fingerprint(row: Any) -> str:
    """Equal for two row types only if the bytes of one mean the same read as the other."""
    schema = msgspec.json.schema(row, schema_hook=_schema_of_message)
    return hashlib.sha256(msgspec.json.encode(schema, order="deterministic")).hexdigest()[:16]


def write(path: Path, header: Header, lines: Iterable[bytes], *, writer: str) -> None:
    """Put a snapshot at `path`, in place of an older one. Raises OSError; then the older one is still there.

    `writer` is part of the unfinished file's name: no two that write at one time may share it.
    """
    unfinished = path.with_name(f"{path.name}.{writer}{UNFINISHED}")
    digest = hashlib.sha256()
    with open(unfinished, "wb", opener=_private) as file:
        for line in chain([msgspec.json.encode(header)], lines):
            digest.update(line)
            digest.update(b"\n")
            file.write(line)
            file.write(b"\n")
        file.write(digest.hexdigest().encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())
    unfinished.rename(path)
    _sync_folder(path.parent)


def read(path: Path, wanted: Wanted, decode: Callable[[bytes], dict[str, R]]) -> tuple[Header, dict[str, R]] | None:
    """The header and rows at `path`; None if there is no file. Raises SnapshotRefusedError."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _unreadable(path, str(error)) from error
    end = max(0, len(content) - _DIGEST_LINE)
    if content[end:] != hashlib.sha256(memoryview(content)[:end]).hexdigest().encode() + b"\n":
        raise _unreadable(path, "its checksum is wrong")
    lines = io.BytesIO(content)
    header = _header(path, lines.readline())
    _check(path, header, wanted)
    rows: dict[str, R] = {}
    while lines.tell() < end:
        rows.update(_decoded(path, lines.readline(), decode))
    if len(rows) != header.rows:
        raise _unreadable(path, f"it has {len(rows)} rows instead of {header.rows}")
    return header, rows


def _schema_of_message(kind: type) -> dict[str, Any]:
    assert issubclass(kind, BaseModel), kind  # `frozen.refuse_mutable` lets nothing else into a row
    return kind.model_json_schema()


def _header(path: Path, line: bytes) -> Header:
    try:
        header = msgspec.json.decode(line, type=Header)
    except msgspec.DecodeError as error:
        raise _unreadable(path, str(error)) from error
    if header.format != FORMAT:
        raise _unreadable(path, f"its format is {header.format}")
    return header


def _decoded(path: Path, line: bytes, decode: Callable[[bytes], dict[str, R]]) -> dict[str, R]:
    try:
        return decode(line)
    except msgspec.DecodeError as error:
        raise _unreadable(path, str(error)) from error


def _check(path: Path, header: Header, wanted: Wanted) -> None:
    found = (header.topic, header.topic_id, header.partition)
    if found != (wanted.topic, wanted.topic_id, wanted.partition):
        reason, text = Refusal.OTHER_CHANGELOG, f"it is of {found}"
    elif header.row_type != wanted.row_type:
        reason, text = Refusal.OTHER_ROWS, "its rows are of another type"
    elif header.offset > wanted.high:
        reason, text = Refusal.AHEAD, f"its offset {header.offset} is beyond the changelog's end, {wanted.high}"
    elif header.offset < wanted.low:
        reason, text = Refusal.BEHIND, f"its offset {header.offset} is before the changelog's start, {wanted.low}"
    elif header.taken_at < wanted.not_before:
        reason, text = Refusal.TOO_OLD, f"it is {wanted.not_before - header.taken_at:.0f} s too old"
    else:
        return
    raise SnapshotRefusedError(reason, f"{path.name}: {text}")


def _unreadable(path: Path, text: str) -> SnapshotRefusedError:
    return SnapshotRefusedError(Refusal.UNREADABLE, f"{path.name}: {text}")


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)  # rows are somebody's money


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
