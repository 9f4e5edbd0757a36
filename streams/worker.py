"""Runs the app as a worker process."""

import json
import os
import socket
from pathlib import Path

from schemas.settings import Settings
from streams.app import create_app


def run(settings: Settings, name: str, port: int, loglevel: str) -> None:
    """Work until SIGTERM; port 0 is any free one. Ends the process: 0 after a stop, 70 after anything unexpected."""
    os.environ["MILLRACE_WORKER"] = name
    port = port or _free_port()
    app = create_app(settings, web_port=port, web_host="127.0.0.1")
    app.finalize()
    announce(settings.scrape_targets, f"worker-{name}", port)
    worker = app.Worker(loglevel=loglevel)
    worker.execute_from_commandline()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def announce(folder: Path | None, name: str, port: int) -> None:
    """Tell Prometheus where to scrape this process, by a file of its file-based discovery."""
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        target = [{"targets": [f"127.0.0.1:{port}"], "labels": {"job": name.partition("-")[0], "name": name}}]
        (folder / f"{name}.json").write_text(json.dumps(target), encoding="utf-8")
