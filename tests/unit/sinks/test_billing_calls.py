"""What a call is on the wire and at rest, and what is told of an answer (DLR-01, DLR-03, DLR-05)."""

from typing import Any

import httpx
import pytest
from msgspec.structs import replace
from pydantic import ValidationError

from schemas.billing import BillingDone, BillingRefused, ReportCommission
from schemas.topics import BILLING_ANSWERS, BILLING_CALLS
from sinks.billing import outbox
from sinks.billing.answer import ANSWERS, AtWork, Done, Refused, Unknown, event_id, fit_to_tell
from sinks.billing.content import KINDS, Wanted, content, digest, wanted
from sinks.billing.http import HttpBilling, request
from sinks.billing.ports import Nonsense, NotUnderstood
from sinks.billing.tables import ToPublish
from sinks.remote import NoAnswer, NotTaken
from tests.unit.sinks.calls import CALLS, REQUISITES, commission, create_client, issue_bill

pytestmark = pytest.mark.requirement("DLR-01", "DLR-05")


@pytest.mark.parametrize("call", CALLS, ids=lambda call: type(call).__name__)
def test_a_call_is_the_same_after_it_was_kept(call: Wanted) -> None:
    assert wanted(type(call).__name__, content(call)) == call


def test_every_call_of_the_topic_can_be_carried_out() -> None:
    assert set(KINDS.values()) == set(BILLING_CALLS.messages)
    assert {type(call) for call in CALLS} == set(KINDS.values())
    assert len({request(call)[:2] for call in CALLS}) == len(CALLS)


def test_two_calls_that_want_different_things_have_different_digests() -> None:
    one = create_client()
    richer = one.requisites.model_copy(update={"phone": "+7 495 000-00-00"})
    assert len({digest(each) for each in (one, replace(one, requisites=richer), *CALLS)}) == len(CALLS) + 1
    assert digest(create_client()) == digest(one)


@pytest.mark.requirement("DLR-03")
def test_requests_are_those_of_the_interface() -> None:
    said = {type(call).__name__: request(call) for call in CALLS}
    requisites = REQUISITES.model_dump(exclude_none=True)

    assert said == {
        "CreateClient": ("POST", "/clients", {"reference": "d-1/COMMISSION", "requisites": requisites}),
        "CreatePayer": ("POST", "/clients/c%2F1/payers", {"requisites": requisites}),
        "CreateContract": ("POST", "/contracts", {"client": "c/1", "payer": "p 2"}),
        "ChangePayer": ("PUT", "/clients/c%2F1/payers/p%202", {"version": 7, "requisites": requisites}),
        "IssueBill": (
            "POST", "/contracts/k-3/bills",
            {"number": "bill-1", "amount_minor": 125_000, "currency": "RUB", "text": "June"},
        ),
        "WithdrawBill": ("POST", "/bills/b-4/withdrawal", {"reason": "the winner has changed"}),
        "ReportCommission": (
            "PUT", "/contracts/k-3/commissions/lot-1", {"version": 2, "amount_minor": 0, "currency": "RUB"},
        ),
    }  # fmt: skip


# ---- answers


KEY = create_client().call_id
DONE = {"key": KEY, "outcome": "done", "id": "c-1"}
REFUSED = {"key": KEY, "outcome": "refused", "code": "bad_payer", "text": "no\nsuch payer"}


def heard(status: int, answer: Any, method: str = "POST", call: Wanted | None = None) -> Any:
    response = httpx.Response(status, json=answer, request=httpx.Request(method, "http://127.0.0.1:9/"))
    return HttpBilling("http://127.0.0.1:9", 1.0)._answer(response, call or create_client())


def test_answers_are_taken_at_their_word() -> None:
    assert heard(201, DONE) == Done(key=KEY, outcome="done", id="c-1")
    assert heard(422, REFUSED) == Refused(key=KEY, outcome="refused", code="bad_payer", text="no\nsuch payer")
    assert heard(202, {"key": KEY, "outcome": "at work"}) == AtWork(key=KEY, outcome="at work")
    assert heard(404, {"key": KEY, "outcome": "unknown"}, "GET") == Unknown(key=KEY, outcome="unknown")


