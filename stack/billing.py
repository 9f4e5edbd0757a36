"""The external Billing's double: a real HTTP server that keeps what it makes in memory, as bad as one likes.

It speaks what `sinks/billing/http.py` states. Without `honours_keys` it makes a thing each time that it is asked: a
client that asks twice makes two here, and the tests see it. `python -m stack.billing [PORT [BILLS]]` is one that means
well; BILLS is where it says that its bills lie, if not at its own address.
"""

import json
import re
import sys
import threading
from collections import Counter, deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import unquote

from stack import doubles
from stack.doubles import Handler, Mood

PORT: Final = 18_091


KINDS: Final = {
    "client": ("POST", re.compile(r"/clients")),
    "payer": ("POST", re.compile(r"/clients/([^/]+)/payers")),
    "requisites": ("PUT", re.compile(r"/clients/([^/]+)/payers/([^/]+)")),
    "contract": ("POST", re.compile(r"/contracts")),
    "bill": ("POST", re.compile(r"/contracts/([^/]+)/bills")),
    "withdrawal": ("POST", re.compile(r"/bills/([^/]+)/withdrawal")),
    "commission": ("PUT", re.compile(r"/contracts/([^/]+)/commissions/([^/]+)")),
}


@dataclass
class Billing:
    """What it holds, and what it was asked."""

    address: str = ""
    bills: str = ""
    client_patience_s: float = 1.0
    honours_keys: bool = False
    moods: deque[Mood] = field(default_factory=deque)
    towards: dict[str, Mood] = field(default_factory=dict)
    refusal: tuple[str, str] = ("payer_unknown", "the tax office does not know this payer")
    made: dict[str, list[str]] = field(default_factory=dict)
    things: dict[str, dict[str, Any]] = field(default_factory=dict)
    answers: dict[str, dict[str, Any]] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    still_at_work: Counter[str] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def sent(self) -> list[str]:
        """Keys of the calls that were sent, in order, each time that they were."""
        return [key for what, key in self.asked if what == "send"]

    @property
    def counts(self) -> dict[str, int]:
        """How many things were made, or changed, for each key."""
        return {key: len(ids) for key, ids in self.made.items()}

    def mood_towards(self, key: str) -> Mood:
        """How the call with this key is treated now: `towards` has the moods that last."""
        return self.towards.get(key) or (self.moods.popleft() if self.moods else Mood.WELL)

    def of_kind(self, kind: str) -> list[str]:
        """Ids of all things of a kind."""
        return [id_ for id_, thing in self.things.items() if thing["kind"] == kind]

    def take(self, kind: str, parents: tuple[str, ...], body: dict[str, Any], key: str) -> dict[str, Any]:
        """Carry a call out; with `honours_keys` a key that it knows gets the first answer again."""
        with self.lock:
            if self.honours_keys and key in self.answers:
                return self.answers[key]
            ours = parents[:1] if kind == "commission" else parents  # a lot is not Billing's
            if unknown := next((each for each in ours if each not in self.things), None):
                return self._remember(key, {"outcome": "refused", "code": "not_found", "text": f"{unknown} is unknown"})
            id_ = self._change(kind, parents, body) or self._make(kind, parents, body)
            self.made.setdefault(key, []).append(id_)
            url = f"{self.bills or self.address}/pdf/{id_}" if kind == "bill" else None
            return self._remember(key, {"outcome": "done", "id": id_, "url": url})

    def _change(self, kind: str, parents: tuple[str, ...], body: dict[str, Any]) -> str | None:
        """What a call changes rather than makes; of versions the highest stays."""
        if kind == "withdrawal":
            self.things[parents[0]]["withdrawn"] = body["reason"]
            return parents[0]
        if kind == "requisites":
            payer = self.things[parents[1]]
            if body["version"] > payer.get("version", 0):
                payer |= body
            return parents[1]
        if kind == "commission":
            id_ = "/".join(parents)
            report = self.things.setdefault(id_, {"kind": kind, "version": -1})
            if body["version"] > report["version"]:
                report |= body
            return id_
        return None

    def _make(self, kind: str, parents: tuple[str, ...], body: dict[str, Any]) -> str:
        id_ = f"{kind}-{len(self.things) + 1}"
        self.things[id_] = {"kind": kind, "of": parents, **body}
        return id_

    def refuse(self, key: str) -> dict[str, Any]:
        """Do nothing of it, and say why."""
        with self.lock:
            code, text = self.refusal
            return self._remember(key, {"outcome": "refused", "code": code, "text": text})

    def _remember(self, key: str, answer: dict[str, Any]) -> dict[str, Any]:
        self.answers[key] = {"key": key, **answer}
        return self.answers[key]

    def find(self, key: str) -> dict[str, Any]:
        """What it says of a key."""
        with self.lock:
            if self.still_at_work[key] > 0:
                self.still_at_work[key] -= 1
                return {"key": key, "outcome": "at work"}
            return self.answers.get(key, {"key": key, "outcome": "unknown"})


class _Handler(Handler):
    billing: Billing

    def asked(self) -> None:
        key = unquote(self.path.removeprefix("/results/"))
        self.billing.asked.append(("find", key))
        answer = self.billing.find(key)
        self.say(404 if answer["outcome"] == "unknown" else 200, answer)

    def sent(self, body: bytes) -> None:
        billing, key = self.billing, self.headers["Idempotency-Key"]
        billing.asked.append(("send", key))
        billing.headers = dict(self.headers)
        mood = billing.mood_towards(key)
        self.treat(mood, billing.client_patience_s, lambda: self._answer(mood, json.loads(body), key))

    def _answer(self, mood: Mood, body: dict[str, Any], key: str) -> Mapping[str, Any]:
        if mood is Mood.REFUSES:
            return self.billing.refuse(key)
        kind, parents = self._called()
        named = (body["client"], body["payer"]) if kind == "contract" else parents
        answer = self.billing.take(kind, named, body, key)
        if mood is Mood.IS_AT_WORK:
            self.billing.still_at_work[key] = 1
            return {"key": key, "outcome": "at work"}
        return answer

    def _called(self) -> tuple[str, tuple[str, ...]]:
        for kind, (method, path) in KINDS.items():
            if self.command == method and (found := path.fullmatch(self.path)):
                return kind, tuple(unquote(part) for part in found.groups())
        raise ValueError(f"{self.command} {self.path} is not of the interface")


@contextmanager
def serving(port: int = 0) -> Iterator[Billing]:
    """A Billing of this machine; port 0: a free one."""
    billing = Billing()
    with doubles.serving(type("Handler", (_Handler,), {"billing": billing}), port) as billing.address:
        yield billing


def main() -> None:
    """Serve until it is ended."""
    port, bills, *_ = (*sys.argv[1:], "", "")
    with serving(int(port or PORT)) as billing:
        billing.honours_keys, billing.bills = True, bills
        print(billing.address, flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    main()
