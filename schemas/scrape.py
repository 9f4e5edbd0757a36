"""How a process tells Prometheus where it can be scraped: a file of file-based service discovery (PIPE-11)."""

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

EVERY_ADDRESS = "0.0.0.0"


@contextmanager
def announced(folder: Path | None, worker: str, host: str, port: int) -> Iterator[None]:
    """Name `worker` to Prometheus while it lasts. One that dies unheard stays named, and so is seen to be down.

    Without a folder nobody is told. A process that listens on every address is announced by its machine's name.
    """
    if folder is None:
        yield
        return
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{worker}.json"
    address = f"{socket.gethostname() if host == EVERY_ADDRESS else host}:{port}"
    partial = file.with_suffix(".partial")
    partial.write_text(json.dumps([{"targets": [address], "labels": {"worker": worker}}]), encoding="utf-8")
    partial.rename(file)
    try:
        yield
    finally:
        file.unlink(missing_ok=True)
