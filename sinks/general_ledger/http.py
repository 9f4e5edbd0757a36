"""The general ledger over HTTP.

    PUT /files/{name}   the CSV, `Idempotency-Key: <SHA-256>`   → 200, 201, 202 or 422 with an answer as JSON
    GET /files/{name}                                           → 200 with the same answer, or 404

    {"digest": "9f…", "outcome": "accepted" | "accepted in part" | "refused" | "at work", "reference": "JE-17",
     "reason": "period closed", "refused": [{"line_id": "…", "reason": "account 1816 is closed"}]}

It writes lines with the same `Transaction` together or not at all, and need not look into that name for anything else.

No public source describes SOP's own interface: this is the shape that an adapter in front of it must have.
"""

import asyncio
from http import HTTPStatus
from types import TracebackType
from typing import Final, Self
from urllib.parse import quote

import httpx
from pydantic import SecretStr, ValidationError
from tenacity import Retrying

from sinks.general_ledger.answer import Answer
from sinks.remote import NoAnswer, NotTaken, Remote, retrying

ANSWERS: Final = (HTTPStatus.OK, HTTPStatus.CREATED, HTTPStatus.ACCEPTED, HTTPStatus.UNPROCESSABLE_ENTITY)
UNSURE: Final = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.CONFLICT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS)
"""Client errors after which the file may be there all the same."""


class HttpGeneralLedger:
    """See `sinks.general_ledger.ports.GeneralLedger`. Asking is retried; sending only where nothing had left."""

    def __init__(self, address: str, timeout_s: float, token: SecretStr | None = None) -> None:
        self._remote = Remote("the general ledger", address, timeout_s, token)
        self._client = httpx.Client(**self._remote.options, timeout=timeout_s)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._client.close()

    def find(self, name: str) -> Answer | None:
        for attempt in Retrying(**retrying(NoAnswer)):
            with attempt:
                with self._remote.asking(unsent=NoAnswer):
                    response = self._client.get(_path(name))
                if response.status_code == HTTPStatus.NOT_FOUND:
                    return None
                return self._answer(response)
        raise AssertionError("tenacity ends with an answer or an error")

    def upload(self, name: str, content: bytes, digest: str, until: float) -> Answer:
        headers = {"Idempotency-Key": digest, "Content-Type": "text/csv; charset=utf-8"}
        return self._answer(asyncio.run(self._sent(name, content, headers, until)))

    async def _sent(self, name: str, content: bytes, headers: dict[str, str], until: float) -> httpx.Response:
        async with httpx.AsyncClient(**self._remote.options) as client:
            return await self._remote.sent(client, "PUT", _path(name), content, headers, until)

    def _answer(self, response: httpx.Response) -> Answer:
        status = response.status_code
        if status not in ANSWERS:
            said = f"{self._remote.name} says {status} {response.reason_phrase}"
            surely_not = HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR and status not in UNSURE
            raise (NotTaken if surely_not and response.request.method == "PUT" else NoAnswer)(said)
        try:
            return Answer.model_validate_json(response.content)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            raise NoAnswer(f"the general ledger's answer makes no sense: {first['msg']}") from error


def _path(name: str) -> str:
    return f"/files/{quote(name)}"
