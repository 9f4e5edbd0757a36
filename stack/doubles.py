"""What doubles of other people's HTTP servers have in common: how bad they are to one request, and to the next."""

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from enum import StrEnum
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final


class Mood(StrEnum):
    """How the next request is treated."""

    WELL = "well"
    SLOW = "slow"  # answers after half the client's patience
    TAKES_AND_SAYS_NOTHING = "takes and says nothing"  # until the client has given up
    TAKES_AND_HANGS_UP = "takes and hangs up"
    TAKES_LATE = "takes late"  # after the client has given up
    TAKES_VERY_LATE = "takes very late"  # after the client believed that it never would, and another was taken
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
    Mood.TAKES_VERY_LATE: (0, 0, None),
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
"""How many of the client's patiences pass before a request is taken, and before it is answered; None: no answer."""
LATEST_S: Final = 60.0
"""How long a request may wait for another one."""


class Handler(BaseHTTPRequestHandler):
    """One request. What it asks for is the double's own business: `asked` and `sent` say what becomes of it."""

    protocol_version = "HTTP/1.1"
    server: "_Server"

    def asked(self) -> None:
        """A GET."""
        raise NotImplementedError

    def sent(self, body: bytes) -> None:
        """A POST or a PUT."""
        raise NotImplementedError

    def do_GET(self) -> None:
        self.asked()

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        body = self.rfile.read(length)
        if len(body) < length:  # the client has hung up in the middle of it: no server takes a part for the whole
            self.close_connection = True
        else:
            self.sent(body)

    def do_PUT(self) -> None:
        self.do_POST()

    def treat(self, mood: Mood, patience_s: float, take: Callable[[], Mapping[str, Any]]) -> None:
        """`take` what was sent, which gives the answer, and say it; as far as the mood allows."""
        before_s, after_s, status = MANNERS[mood]
        time.sleep(before_s * patience_s)
        if mood is Mood.TAKES_VERY_LATE:
            self.server.has_taken.wait(LATEST_S)
        answer = {} if mood in TAKES_NOTHING else take()
        self.server.has_taken.set()
        time.sleep(after_s * patience_s)
        if status is None:
            self.close_connection = True
            return
        is_refused = answer.get("outcome") == "refused"
        is_told = is_refused or status < HTTPStatus.BAD_REQUEST
        self.say(HTTPStatus.UNPROCESSABLE_ENTITY if is_refused else status, answer if is_told else {})
        if mood is Mood.ANSWERS_TWICE:
            self.say(status, answer)

    def say(self, status: int, answer: Mapping[str, Any]) -> None:
        """One answer."""
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Nothing: who tests asks what was asked."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128  # of one that is full, a client hears after a second at the soonest

    def __init__(self, port: int, handler: type[Handler]) -> None:
        super().__init__(("127.0.0.1", port), handler)
        self.has_taken = threading.Event()


@contextmanager
def serving(handler: type[Handler], port: int = 0) -> Iterator[str]:
    """The address of a server on this machine; port 0: a free one."""
    server = _Server(port, handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
