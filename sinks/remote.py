"""A server of somebody else's, over HTTP: what may have been taken there, and what surely was not (ADR 6)."""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from typing import Annotated, Any, Final, TypeVar

import httpx
from pydantic import BeforeValidator, SecretStr
from tenacity import (
    AsyncRetrying,
    retry_if_exception_type,
    stop_after_attempt,
    stop_before_delay,
    wait_exponential_jitter,
)

ATTEMPTS: Final = 3
"""To connect, or to ask, within one `sent` or `asked`. What failed is tried again by the worker, later."""
LONGEST_PAUSE_S: Final = 5.0
"""Between two attempts."""

PLAIN: Final = {"Accept-Encoding": "identity"}
PATIENCE: Final = 2
"""How many timeouts must pass before "nothing is there" is believed, once no bytes can leave any more."""

_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]+")
LONGEST_WORDS: Final = 240
MOST_BYTES: Final = 16_000_000
"""Of an answer: more than a day's lines with a reason each; without a bound an answer could take all our memory."""

Said = TypeVar("Said")


class NotTaken(Exception):
    """Nothing was taken, for certain: no connection, or a refusal before it was looked at."""


class NoAnswer(Exception):
    """Whether it was taken is not known: no answer, a lost one, or one that makes no sense."""


class _NotConnected(NotTaken):
    """Not a byte has left."""


def one_line(text: str) -> str:
    """Another system's words, as our messages and tables take them."""
    return (_CONTROL.sub(" ", text).strip() or "no reason given")[:LONGEST_WORDS]


Words = Annotated[str, BeforeValidator(lambda text: one_line(text) if isinstance(text, str) else text)]


def is_over(sent_s_ago: float | None, timeout_s: float) -> bool:
    """Whether what was sent so long ago is there by now, or never comes. `timeout_s` is the longest wait of a whole
    call, which began when the row was stamped; None: nothing was ever sent."""
    return sent_s_ago is None or sent_s_ago > (1 + PATIENCE) * timeout_s


class Remote:
    """One address. `name` is how people are told of it."""

    def __init__(self, name: str, address: str, timeout_s: float, token: SecretStr | None) -> None:
        self.name, self.timeout_s = f"{name} at {address}", timeout_s
        secret = "" if token is None else token.get_secret_value()
        headers = {"Authorization": f"Bearer {secret}"} if secret else {}
        self.options: dict[str, Any] = {"base_url": address, "headers": headers}
        self._connect_s = timeout_s / (ATTEMPTS + 1)

    async def sent(
        self, client: httpx.AsyncClient, method: str, path: str, content: bytes, headers: dict[str, str], until: float
    ) -> httpx.Response:
        """Send once; connecting is tried again. No byte leaves after `until` of `time.monotonic`.

        A task can be ended at a moment; a socket's timeout is one of each step, and looking up a host has none.
        Raises `NotTaken`, `NoAnswer`.
        """
        timeout = httpx.Timeout(self.timeout_s, connect=self._connect_s)
        async with self._before(until):
            async for attempt in self._attempts(_NotConnected, until):
                with attempt, self.asking(unsent=_NotConnected):
                    return await self._answer(
                        client.stream(method, path, content=content, headers=PLAIN | headers, timeout=timeout)
                    )
        raise AssertionError("tenacity ends with an answer or an error")

    async def asked(
        self, client: httpx.AsyncClient, path: str, until: float, read: Callable[[httpx.Response], Said]
    ) -> Said:
        """What it says when it is asked; asking is tried again, also where `read` raises `NoAnswer`."""
        async with self._before(until):
            async for attempt in self._attempts(NoAnswer, until):
                with attempt:
                    with self.asking(unsent=NoAnswer):
                        response = await self._answer(client.stream("GET", path, headers=PLAIN, timeout=self.timeout_s))
                    return read(response)
        raise AssertionError("tenacity ends with an answer or an error")

    async def _answer(self, answering: AbstractAsyncContextManager[httpx.Response]) -> httpx.Response:
        """The whole of it, as it came over the wire. What is compressed all the same may be of any size: no answer."""
        async with answering as response:
            if response.headers.get("Content-Encoding", "identity") != "identity":
                raise NoAnswer(f"{self.name} compresses its answer, which it was not asked to")
            said = bytearray()
            async for part in response.aiter_raw():
                said += part
                if len(said) > MOST_BYTES:
                    raise NoAnswer(f"{self.name} answers with more than {MOST_BYTES:,} bytes")
        words = {"reason_phrase": response.extensions.get("reason_phrase", b"")}
        return httpx.Response(response.status_code, content=bytes(said), request=response.request, extensions=words)

    def _attempts(self, transient: type[Exception], until: float) -> AsyncRetrying:
        """No attempt begins that could not even connect by then."""
        return AsyncRetrying(
            stop=stop_after_attempt(ATTEMPTS) | stop_before_delay(until - time.monotonic() - self._connect_s),
            wait=wait_exponential_jitter(multiplier=0.2, max=LONGEST_PAUSE_S),
            retry=retry_if_exception_type(transient),
            reraise=True,
        )

    @asynccontextmanager
    async def _before(self, until: float) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout_at(until):
                yield
        except TimeoutError as error:
            raise NoAnswer(f"{self.name} has not answered in time") from error

    @contextmanager
    def asking(self, unsent: type[Exception]) -> Iterator[None]:
        """Raise what the HTTP library raises in our words: `unsent` where no byte has left, else `NoAnswer`."""
        try:
            yield
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise unsent(f"{self.name} cannot be reached ({_said(error)})") from error
        except httpx.HTTPError as error:
            raise NoAnswer(f"{self.name} does not answer ({_said(error)})") from error


def _said(error: Exception) -> str:
    """Without the server's bytes, which the HTTP library quotes: a broken server may repeat what it was sent."""
    return str(error).partition(": bytearray")[0] or type(error).__name__
