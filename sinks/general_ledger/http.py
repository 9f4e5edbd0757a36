"""The general ledger over HTTP.

    PUT /files/{name}   the CSV, `Idempotency-Key: <SHA-256>`   → 200, 201, 202 or 422 with an answer as JSON
    GET /files/{name}                                           → 200 with the same answer
                          or 404 with {"name": "adi/…", "outcome": "unknown"}: it has no such file

    {"digest": "9f…", "outcome": "accepted" | "accepted in part" | "refused" | "at work", "reference": "JE-17",
     "reason": "period closed", "refused": [{"line_id": "…", "reason": "account 1816 is closed"}]}

It writes lines with the same `Transaction` together or not at all, and need not look into that name for anything else.
A 404 without these words is not believed: it may be of something that stands in between. Answers are not packed, and
have an end.

No public source describes SOP's own interface: this is the shape that an adapter in front of it must have.
"""

import asyncio
from http import HTTPStatus
from typing import Final, TypeVar
from urllib.parse import quote

import httpx
from pydantic import BaseModel, SecretStr, ValidationError

from sinks.general_ledger.answer import Answer, Unknown
from sinks.remote import NoAnswer, NotTaken, Remote

ANSWERS: Final = (HTTPStatus.OK, HTTPStatus.CREATED, HTTPStatus.ACCEPTED, HTTPStatus.UNPROCESSABLE_ENTITY)
UNSURE: Final = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.CONFLICT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS)
"""Client errors after which the file may be there all the same."""

Said = TypeVar("Said", bound=BaseModel)


class HttpGeneralLedger:
    """See `sinks.general_ledger.ports.GeneralLedger`. Asking is retried; sending only where nothing had left."""

    def __init__(self, address: str, timeout_s: float, token: SecretStr | None = None) -> None:
        self._remote = Remote("the general ledger", address, timeout_s, token)

    def find(self, name: str, until: float) -> Answer | None:
        return asyncio.run(self._asked(name, until))

    def upload(self, name: str, content: bytes, digest: str, until: float) -> Answer:
        headers = {"Idempotency-Key": digest, "Content-Type": "text/csv; charset=utf-8"}
        return asyncio.run(self._sent(name, content, headers, until))

    async def _asked(self, name: str, until: float) -> Answer | None:
        def read(response: httpx.Response) -> Answer | None:
            if response.status_code == HTTPStatus.NOT_FOUND:
                if self._read(Unknown, response).name != name:
                    raise NoAnswer(f"{self._remote.name} answers about another file than the one it was asked about")
                return None
            return self._answer(response)

        async with httpx.AsyncClient(**self._remote.options) as client:
            return await self._remote.asked(client, _path(name), until, read)

    async def _sent(self, name: str, content: bytes, headers: dict[str, str], until: float) -> Answer:
        async with httpx.AsyncClient(**self._remote.options) as client:
            return self._answer(await self._remote.sent(client, "PUT", _path(name), content, headers, until))

    def _answer(self, response: httpx.Response) -> Answer:
        status = response.status_code
        if status not in ANSWERS:
            said = f"{self._remote.name} says {status} {response.reason_phrase}"
            surely_not = HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR and status not in UNSURE
            raise (NotTaken if surely_not and response.request.method == "PUT" else NoAnswer)(said)
        return self._read(Answer, response)

    def _read(self, what: type[Said], response: httpx.Response) -> Said:
        try:
            return what.model_validate_json(response.content)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            said = f"{self._remote.name} says {response.status_code}, and nothing that makes sense"
            raise NoAnswer(f"{said}: {first['msg']}") from error


def _path(name: str) -> str:
    return f"/files/{quote(name)}"
