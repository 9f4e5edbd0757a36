"""The SOP general ledger's double: a real HTTP server that keeps what it takes in memory, as bad as one likes.

Without `honours_keys` it writes the lines of a file each time that it gets it: a client that sends twice doubles lines
here, and the tests see it.
"""

import csv
import io
import threading
from collections import Counter, deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any
from urllib.parse import unquote

from stack import doubles
from stack.doubles import Handler, Mood


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
    says_first: deque[tuple[int, dict[str, Any]]] = field(default_factory=deque)
    """To who asks: statuses and answers, before it answers well."""
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


class _Handler(Handler):
    ledger: GeneralLedger

    @property
    def name(self) -> str:
        return unquote(self.path.removeprefix("/files/"))

    def asked(self) -> None:
        self.ledger.asked.append(("GET", self.name))
        if self.ledger.says_first:
            self.say(*self.ledger.says_first.popleft())
            return
        answer = self.ledger.find(self.name)
        self.say(404 if answer is None else 200, answer or {"name": self.name, "outcome": "unknown"})

    def sent(self, body: bytes) -> None:
        ledger = self.ledger
        ledger.asked.append(("PUT", self.name))
        ledger.headers = dict(self.headers)
        mood = ledger.moods.popleft() if ledger.moods else Mood.WELL
        self.treat(mood, ledger.client_patience_s, lambda: self._answer(mood, body))

    def _answer(self, mood: Mood, content: bytes) -> Mapping[str, Any]:
        reason = "period JUL-26 is closed" if mood is Mood.REFUSES else None
        answer = self.ledger.take(self.name, content, self.headers["Idempotency-Key"], whole_reason=reason)
        if mood is Mood.IS_AT_WORK:
            self.ledger.still_at_work[self.name] = 1
            return {"digest": answer["digest"], "outcome": "at work"}
        return answer


@contextmanager
def serving() -> Iterator[GeneralLedger]:
    """A general ledger on a free port of this machine."""
    ledger = GeneralLedger()
    with doubles.serving(type("Handler", (_Handler,), {"ledger": ledger})) as ledger.address:
        yield ledger
