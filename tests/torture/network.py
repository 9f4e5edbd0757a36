"""Faults of the network between the workers and one broker, by Toxiproxy: slow, thin, cut, half open."""

import random
import time
from collections.abc import Callable, Mapping
from typing import Any

import httpx

from tests.torture.system import System

Strike = Callable[[System, random.Random], None]
LASTS_S = (2.0, 12.0)


def toxic(kind: str, attributes: Mapping[str, Any], *streams: str) -> Strike:
    """Poison the way to one broker, in both directions or those named, for some seconds."""

    def strike(system: System, dice: random.Random) -> None:
        broker = dice.choice(system.stack.broker_names)
        url = f"http://127.0.0.1:{system.stack.ports.toxiproxy}/proxies/{broker}/toxics"
        with httpx.Client(trust_env=False, timeout=10.0) as client:
            names = []
            for stream in streams or ("upstream", "downstream"):
                names.append(f"{kind}-{stream}")
                body = {"name": names[-1], "type": kind, "stream": stream, "attributes": dict(attributes)}
                client.post(url, json=body).raise_for_status()
            time.sleep(dice.uniform(*LASTS_S))
            for name in names:
                client.delete(f"{url}/{name}").raise_for_status()

    return strike


def cut(system: System, dice: random.Random) -> None:
    """Nobody can reach one broker for some seconds: connections end, new ones are refused."""
    url = f"http://127.0.0.1:{system.stack.ports.toxiproxy}/proxies/{dice.choice(system.stack.broker_names)}"
    with httpx.Client(trust_env=False, timeout=10.0) as client:
        client.post(url, json={"enabled": False}).raise_for_status()
        time.sleep(dice.uniform(*LASTS_S))
        client.post(url, json={"enabled": True}).raise_for_status()


FAULTS: tuple[tuple[str, Strike], ...] = (
    ("network slow", toxic("latency", {"latency": 300, "jitter": 250})),
    ("network thin", toxic("bandwidth", {"rate": 40})),
    ("network reset", toxic("reset_peer", {"timeout": 300}, "downstream")),
    ("network half open, answers lost", toxic("timeout", {"timeout": 0}, "downstream")),
    ("network half open, requests lost", toxic("timeout", {"timeout": 0}, "upstream")),
    ("network cut", cut),
)
