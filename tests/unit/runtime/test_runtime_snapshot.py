"""The file of a snapshot: read back as it was written, or refused with a reason."""

import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from pydantic import BaseModel, ConfigDict

from streams.runtime import Rows, snapshot
from streams.runtime.snapshot import Header, Refusal, SnapshotRefusedError, Wanted, fingerprint

pytestmark = pytest.mark.requirement("PIPE-02")


class Lock(msgspec.Struct, frozen=True):
    amount: int
    deadline_us: int | None = None


class Message(BaseModel):
    model_config = ConfigDict(frozen=True)
    text: str
    amounts: tuple[int, ...] = ()


ROWS = {"a": Lock(1), "b|\n\"\u00fc'": Lock(2, deadline_us=3), "c": Lock(4)}
HEADER = Header("locks-changelog", "an-id", 3, 70, fingerprint(Lock), len(ROWS), taken_at=1_000.0)
WANTED = Wanted("locks-changelog", "an-id", 3, fingerprint(Lock), low=0, high=100, not_before=900.0)
rows_of_locks = Rows[Lock](Lock)


def lines() -> Iterator[bytes]:
    for key, row in ROWS.items():
        yield rows_of_locks.pack({key: row})


@pytest.fixture
def path(tmp_path: Path) -> Path:
    made = tmp_path / "locks-changelog-3.snapshot"
    snapshot.write(made, HEADER, lines(), writer="0")
    return made


def read(path: Path, wanted: Wanted = WANTED) -> Any:
    return snapshot.read(path, wanted, rows_of_locks.unpack)


def refusal(path: Path, wanted: Wanted = WANTED) -> Refusal:
    with pytest.raises(SnapshotRefusedError) as refused:
        read(path, wanted)
    assert path.name in str(refused.value)
    return refused.value.reason


def test_what_was_written_is_read(path: Path) -> None:
    assert read(path) == (HEADER, ROWS)


def test_an_empty_table_has_a_snapshot_too(path: Path) -> None:
    empty = msgspec.structs.replace(HEADER, rows=0)
    snapshot.write(path, empty, [], writer="0")
    assert read(path) == (empty, {})


def test_no_file_is_no_refusal(tmp_path: Path) -> None:
    assert read(tmp_path / "none.snapshot") is None


def test_cut_off_after_any_byte_it_is_refused(path: Path) -> None:
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        assert refusal(path) is Refusal.UNREADABLE, length


def test_with_any_byte_changed_it_is_refused(path: Path) -> None:
    whole = path.read_bytes()
    for at in range(len(whole)):
        changed = bytearray(whole)
        changed[at] ^= 1
        path.write_bytes(changed)
        assert refusal(path) is Refusal.UNREADABLE, at


@pytest.mark.parametrize("extra", [b"\n", b"x", b"0" * 65])
def test_with_anything_behind_its_end_it_is_refused(path: Path, extra: bytes) -> None:
    path.write_bytes(path.read_bytes() + extra)
    assert refusal(path) is Refusal.UNREADABLE


def test_with_a_row_too_few_it_is_refused_though_its_checksum_is_right(path: Path) -> None:
    snapshot.write(path, HEADER, list(lines())[:-1], writer="0")
    assert refusal(path) is Refusal.UNREADABLE


def test_of_another_format_it_is_refused(path: Path) -> None:
    snapshot.write(path, msgspec.structs.replace(HEADER, format=2), lines(), writer="0")
    assert refusal(path) is Refusal.UNREADABLE


def test_what_may_not_be_read_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "a folder"
    folder.mkdir()
    assert refusal(folder) is Refusal.UNREADABLE


def test_rows_that_do_not_decode_are_refused_though_their_checksum_is_right(path: Path) -> None:
    snapshot.write(path, HEADER, [b'{"a":{"amount":"much"}}'], writer="0")
    assert refusal(path) is Refusal.UNREADABLE


@pytest.mark.parametrize(
    ("wanted", "reason"),
    [
        ({"topic": "other-changelog"}, Refusal.OTHER_CHANGELOG),
        ({"topic_id": "another-id"}, Refusal.OTHER_CHANGELOG),
        ({"partition": 4}, Refusal.OTHER_CHANGELOG),
        ({"row_type": fingerprint(Message)}, Refusal.OTHER_ROWS),
        ({"high": 69}, Refusal.AHEAD),
        ({"low": 71}, Refusal.BEHIND),
        ({"not_before": 1_000.1}, Refusal.TOO_OLD),
    ],
)
def test_what_does_not_fit_the_changelog_is_refused(path: Path, wanted: dict[str, Any], reason: Refusal) -> None:
    assert refusal(path, msgspec.structs.replace(WANTED, **wanted)) is reason


@pytest.mark.parametrize("wanted", [{"high": 70}, {"low": 70}, {"not_before": 1_000.0}])
def test_what_just_fits_is_taken(path: Path, wanted: dict[str, Any]) -> None:
    assert read(path, msgspec.structs.replace(WANTED, **wanted)) == (HEADER, ROWS)


def test_a_writer_that_dies_leaves_the_older_snapshot_as_it_was(path: Path) -> None:
    def dying() -> Iterator[bytes]:
        yield from lines()
        raise OSError("no space left")

    with pytest.raises(OSError, match="no space left"):
        snapshot.write(path, msgspec.structs.replace(HEADER, offset=80), dying(), writer="0")
    assert read(path) == (HEADER, ROWS)


def test_until_a_snapshot_is_whole_the_older_one_is_seen(path: Path) -> None:
    def watched() -> Iterator[bytes]:
        for line in lines():
            assert read(path) == (HEADER, ROWS)
            yield line

    later = msgspec.structs.replace(HEADER, offset=80)
    snapshot.write(path, later, watched(), writer="0")
    assert read(path) == (later, ROWS)
    assert list(path.parent.iterdir()) == [path]


def test_only_its_owner_may_read_it(path: Path) -> None:
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_message_as_a_row_comes_back_as_it_was(tmp_path: Path) -> None:
    rows, kept = Rows[Message](Message), {"m": Message(text="\n", amounts=(1, 2))}
    path = tmp_path / "messages.snapshot"
    header = msgspec.structs.replace(HEADER, rows=1, row_type=fingerprint(Message))
    snapshot.write(path, header, [rows.pack(kept)], writer="0")
    wanted = msgspec.structs.replace(WANTED, row_type=fingerprint(Message))
    assert snapshot.read(path, wanted, rows.unpack) == (header, kept)


def test_row_types_differ_by_name_type_and_default_of_their_fields() -> None:
    class Renamed(msgspec.Struct, frozen=True):
        amount_minor: int
        deadline_us: int | None = None

    class Retyped(msgspec.Struct, frozen=True):
        amount: str
        deadline_us: int | None = None

    class Defaulted(msgspec.Struct, frozen=True):
        amount: int
        deadline_us: int | None = 0

    types = [Lock, Renamed, Retyped, Defaulted, Message]
    assert len({fingerprint(each) for each in types}) == len(types)
    assert fingerprint(Lock) == fingerprint(Lock)
