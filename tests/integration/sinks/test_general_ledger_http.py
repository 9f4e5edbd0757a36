"""The adapter, against a real HTTP server: which answers are certain, which are not, what is asked again (PRI-11)."""

import time
from collections.abc import Iterator
from hashlib import sha256

import pytest
from pydantic import SecretStr

from sinks.general_ledger.answer import Outcome
from sinks.general_ledger.http import HttpGeneralLedger
from sinks.remote import ATTEMPTS, MOST_BYTES, NoAnswer, NotTaken
from tests.integration.sinks import general_ledger
from tests.integration.sinks.general_ledger import GeneralLedger, Mood

pytestmark = pytest.mark.requirement("PRI-11")

NAME = "adi/2026-07-03/a file & more.csv"
CONTENT = b"Entity,Transaction,Line\r\n0210,t-1,l-1\r\nTOTAL,,1\r\n"
DIGEST = sha256(CONTENT).hexdigest()
PATIENCE_S = 10.0
"""So long that only an answer ends a call, on a busy machine too."""


@pytest.fixture
def ledger() -> Iterator[GeneralLedger]:
    with general_ledger.serving() as served:
        yield served


def soon() -> float:
    return time.monotonic() + PATIENCE_S


def adapter(ledger: GeneralLedger, token: str | None = None) -> HttpGeneralLedger:
    return HttpGeneralLedger(ledger.address, PATIENCE_S, None if token is None else SecretStr(token))


def test_a_file_is_sent_whole_under_its_name_and_key_and_found_again(ledger: GeneralLedger) -> None:
    http = adapter(ledger, "secret")
    assert http.find(NAME, soon()) is None
    sent = http.upload(NAME, CONTENT, DIGEST, soon())
    found = http.find(NAME, soon())

    assert sent == found
    assert (sent.outcome, sent.digest, sent.reference) == (Outcome.ACCEPTED, DIGEST, "JE-1")
    assert ledger.headers["Idempotency-Key"] == DIGEST
    assert ledger.headers["Authorization"] == "Bearer secret"
    assert ledger.asked == [("GET", NAME), ("PUT", NAME), ("GET", NAME)]


@pytest.mark.parametrize("mood", [Mood.HANGS_UP, Mood.BUSY, Mood.TALKS_NONSENSE, Mood.TAKES_AND_SAYS_NOTHING])
def test_what_may_have_been_taken_is_not_known_and_not_sent_again(ledger: GeneralLedger, mood: Mood) -> None:
    ledger.moods.append(mood)
    with pytest.raises(NoAnswer):
        adapter(ledger).upload(NAME, CONTENT, DIGEST, soon())
    assert ledger.uploads == [NAME]


def test_what_was_refused_before_it_was_read_was_not_taken(ledger: GeneralLedger) -> None:
    ledger.moods.append(Mood.FORBIDS)
    with pytest.raises(NotTaken, match="says 403 Forbidden"):
        adapter(ledger).upload(NAME, CONTENT, DIGEST, soon())
    assert ledger.uploads == [NAME]


def test_a_server_that_is_away_has_taken_nothing_and_its_secret_is_not_told() -> None:
    http = HttpGeneralLedger("http://127.0.0.1:9", 1.0, SecretStr("secret"))
    with pytest.raises(NotTaken, match=r"http://127\.0\.0\.1:9 cannot be reached") as sending:
        http.upload(NAME, CONTENT, DIGEST, soon())
    with pytest.raises(NoAnswer):
        http.find(NAME, soon())
    assert "secret" not in str(sending.value)


def test_asking_is_tried_again_a_few_times(ledger: GeneralLedger) -> None:
    ledger.says_first.extend([(503, {})] * (ATTEMPTS - 1))
    assert adapter(ledger).find(NAME, soon()) is None
    assert ledger.asked == [("GET", NAME)] * ATTEMPTS


@pytest.mark.parametrize(
    "said", [{}, {"error": "no such page"}, {"name": "adi/another", "outcome": "unknown"}, {"name": NAME}]
)
def test_that_a_file_is_not_there_is_believed_only_of_the_general_ledger_itself(
    ledger: GeneralLedger, said: dict[str, str]
) -> None:
    ledger.says_first.extend([(404, said)] * ATTEMPTS)
    with pytest.raises(NoAnswer, match="general ledger at http"):
        adapter(ledger).find(NAME, soon())


def test_an_answer_without_an_end_is_none(ledger: GeneralLedger) -> None:
    ledger.says_first.extend([(200, {"reason": "x" * MOST_BYTES})] * ATTEMPTS)
    with pytest.raises(NoAnswer, match="more than 16,000,000 bytes"):
        adapter(ledger).find(NAME, soon())
