"""Answers of a Billing that is out of its mind: they take no memory, make nothing twice, tell no secret (DLR-01)."""

import asyncio
import gzip
import json
import time
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from sinks.billing.answer import Answer, Done, Refused, fit_to_tell
from sinks.billing.content import Wanted
from sinks.billing.http import HttpBilling
from sinks.billing.ports import Nonsense
from sinks.remote import MOST_BYTES, NoAnswer
from tests.unit.sinks.calls import CALLS, REQUISITES, create_client, issue_bill

pytestmark = pytest.mark.requirement("DLR-01", "DLR-05")

WAIT_S = 5.0
BY_KIND = {type(call).__name__: call for call in CALLS}
REFUSAL = {"outcome": "refused", "code": "bad_payer", "text": "no such payer"}


def heard(response: httpx.Response | Exception, call: Wanted | None = None) -> Answer:
    """What is made of an answer to a call."""

    def answered(_: httpx.Request) -> httpx.Response:
        if isinstance(response, Exception):
            raise response
        return response

    async def asked() -> Answer:
        billing = HttpBilling("http://127.0.0.1:9", WAIT_S)
        billing._client = httpx.AsyncClient(base_url="http://127.0.0.1:9", transport=httpx.MockTransport(answered))
        try:
            return await billing.send(call or create_client(), time.monotonic() + WAIT_S)
        finally:
            await billing.close()

    return asyncio.run(asked())


def said(status: int, call: Wanted | None = None, **fields: Any) -> httpx.Response:
    answer = {"key": (call or create_client()).call_id, **fields}
    return httpx.Response(status, stream=httpx.ByteStream(json.dumps(answer).encode()))


# ---- how much


class Endless(httpx.AsyncByteStream):
    """An answer whose bytes come as fast as they are taken."""

    def __init__(self) -> None:
        self.given = 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while True:
            self.given += 100_000
            yield b" " * 100_000


def test_an_answer_without_an_end_is_cut_off_before_it_takes_the_memory() -> None:
    endless = Endless()
    with pytest.raises(NoAnswer, match="more than 16,000,000 bytes"):
        heard(httpx.Response(200, stream=endless))
    assert endless.given <= MOST_BYTES + 100_000


def test_an_answer_is_asked_for_as_it_is_and_one_that_is_compressed_is_not_unpacked_to_any_size() -> None:
    bomb = gzip.compress(b" " * 10_000_000 + json.dumps({"key": create_client().call_id}).encode())
    packed = httpx.Response(200, stream=httpx.ByteStream(bomb), headers={"Content-Encoding": "gzip"})
    with pytest.raises(NoAnswer, match="compresses its answer"):
        heard(packed)


# ---- what contradicts itself


@pytest.mark.parametrize(
    ("status", "fields"),
    [
        (201, REFUSAL),
        (200, REFUSAL),
        (202, REFUSAL),
        (422, {"outcome": "done", "id": "c-1"}),
        (404, {"outcome": "done", "id": "c-1"}),
        (409, {"outcome": "at work"}),
        (200, {"outcome": "unknown"}),
    ],
)
def test_a_status_and_words_that_contradict_each_other_leave_a_doubt_and_billing_is_asked(
    status: int, fields: dict[str, Any]
) -> None:
    """Were 201 with a refusal believed, the next version of the requisites would make a second client."""
    with pytest.raises(Nonsense) as raised:
        heard(said(status, **fields))
    assert type(raised.value) is Nonsense, "it may have been taken"


@pytest.mark.parametrize("kind", ["ChangePayer", "WithdrawBill"])
def test_who_changes_another_thing_than_the_one_that_was_named_has_not_done_what_was_asked(kind: str) -> None:
    call = BY_KIND[kind]
    right = {"ChangePayer": "p 2", "WithdrawBill": "b-4"}[kind]
    assert isinstance(heard(said(200, call, outcome="done", id=right), call), Done)
    with pytest.raises(Nonsense, match="something else"):
        heard(said(200, call, outcome="done", id="another"), call)


@pytest.mark.parametrize("id_", ["", " ", ".", "..", "\u00a0", "a\u0000b", 7, None, {}, "x" * 241])
def test_an_id_that_names_nothing_or_leads_elsewhere_in_an_address_is_none(id_: Any) -> None:
    """A client `..` would have its payers made at `/payers`."""
    with pytest.raises(Nonsense):
        heard(said(201, outcome="done", id=id_))


@pytest.mark.parametrize("url", [None, "", " ", "javascript:alert(1)", "/pdf/1", "ftp://b/1.pdf"])
def test_a_bill_whose_pdf_has_no_address_for_a_browser_is_not_told(url: str | None) -> None:
    with pytest.raises(Nonsense):
        heard(said(201, issue_bill(), outcome="done", id="b-1", url=url), issue_bill())


# ---- personal data


def test_requisites_are_taken_out_of_a_refusal_however_they_are_spelled() -> None:
    text = f"{REQUISITES.legal_name.upper()} ({str(REQUISITES.email).title()}) is unknown"
    told = fit_to_tell(Refused(key="k", outcome="refused", code="no", text=text), create_client())
    assert told.text == "<requisites> (<requisites>) is unknown"


def test_a_problem_on_the_way_does_not_repeat_what_the_server_echoes() -> None:
    echo = json.dumps(REQUISITES.model_dump()).encode()
    broken = httpx.RemoteProtocolError(f"illegal status line: {bytearray(echo)!r}")
    with pytest.raises(NoAnswer) as raised:
        heard(broken)
    assert str(raised.value) == "Billing at http://127.0.0.1:9 does not answer (illegal status line)"

    reason = f"bad {REQUISITES.bank_account} ".encode() + b"x" * 5_000
    with pytest.raises(NoAnswer) as raised:
        heard(httpx.Response(500, stream=httpx.ByteStream(b""), extensions={"reason_phrase": reason}))
    assert "bad <requisites> xxx" in str(raised.value)
    assert len(str(raised.value)) <= 240
