"""The external Billing's double: a real HTTP server that keeps what it makes in memory, as bad as one likes.

It speaks what `sinks/billing/http.py` states. Without `honours_keys` it makes a thing each time that it is asked: a
client that asks twice makes two here, and the tests see it. `python -m stack.billing [PORT [BILLS]]` is one that means
well; BILLS is where it says that its bills lie, if not at its own address.
"""

import json
import re
import sys
import threading
import time
from collections import Counter, deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final
from urllib.parse import unquote

PORT: Final = 18_091


class Mood(StrEnum):
    """How the next call is treated."""

    WELL = "well"
    SLOW = "slow"  # answers after half the client's patience
    TAKES_AND_SAYS_NOTHING = "takes and says nothing"  # until the client has given up
    TAKES_AND_HANGS_UP = "takes and hangs up"
    TAKES_LATE = "takes late"  # after the client has given up
    TAKES_VERY_LATE = "takes very late"  # after the client believes that it never will
    HANGS_UP = "hangs up"
    SAYS_NOTHING = "says nothing"  # and takes nothing
    BUSY = "busy"  # 503, and nothing taken
    TOO_MANY = "too many"  # 429
    TAKES_AND_IS_BUSY = "takes and is busy"  # 503 from something in front of it
    FORBIDS = "forbids"  # 403
    TURNS_AWAY = "turns away"  # 400, without a word that says why
    TALKS_NONSENSE = "talks nonsense"
    IS_AT_WORK = "is at work"  # 202; the answer comes when it is asked the second time
    ANSWERS_TWICE = "answers twice"
    REFUSES = "refuses"


TAKES_NOTHING: Final = {
    Mood.HANGS_UP, Mood.SAYS_NOTHING, Mood.BUSY, Mood.TOO_MANY, Mood.FORBIDS, Mood.TURNS_AWAY, Mood.TALKS_NONSENSE,
}  # fmt: skip

MANNERS: Mapping[Mood, tuple[float, float, int | None]] = {
    Mood.WELL: (0, 0, 201),
    Mood.SLOW: (0.5, 0, 201),
    Mood.TAKES_AND_SAYS_NOTHING: (0, 1.5, None),
    Mood.TAKES_AND_HANGS_UP: (0, 0, None),
    Mood.TAKES_LATE: (1.4, 0, None),
    Mood.TAKES_VERY_LATE: (6, 0, None),
    Mood.HANGS_UP: (0, 0, None),
    Mood.SAYS_NOTHING: (1.5, 0, None),
    Mood.BUSY: (0, 0, 503),
    Mood.TOO_MANY: (0, 0, 429),
    Mood.TAKES_AND_IS_BUSY: (0, 0, 503),
    Mood.FORBIDS: (0, 0, 403),
    Mood.TURNS_AWAY: (0, 0, 400),
    Mood.TALKS_NONSENSE: (0, 0, 200),
    Mood.IS_AT_WORK: (0, 0, 202),
    Mood.ANSWERS_TWICE: (0, 0, 201),
    Mood.REFUSES: (0, 0, 422),
}
"""How many of the client's patiences pass before a call is carried out, and before it is answered; None: no answer."""

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


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    billing: Billing

    def do_GET(self) -> None:
        key = unquote(self.path.removeprefix("/results/"))
        self.billing.asked.append(("find", key))
        answer = self.billing.find(key)
        self._say(404 if answer["outcome"] == "unknown" else 200, answer)

    def do_POST(self) -> None:
        self._carry_out()

    def do_PUT(self) -> None:
        self._carry_out()

    def _carry_out(self) -> None:
        billing, key = self.billing, self.headers["Idempotency-Key"]
        length = int(self.headers["Content-Length"])
        sent = self.rfile.read(length)
        if len(sent) < length:  # the client has hung up in the middle of it: no server takes a part for the whole
            self.close_connection = True
            return
        body = json.loads(sent)
        billing.asked.append(("send", key))
        billing.headers = dict(self.headers)
        mood = billing.mood_towards(key)
        before_s, after_s, status = MANNERS[mood]
        time.sleep(before_s * billing.client_patience_s)
        answer = self._answer(mood, body, key)
        time.sleep(after_s * billing.client_patience_s)
        if status is None:
            self.close_connection = True
            return
        refused = answer.get("outcome") == "refused"
        self._say(422 if refused else status, answer if status < 400 or refused else {})
        if mood is Mood.ANSWERS_TWICE:
            self._say(status, answer)

    def _answer(self, mood: Mood, body: dict[str, Any], key: str) -> Mapping[str, Any]:
        if mood in TAKES_NOTHING:
            return {}
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

    def _say(self, status: int, answer: Mapping[str, Any]) -> None:
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Nothing: who tests asks what was asked."""


@contextmanager
def serving(port: int = 0) -> Iterator[Billing]:
    """A Billing of this machine; port 0: a free one."""
    billing = Billing()
    handler = type("Handler", (_Handler,), {"billing": billing})
    server = ThreadingHTTPServer(("127.0.0.1", port), handler)
    server.daemon_threads = True
    billing.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield billing
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def main() -> None:
    """Serve until it is ended."""
    port, bills, *_ = (*sys.argv[1:], "", "")
    with serving(int(port or PORT)) as billing:
        billing.honours_keys, billing.bills = True, bills
        print(billing.address, flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    main()
