"""The SOP general ledger's double: a real HTTP server that keeps what it takes in memory, as bad as one likes.

Without `honours_keys` it writes the lines of a file each time that it gets it: a client that sends twice doubles lines
here, and the tests see it.
"""

import csv
import io
import json
import threading
import time
from collections import Counter, deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote


class Mood(StrEnum):
    """How the next upload is treated."""

    WELL = "well"
    SLOW = "slow"  # answers after half the client's patience
    TAKES_AND_SAYS_NOTHING = "takes and says nothing"  # until the client has given up
    TAKES_AND_HANGS_UP = "takes and hangs up"
    TAKES_LATE = "takes late"  # after the client has given up
    TAKES_VERY_LATE = "takes very late"  # after the client believes that it never will
    HANGS_UP = "hangs up"
    BUSY = "busy"  # 503, and nothing taken
    TAKES_AND_IS_BUSY = "takes and is busy"  # 503 from something in front of it
    FORBIDS = "forbids"  # 403
    TALKS_NONSENSE = "talks nonsense"
    IS_AT_WORK = "is at work"  # 202; the answer comes when it is asked the second time
    REFUSES_THE_FILE = "refuses the file"


TAKES_NOTHING = {Mood.HANGS_UP, Mood.BUSY, Mood.FORBIDS, Mood.TALKS_NONSENSE}

MANNERS: Mapping[Mood, tuple[float, float, int | None]] = {
    Mood.WELL: (0, 0, 201),
    Mood.SLOW: (0.5, 0, 201),
    Mood.TAKES_AND_SAYS_NOTHING: (0, 1.5, None),
    Mood.TAKES_AND_HANGS_UP: (0, 0, None),
    Mood.TAKES_LATE: (1.4, 0, None),
    Mood.TAKES_VERY_LATE: (6, 0, None),
    Mood.HANGS_UP: (0, 0, None),
    Mood.BUSY: (0, 0, 503),
    Mood.TAKES_AND_IS_BUSY: (0, 0, 503),
    Mood.FORBIDS: (0, 0, 403),
    Mood.TALKS_NONSENSE: (0, 0, 200),
    Mood.IS_AT_WORK: (0, 0, 202),
    Mood.REFUSES_THE_FILE: (0, 0, 422),
}
"""How many of the client's patiences pass before a file is taken, and before it is answered; None: it hangs up."""


@dataclass
class GeneralLedger:
    """What it holds, and what it was asked."""

    address: str = ""
    client_patience_s: float = 1.0
    honours_keys: bool = False
    moods: deque[Mood] = field(default_factory=deque)
    bad_lines: dict[str, str] = field(default_factory=dict)
    answers: dict[str, dict[str, Any]] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)
    written: Counter[str] = field(default_factory=Counter)
    asked: list[tuple[str, str]] = field(default_factory=list)
    busy_finds: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    still_at_work: Counter[str] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def uploads(self) -> list[str]:
        """Names of the files that were sent, in order, each time that they were."""
        return [name for what, name in self.asked if what == "PUT"]

    def take(self, name: str, content: bytes, key: str, *, whole_reason: str | None = None) -> dict[str, Any]:
        """Write the file's lines; with `honours_keys` a key that it knows gets the first answer again."""
        with self.lock:
            if self.honours_keys and key in self.keys:
                return self.answers[self.keys[key]]
            refused = {} if whole_reason else self._refused(content)
            outcome = "refused" if whole_reason else "accepted in part" if refused else "accepted"
            answer = {
                "digest": sha256(content).hexdigest(), "outcome": outcome, "reference": f"JE-{len(self.answers) + 1}",
                "reason": whole_reason,
                "refused": [{"line_id": line_id, "reason": reason} for line_id, reason in refused.items()],
            }  # fmt: skip
            if whole_reason is None:
                bad = {row["Transaction"] for row in rows(content) if row["Line"] in refused}
                self.written.update(row["Line"] for row in rows(content) if row["Transaction"] not in bad)
            self.keys[key], self.answers[name] = name, answer
            return answer

    def _refused(self, content: bytes) -> dict[str, str]:
        lines = (row["Line"] for row in rows(content))
        return {line: self.bad_lines[line] for line in lines if line in self.bad_lines}

    def find(self, name: str) -> dict[str, Any] | None:
        """What it says of a file."""
        with self.lock:
            if self.still_at_work[name] > 0:
                self.still_at_work[name] -= 1
                return {**self.answers[name], "outcome": "at work", "refused": [], "reason": None}
            return self.answers.get(name)


def rows(content: bytes) -> Iterator[Mapping[str, str]]:
    """The lines of a CSV, without its totals."""
    return (row for row in csv.DictReader(io.StringIO(content.decode())) if row["Entity"] != "TOTAL")


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    ledger: GeneralLedger

    @property
    def name(self) -> str:
        return unquote(self.path.removeprefix("/files/"))

    def do_GET(self) -> None:
        self.ledger.asked.append(("GET", self.name))
        if self.ledger.busy_finds > 0:
            self.ledger.busy_finds -= 1
            self._say(503, {})
            return
        answer = self.ledger.find(self.name)
        self._say(404 if answer is None else 200, answer or {})

    def do_PUT(self) -> None:
        length = int(self.headers["Content-Length"])
        content = self.rfile.read(length)
        if len(content) < length:  # the client has hung up in the middle of it: no server takes a part for the whole
            self.close_connection = True
            return
        self.ledger.asked.append(("PUT", self.name))
        self.ledger.headers = dict(self.headers)
        mood = self.ledger.moods.popleft() if self.ledger.moods else Mood.WELL
        before_s, after_s, status = MANNERS[mood]
        patience_s, key = self.ledger.client_patience_s, self.headers["Idempotency-Key"]
        time.sleep(before_s * patience_s)
        answer: Mapping[str, Any] = {}
        if mood not in TAKES_NOTHING:
            reason = "period JUL-26 is closed" if mood is Mood.REFUSES_THE_FILE else None
            answer = self.ledger.take(self.name, content, key, whole_reason=reason)
        if mood is Mood.IS_AT_WORK:
            self.ledger.still_at_work[self.name] = 1
            answer = {"digest": answer["digest"], "outcome": "at work"}
        time.sleep(after_s * patience_s)
        if status is None:
            self.close_connection = True
        else:
            self._say(status, answer if status < 400 or status == 422 else {})

    def _say(self, status: int, answer: Mapping[str, Any]) -> None:
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Nothing: the tests ask what was asked."""


@contextmanager
def serving() -> Iterator[GeneralLedger]:
    """A general ledger on a free port of this machine."""
    ledger = GeneralLedger()
    handler = type("Handler", (_Handler,), {"ledger": ledger})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    ledger.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield ledger
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
