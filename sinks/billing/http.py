"""Billing over HTTP.

    POST /clients                                 {"reference", "requisites"}                a client
    POST /clients/CLIENT/payers                   {"requisites"}                             its payer
    PUT  /clients/CLIENT/payers/PAYER             {"version", "requisites"}                  other requisites
    POST /contracts                               {"client", "payer"}                        a contract
    POST /contracts/CONTRACT/bills                {"number", "amount_minor", "currency", "text"}
    POST /bills/BILL/withdrawal                   {"reason"}                                 the end of a bill
    PUT  /contracts/CONTRACT/commissions/LOT      {"version", "amount_minor", "currency"}    what a deal comes to

each with `Idempotency-Key: <call id>`. What became of a key is answered at once, and again to

    GET  /results/KEY

    200, 201   {"key", "outcome": "done", "id", "url"}            url: of a bill's PDF
    202        {"key", "outcome": "at work"}
    400, 404, 409, 410, 422   {"key", "outcome": "refused", "code", "text"}, and nothing was done; 200 to GET
    404        {"key", "outcome": "unknown"}                      to GET: nothing came of this key
    429        nothing was taken

A 404 without these words is not believed: it may be of something that stands in between; nor are words that the status
contradicts. What changes a payer or ends a bill is answered with its id. Answers are not compressed, and have 16 MB at
most. Of payers' requisites and of a lot's commission Billing keeps the highest version.

No public source describes an interface: this is the shape that an adapter in front of a Billing must have.
"""

from http import HTTPStatus
from typing import Any, Final, NamedTuple, assert_never
from urllib.parse import quote

import httpx
import orjson
from pydantic import SecretStr, ValidationError

from schemas.billing import (
    ChangePayer,
    CreateClient,
    CreateContract,
    CreatePayer,
    IssueBill,
    ReportCommission,
    WithdrawBill,
)
from schemas.dealer_accounts import Requisites
from sinks.billing.answer import ANSWERS, Answer, AtWork, Done, Refused, Unknown, words
from sinks.billing.content import Wanted
from sinks.billing.ports import Nonsense, NotUnderstood
from sinks.remote import NoAnswer, NotTaken, Remote

ANSWERED: Final = frozenset({
    HTTPStatus.OK, HTTPStatus.CREATED, HTTPStatus.ACCEPTED, HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND,
    HTTPStatus.CONFLICT, HTTPStatus.GONE, HTTPStatus.UNPROCESSABLE_ENTITY,
})  # fmt: skip
"""Statuses with an answer in the body."""
UNSURE: Final = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.CONFLICT, HTTPStatus.TOO_EARLY})
"""Client errors after which something may be done all the same."""
THE_TOKEN: Final = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})
NOT_ABOUT_IT: Final = THE_TOKEN | {HTTPStatus.TOO_MANY_REQUESTS}
"""Client errors that are not about this call: the token, or the hour."""


class Request(NamedTuple):
    """A call as it goes over the wire."""

    method: str
    path: str
    body: dict[str, Any]


def request(wanted: Wanted) -> Request:
    """Pure."""
    match wanted:
        case CreateClient():
            reference = f"{wanted.dealer_id}/{wanted.account}"
            return Request("POST", "/clients", {"reference": reference, "requisites": _json(wanted.requisites)})
        case CreatePayer():
            path = _path("clients", wanted.client_id, "payers")
            return Request("POST", path, {"requisites": _json(wanted.requisites)})
        case ChangePayer():
            path = _path("clients", wanted.client_id, "payers", wanted.payer_id)
            return Request("PUT", path, {"version": wanted.version, "requisites": _json(wanted.requisites)})
        case CreateContract():
            return Request("POST", "/contracts", {"client": wanted.client_id, "payer": wanted.payer_id})
        case IssueBill():
            path = _path("contracts", wanted.contract_id, "bills")
            return Request("POST", path, {"number": wanted.bill_id, **wanted.amount.model_dump(), "text": wanted.text})
        case WithdrawBill():
            return Request("POST", _path("bills", wanted.billing_id, "withdrawal"), {"reason": wanted.reason})
        case ReportCommission():
            path = _path("contracts", wanted.contract_id, "commissions", wanted.lot_id)
            sum_ = {"amount_minor": wanted.commission_minor, "currency": wanted.currency}
            return Request("PUT", path, {"version": wanted.version, **sum_})
        case _:
            assert_never(wanted)


