"""Runs the app as a worker process."""

import os
import socket

from schemas.scrape import announced
from schemas.settings import Settings, read
from streams.app import create_app
from streams.runtime.settings import Settings as RuntimeSettings


def run(settings: Settings, name: str, port: int, loglevel: str) -> None:
    """Work until SIGTERM; port 0 is any free one. Ends the process: 0 after a stop, 70 after anything unexpected.

    Raises `WrongSetting`, `RegistryUnavailable`, `UnknownSchema` before it begins.
    """
    os.environ["MILLRACE_WORKER"] = name
    read(RuntimeSettings)  # a wrong one is said here, in a sentence
    port = port or _free_port(settings.web_host)
    app = create_app(settings, web_port=port, web_bind=settings.web_host)
    app.finalize()
    with announced(settings.scrape_targets, f"worker-{name}", settings.web_host, port):
        app.Worker(loglevel=loglevel).execute_from_commandline()


def _free_port(host: str) -> int:
    with socket.socket() as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])
