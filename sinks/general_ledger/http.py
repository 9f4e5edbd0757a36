"""The general ledger over HTTP.

    PUT /files/{name}   the CSV, `Idempotency-Key: <SHA-256>`   → 200, 201, 202 or 422 with an answer as JSON
    GET /files/{name}                                           → 200 with the same answer, or 404

    {"digest": "9f…", "outcome": "accepted" | "accepted in part" | "refused" | "at work", "reference": "JE-17",
     "reason": "period closed", "refused": [{"line_id": "…", "reason": "account 1816 is closed"}]}

It writes lines with the same `Transaction` together or not at all, and need not look into that name for anything else.

No public source describes SOP's own interface: this is the shape that an adapter in front of it must have.
"""

import asyncio
import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import quote

import httpx
from pydantic import SecretStr, ValidationError
from tenacity import (
    AsyncRetrying,
    Retrying,
    retry_if_exception_type,
    stop_after_attempt,
    stop_before_delay,
    wait_exponential_jitter,
)

from sinks.general_ledger.answer import Answer
from sinks.general_ledger.ports import NoAnswer, NotTaken

ANSWERS: Final = (HTTPStatus.OK, HTTPStatus.CREATED, HTTPStatus.ACCEPTED, HTTPStatus.UNPROCESSABLE_ENTITY)
UNSURE: Final = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.CONFLICT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS)
"""Client errors after which the file may be there all the same."""

ATTEMPTS: Final = 3
"""Within one call. A call that failed is made again by the worker, later."""
LONGEST_WAIT_S: Final = 5.0


class HttpGeneralLedger:
    """See `sinks.general_ledger.ports.GeneralLedger`. Asking is retried; sending only where nothing had left."""

    def __init__(self, address: str, timeout_s: float, token: SecretStr | None = None) -> None:
        self._address, self._timeout_s = address, timeout_s
        secret = "" if token is None else token.get_secret_value()
        headers = {"Authorization": f"Bearer {secret}"} if secret else {}
        self._options: dict[str, Any] = {"base_url": address, "headers": headers}
        self._client = httpx.Client(**self._options, timeout=timeout_s)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._client.close()

    def find(self, name: str) -> Answer | None:
        for attempt in Retrying(**_retrying(NoAnswer, math.inf)):
            with attempt:
                with self._asking(unsent=NoAnswer):
                    response = self._client.get(_path(name))
                if response.status_code == HTTPStatus.NOT_FOUND:
                    return None
                return self._answer(response)
        raise AssertionError("tenacity ends with an answer or an error")

    def upload(self, name: str, content: bytes, digest: str, until: float) -> Answer:
        headers = {"Idempotency-Key": digest, "Content-Type": "text/csv; charset=utf-8"}
        return asyncio.run(self._sent(name, content, headers, until))

    async def _sent(self, name: str, content: bytes, headers: dict[str, str], until: float) -> Answer:
        """A task can be ended at a moment; a socket's timeout is one of each step, and looking up a host has none."""
        connect_s = self._timeout_s / (ATTEMPTS + 1)
        timeout = httpx.Timeout(self._timeout_s, connect=connect_s)
        retrying = _retrying(_NotConnected, until - time.monotonic() - connect_s)
        try:
            async with asyncio.timeout_at(until), httpx.AsyncClient(**self._options, timeout=timeout) as client:
                async for attempt in AsyncRetrying(**retrying):
                    with attempt:
                        with self._asking(unsent=_NotConnected):
                            response = await client.put(_path(name), content=content, headers=headers)
                        return self._answer(response)
        except TimeoutError as error:
            raise NoAnswer(f"the general ledger at {self._address} has not answered in time") from error
        raise AssertionError("tenacity ends with an answer or an error")

    @contextmanager
    def _asking(self, unsent: type[Exception]) -> Iterator[None]:
        try:
            yield
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise unsent(f"the general ledger at {self._address} cannot be reached ({_said(error)})") from error
        except httpx.HTTPError as error:
            raise NoAnswer(f"the general ledger at {self._address} does not answer ({_said(error)})") from error

    def _answer(self, response: httpx.Response) -> Answer:
        status = response.status_code
        if status not in ANSWERS:
            said = f"the general ledger at {self._address} says {status} {response.reason_phrase}"
            surely_not = HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR and status not in UNSURE
            raise (NotTaken if surely_not and response.request.method == "PUT" else NoAnswer)(said)
        try:
            return Answer.model_validate_json(response.content)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            raise NoAnswer(f"the general ledger's answer makes no sense: {first['msg']}") from error


class _NotConnected(NotTaken):
    """Not a byte has left."""


def _retrying(transient: type[Exception], most_s: float) -> dict[str, Any]:
    """`most_s`: after which no further attempt begins."""
    return {
        "stop": stop_after_attempt(ATTEMPTS) | stop_before_delay(most_s),
        "wait": wait_exponential_jitter(multiplier=0.2, max=LONGEST_WAIT_S),
        "retry": retry_if_exception_type(transient),
        "reraise": True,
    }


def _path(name: str) -> str:
    return f"/files/{quote(name)}"


def _said(error: Exception) -> str:
    return str(error) or type(error).__name__
