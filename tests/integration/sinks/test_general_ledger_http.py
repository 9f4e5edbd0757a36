"""The adapter, against a real HTTP server: which answers are certain, which are not, what is asked again (PRI-11)."""

import time
from collections.abc import Iterator
from hashlib import sha256

import pytest
from pydantic import SecretStr

from sinks.general_ledger.answer import Outcome
from sinks.general_ledger.http import HttpGeneralLedger
from sinks.remote import ATTEMPTS, NoAnswer, NotTaken
from tests.integration.sinks import general_ledger
from tests.integration.sinks.general_ledger import GeneralLedger, Mood

pytestmark = pytest.mark.requirement("PRI-11")

NAME = "adi/2026-07-03/a file & more.csv"
CONTENT = b"Entity,Transaction,Line\r\n0210,t-1,l-1\r\nTOTAL,,1\r\n"
DIGEST = sha256(CONTENT).hexdigest()


@pytest.fixture
def ledger() -> Iterator[GeneralLedger]:
    with general_ledger.serving() as served:
        yield served


def soon() -> float:
    return time.monotonic() + 1.0


def adapter(ledger: GeneralLedger, token: str | None = None) -> HttpGeneralLedger:
    return HttpGeneralLedger(ledger.address, 1.0, None if token is None else SecretStr(token))


def test_a_file_is_sent_whole_under_its_name_and_key_and_found_again(ledger: GeneralLedger) -> None:
    with adapter(ledger, "secret") as http:
        assert http.find(NAME) is None
        sent = http.upload(NAME, CONTENT, DIGEST, soon())
        found = http.find(NAME)

    assert sent == found
    assert (sent.outcome, sent.digest, sent.reference) == (Outcome.ACCEPTED, DIGEST, "JE-1")
    assert ledger.headers["Idempotency-Key"] == DIGEST
    assert ledger.headers["Authorization"] == "Bearer secret"
    assert ledger.asked == [("GET", NAME), ("PUT", NAME), ("GET", NAME)]


@pytest.mark.parametrize("mood", [Mood.HANGS_UP, Mood.BUSY, Mood.TALKS_NONSENSE, Mood.TAKES_AND_SAYS_NOTHING])
def test_what_may_have_been_taken_is_not_known_and_not_sent_again(ledger: GeneralLedger, mood: Mood) -> None:
    ledger.moods.append(mood)
    with adapter(ledger) as http, pytest.raises(NoAnswer):
        http.upload(NAME, CONTENT, DIGEST, soon())
    assert ledger.uploads == [NAME]


def test_what_was_refused_before_it_was_read_was_not_taken(ledger: GeneralLedger) -> None:
    ledger.moods.append(Mood.FORBIDS)
    with adapter(ledger) as http, pytest.raises(NotTaken, match="says 403 Forbidden"):
        http.upload(NAME, CONTENT, DIGEST, soon())
    assert ledger.uploads == [NAME]


def test_a_server_that_is_away_has_taken_nothing_and_its_secret_is_not_told() -> None:
    with HttpGeneralLedger("http://127.0.0.1:9", 1.0, SecretStr("secret")) as http:
        with pytest.raises(NotTaken, match=r"http://127\.0\.0\.1:9 cannot be reached") as sending:
            http.upload(NAME, CONTENT, DIGEST, soon())
        with pytest.raises(NoAnswer):
            http.find(NAME)
    assert "secret" not in str(sending.value)


def test_asking_is_tried_again_a_few_times(ledger: GeneralLedger) -> None:
    ledger.busy_finds = ATTEMPTS - 1
    with adapter(ledger) as http:
        assert http.find(NAME) is None
    assert ledger.asked == [("GET", NAME)] * ATTEMPTS