def _json(requisites: Requisites) -> dict[str, Any]:
    return requisites.model_dump(mode="json", exclude_none=True)


def _path(*parts: str) -> str:
    return "".join(f"/{quote(part, safe='')}" for part in parts)


class HttpBilling:
    """See `sinks.billing.ports.Billing`. Asking is retried; sending only where nothing had left."""

    def __init__(self, address: str, timeout_s: float, token: SecretStr | None = None) -> None:
        self._remote = Remote("Billing", address, timeout_s, token)
        # Each request has a connection of its own: one that was kept may be closed while it is written to, and then
        # nobody knows whether it arrived.
        self._client = httpx.AsyncClient(**self._remote.options, limits=httpx.Limits(max_keepalive_connections=0))

    async def find(self, wanted: Wanted, until: float) -> Answer | None:
        def read(response: httpx.Response) -> Answer | None:
            answer = self._answer(response, wanted)
            return None if isinstance(answer, Unknown) else answer

        return await self._remote.asked(self._client, _path("results", wanted.call_id), until, read)

    async def send(self, wanted: Wanted, until: float) -> Answer:
        method, path, body = request(wanted)
        headers = {"Idempotency-Key": wanted.call_id, "Content-Type": "application/json"}
        response = await self._remote.sent(self._client, method, path, orjson.dumps(body), headers, until)
        answer = self._answer(response, wanted)
        if isinstance(answer, Unknown):
            raise Nonsense(f"{self._remote.name} knows nothing of a call that it was just sent")
        return answer

    async def close(self) -> None:
        await self._client.aclose()

    def _answer(self, response: httpx.Response, wanted: Wanted) -> Answer | Unknown:
        status = response.status_code
        said = words(f"{self._remote.name} says {status} {response.reason_phrase}", wanted)
        if status in THE_TOKEN:
            said += ": is MILLRACE_BILLING_TOKEN the right one?"
        problem = f"{said}, and nothing that makes sense"
        if status in ANSWERED:
            try:
                answer = ANSWERS.validate_json(response.content)
            except ValidationError as error:
                first = error.errors(include_url=False, include_input=False)[0]
                problem = f"{said}, which makes no sense: {first['type']}"
            else:
                if not _fits(answer, status, response.request.method):
                    raise Nonsense(f"{said}, and {answer.outcome}")
                return self._of_this_call(answer, wanted)
        if response.request.method != "GET" and status not in UNSURE:
            if status in NOT_ABOUT_IT:
                raise NotTaken(said)
            if HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR:
                raise NotUnderstood(problem)
        raise NoAnswer(said) if _is_away(status) else Nonsense(problem)

    def _of_this_call(self, answer: Answer | Unknown, wanted: Wanted) -> Answer | Unknown:
        if answer.key != wanted.call_id:
            raise Nonsense(f"{self._remote.name} answers another call than the one it was asked about")
        if isinstance(answer, Done):
            if isinstance(wanted, IssueBill) and not (answer.url or "").startswith(("http://", "https://")):
                raise Nonsense(f"{self._remote.name} has issued the bill, and does not say where its PDF is")
            if answer.id != _named(wanted, answer.id):
                raise Nonsense(f"{self._remote.name} has changed something else than it was asked to")
        return answer


def _fits(answer: Answer | Unknown, status: int, method: str) -> bool:
    """Whether the status says the same: who says two things may have done either."""
    is_success = status < HTTPStatus.BAD_REQUEST
    match answer:
        case Done() | AtWork():
            return is_success
        case Refused():
            return not is_success or method == "GET"
        case Unknown():
            return status == HTTPStatus.NOT_FOUND
        case _:
            assert_never(answer)


def _named(wanted: Wanted, otherwise: str) -> str:
    """The id of what a call changes; where it makes something, `otherwise`."""
    match wanted:
        case ChangePayer():
            return wanted.payer_id
        case WithdrawBill():
            return wanted.billing_id
        case _:
            return otherwise


def _is_away(status: int) -> bool:
    """Rather than there, and making no sense."""
    return status >= HTTPStatus.INTERNAL_SERVER_ERROR or status in UNSURE or status in NOT_ABOUT_IT
