"""Toxiproxy before the brokers, for faults of the network; built by Go the first time somebody asks for it."""

import json
import os
import subprocess
from functools import partial
from pathlib import Path

from stack import readiness
from stack.errors import NotInstalled
from stack.instance import HOME, Instance, ServerName, locked
from stack.ports import HOST
from stack.program import Program, executable
from stack.supervisor import Report

VERSION = "v2.12.0"
_MODULE = f"github.com/Shopify/toxiproxy/v2/cmd/server@{VERSION}"
_BINARY = HOME / "bin" / f"toxiproxy-{VERSION}"


def program(instance: Instance) -> Program:
    """One proxy for each broker, named as the broker is, between its advertised and its real port."""
    home = instance.home(ServerName.TOXIPROXY)
    port = instance.ports.toxiproxy
    return Program(
        name=ServerName.TOXIPROXY,
        ports=(port, *(instance.port("proxy", broker) for broker in instance.broker_names)),
        folder=home,
        prepare=partial(_prepare, instance, home),
        command=lambda: [str(_BINARY), "-host", HOST, "-port", str(port), "-config", str(home / "proxies.json")],
        lacking=partial(readiness.lacking, f"http://{HOST}:{port}/proxies"),
    )


def install(report: Report) -> None:
    """Build the pinned version. Raises NotInstalled where Go is missing or fails."""
    if _BINARY.exists():
        return
    with locked(HOME / "install.lock"):
        if _BINARY.exists():
            return
        report(f"building toxiproxy {VERSION} with Go (once)")
        folder = _BINARY.parent / ".partial"
        command = [executable("go"), "install", _MODULE]
        done = subprocess.run(
            command, env={**os.environ, "GOBIN": str(folder)}, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode != 0:
            raise NotInstalled(f"`{' '.join(command)}` failed: {' '.join(done.stderr.strip().splitlines()[-1:])}")
        (folder / "server").replace(_BINARY)


def _prepare(instance: Instance, home: Path) -> None:
    home.mkdir(parents=True, exist_ok=True)
    proxies = [
        {
            "name": broker,
            "listen": f"{HOST}:{instance.port('proxy', broker)}",
            "upstream": f"{HOST}:{instance.port('proxied', broker)}",
            "enabled": True,
        }
        for broker in instance.broker_names
    ]
    (home / "proxies.json").write_text(json.dumps(proxies, indent=1))
