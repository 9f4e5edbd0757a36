"""The telling ledger, killed at one exact point of its NTH snapshot.

POINT is line (one line of rows is in the file), whole (all is written, and not renamed yet), or renamed.
"""

import os
import signal
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from streams.runtime import snapshot

POINT, NTH = os.environ["POINT"], int(os.environ.get("NTH", "3"))
write, sync_folder, fsync = snapshot.write, snapshot._sync_folder, os.fsync
written = 0


def at(point: str) -> None:
    if (point, written) == (POINT, NTH):
        print("TRAPPED", file=sys.__stderr__, flush=True)
        os.kill(os.getpid(), signal.SIGKILL)


def trapped_write(path: Path, header: Any, lines: Iterable[bytes], *, writer: str) -> None:
    global written
    written += 1

    def watched() -> Iterator[bytes]:
        for line in lines:
            yield line
            at("line")

    write(path, header, watched(), writer=writer)


def trapped_fsync(handle: int) -> None:
    fsync(handle)
    at("whole")


def trapped_sync_folder(folder: Path) -> None:
    at("renamed")
    sync_folder(folder)


snapshot.write, snapshot._sync_folder, os.fsync = trapped_write, trapped_sync_folder, trapped_fsync

from telling_ledger import app  # noqa: E402  the trap must be set first

if __name__ == "__main__":
    app.main()
