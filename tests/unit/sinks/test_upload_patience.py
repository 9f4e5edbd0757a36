"""A doubt ends when twice the longest wait has passed since the last bytes can have left (PRI-11, ADR 6).

The row is stamped before the call that sends. So the call as a whole must be over within the longest wait, wherever it
spends its time: looking up the host, connecting, sending, waiting for each byte.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable

import httpx
import pytest

from sinks import remote
from sinks.general_ledger.answer import Answer
from sinks.general_ledger.http import HttpGeneralLedger
from sinks.general_ledger.upload import State, Upload, may_be_sent
from sinks.remote import ATTEMPTS, PATIENCE, NoAnswer, NotTaken

pytestmark = pytest.mark.requirement("PRI-11")

WAIT_S = 2.0
LATE_S = 1.0
"""How much a busy machine may take longer."""
Handler = Callable[[httpx.Request], Awaitable[httpx.Response]]


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Between attempts to connect."""
    monkeypatch.setattr(remote, "LONGEST_PAUSE_S", 0.1)


class Network:
    """Where the general ledger should be. The first `lost` attempts to connect are; then `reached` has the request."""

    def __init__(self, reached: Handler, lost: int = 0) -> None:
        self.reached, self.lost = reached, lost
        self.left_at: list[float] = []

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        if self.lost:
            self.lost -= 1
            await asyncio.sleep(request.extensions["timeout"]["connect"])
            raise httpx.ConnectTimeout("no SYN-ACK", request=request)
        self.left_at.append(time.monotonic())
        return await self.reached(request)


class Trickle(httpx.AsyncByteStream):
    """An answer that never ends, though no byte of it is late."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while True:
            yield b" "
            await asyncio.sleep(WAIT_S / 20)


async def silent(_: httpx.Request) -> httpx.Response:
    await asyncio.sleep(10 * WAIT_S)
    raise AssertionError("nobody waits so long")


async def trickling(_: httpx.Request) -> httpx.Response:
    return httpx.Response(201, stream=Trickle())


def upload(network: Network, until: float) -> Answer:
    ledger = HttpGeneralLedger("http://127.0.0.1:9", WAIT_S)
    ledger._remote.options["transport"] = httpx.MockTransport(network)
    return ledger.upload("adi/a.csv", b"1", "d", until)


@pytest.mark.parametrize(("lost", "reached"), [(0, trickling), (1, silent)])
def test_the_call_is_over_within_the_longest_wait_wherever_it_spends_it(lost: int, reached: Handler) -> None:
    network, stamped_at = Network(reached, lost), time.monotonic()

    with pytest.raises(NoAnswer):
        upload(network, stamped_at + WAIT_S)

    assert time.monotonic() - stamped_at < WAIT_S + LATE_S
    assert len(network.left_at) == 1


def test_bytes_that_have_not_left_by_then_never_do() -> None:
    network = Network(silent, lost=1)
    with pytest.raises(NoAnswer):
        upload(network, time.monotonic() + WAIT_S / 10)
    assert network.left_at == []


def test_a_server_that_lets_nobody_connect_has_taken_nothing() -> None:
    network = Network(silent, lost=ATTEMPTS)
    with pytest.raises(NotTaken):
        upload(network, time.monotonic() + 4 * WAIT_S)
    assert network.left_at == []


def test_nothing_is_believed_until_the_last_bytes_have_had_twice_the_longest_wait() -> None:
    latest_s = WAIT_S + PATIENCE * WAIT_S
    assert not may_be_sent(in_doubt(latest_s), WAIT_S)
    assert may_be_sent(in_doubt(latest_s + 0.001), WAIT_S)


def in_doubt(sent_s_ago: float) -> Upload:
    return Upload("adi/a.csv", "adi/a.xlsx", "LEI", 1, State.IN_DOUBT, 1, 1, sent_s_ago, "d")
