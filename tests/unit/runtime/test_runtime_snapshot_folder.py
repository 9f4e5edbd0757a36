"""What a worker finds in the folder of its snapshots when it starts, and what it leaves there (ADR 5)."""

import os
import time
from pathlib import Path

import pytest

from streams.runtime import RefusedError, Settings
from streams.runtime.snapshots import Snapshots

pytestmark = pytest.mark.requirement("PIPE-02")

DAY_S = 86_400.0


def start(folder: Path) -> None:
    Snapshots(folder, Settings(worker="mine", snapshot_max_age_s=DAY_S), {}).start()


def put(folder: Path, name: str, *, age_s: float = 0.0) -> None:
    (folder / name).write_bytes(b"rows")
    moment = time.time() - age_s
    os.utime(folder / name, (moment, moment))


def test_what_is_too_old_and_what_this_worker_left_unfinished_is_removed(tmp_path: Path) -> None:
    put(tmp_path, "balances-0.snapshot", age_s=DAY_S + 60)
    put(tmp_path, "balances-1.snapshot", age_s=DAY_S - 60)
    put(tmp_path, "balances-2.snapshot.mine.tmp")
    put(tmp_path, "balances-3.snapshot.yours.tmp")
    put(tmp_path, "balances-4.snapshot.yours.tmp", age_s=DAY_S + 60)
    put(tmp_path, "notes.txt", age_s=DAY_S + 60)

    start(tmp_path)

    assert sorted(file.name for file in tmp_path.iterdir()) == [
        "balances-1.snapshot", "balances-3.snapshot.yours.tmp", "notes.txt",
    ]  # fmt: skip


def test_a_file_that_another_worker_takes_away_meanwhile_does_not_keep_this_one_from_starting(tmp_path: Path) -> None:
    """A link to nothing: it is listed, and there is nothing to look at."""
    (tmp_path / "balances-0.snapshot.yours.tmp").symlink_to(tmp_path / "balances-0.snapshot")

    start(tmp_path)


def test_a_folder_that_cannot_be_one_is_said_in_a_sentence(tmp_path: Path) -> None:
    put(tmp_path, "taken")

    with pytest.raises(RefusedError, match="the folder of MILLRACE_SNAPSHOTS cannot be used"):
        start(tmp_path / "taken")