@pytest.mark.parametrize(
    ("status", "answer", "error"),
    [
        (429, {}, NotTaken),
        (403, {}, NotTaken),
        (400, {}, NotUnderstood),
        (404, {"error": "no such page"}, NotUnderstood),
        (413, DONE, NotUnderstood),
        (408, {}, NoAnswer),
        (409, {}, NoAnswer),
        (503, REFUSED, NoAnswer),
        (200, {}, Nonsense),
        (200, {**DONE, "key": "another/call"}, Nonsense),
        (200, {**DONE, "id": "x" * 241}, Nonsense),
        (200, {**DONE, "id": "two\nlines"}, Nonsense),
        (302, DONE, Nonsense),
    ],
)
def test_what_may_have_been_taken_is_told_apart_from_what_was_not(
    status: int, answer: Any, error: type[Exception]
) -> None:
    with pytest.raises(error) as raised:
        heard(status, answer)
    assert type(raised.value) is error


@pytest.mark.parametrize("status", [400, 401, 403, 404, 408, 409, 429, 500])
def test_to_a_question_nothing_but_billings_own_word_says_that_nothing_is_there(status: int) -> None:
    with pytest.raises(NoAnswer):
        heard(status, {}, "GET")


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize(("method", "error"), [("GET", NoAnswer), ("POST", NotTaken)])
def test_who_is_turned_away_for_the_token_is_told_which_setting_it_is(
    status: int, method: str, error: type[Exception]
) -> None:
    with pytest.raises(error, match=f"says {status} .*: is MILLRACE_BILLING_TOKEN the right one?"):
        heard(status, {}, method)


def test_a_bill_without_its_pdf_is_no_answer_yet() -> None:
    answer = {"key": issue_bill().call_id, "outcome": "done", "id": "b-1"}
    with pytest.raises(Nonsense, match="where its PDF is"):
        heard(201, answer, call=issue_bill())
    assert heard(201, {**answer, "url": "http://b/1.pdf"}, call=issue_bill()).url == "http://b/1.pdf"


def test_requisites_that_a_refusal_repeats_are_taken_out_of_it() -> None:
    said = f"{REQUISITES.legal_name}: account {REQUISITES.bank_account} at {REQUISITES.bank_code} is closed"
    refused = Refused(key=KEY, outcome="refused", code=f"closed-{REQUISITES.bank_account}", text=said)

    told = fit_to_tell(refused, create_client())

    assert (told.code, told.text) == (
        "closed-<requisites>", "<requisites>: account <requisites> at <requisites> is closed",
    )  # fmt: skip
    assert fit_to_tell(refused, issue_bill()) == refused


def test_a_refusal_is_told_in_one_line_and_cut_after_requisites_are_out_of_it() -> None:
    said = f"{'x' * 230} {REQUISITES.bank_account}\nis closed"
    told = fit_to_tell(Refused(key=KEY, outcome="refused", code="", text=said), create_client())
    assert (told.code, told.text) == ("no reason given", f"{'x' * 230} <requisit")


def test_an_answer_is_an_event_of_its_call_and_the_same_row_is_the_same_event() -> None:
    call = commission()
    assert isinstance(call, ReportCommission)
    row = ToPublish(
        call.call_id, "d-1", "COMMISSION", "r-1", None, None, None, None, "lot-1", "story", "cause", 1_782_900_000_000
    )  # fmt: skip

    event = outbox.event(row, BILLING_ANSWERS)

    assert event == outbox.event(row, BILLING_ANSWERS)
    assert event.message == BillingDone(
        call_id=call.call_id, dealer_id="d-1", account=call.account, billing_id="r-1", lot_id="lot-1"
    )
    assert (event.envelope.id, event.envelope.subject) == (event_id(call.call_id), "dealer:d-1")
    assert (event.envelope.correlation_id, event.envelope.causation_id) == ("story", "cause")
    refused = row._replace(billing_id=None, code="no", words="never")
    assert outbox.event(refused, BILLING_ANSWERS).message == BillingRefused(
        call_id=call.call_id, dealer_id="d-1", account=call.account, code="no", text="never", lot_id="lot-1"
    )


def test_an_answer_that_is_neither_is_none() -> None:
    with pytest.raises(ValidationError):
        ANSWERS.validate_python({"key": KEY, "outcome": "perhaps"})
