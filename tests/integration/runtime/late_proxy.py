"""A proxy before one broker that can keep back one request and let it go later, as a slow network would.

It knows of Kafka's protocol that a frame is a length and a body, and that a request's body begins with its kind.
"""

import asyncio
import struct
import threading
from collections.abc import Callable
from enum import IntEnum

HOST = "127.0.0.1"
LENGTH = struct.Struct(">i")
KIND = struct.Struct(">h")
SETTLE_S = 0.5
"""Time for requests of the same transaction, on other connections, to reach the broker."""
ANSWER_S = 5.0


class Request(IntEnum):
    """Kinds of requests, by Kafka's numbers."""

    PRODUCE = 0
    ADD_OFFSETS_TO_TXN = 25
    END_TXN = 26
    TXN_OFFSET_COMMIT = 28


class LateProxy:
    """Forwards `port` to `upstream`. Its loop runs in a thread of its own; `close` ends it.

    `keep(kind)`: the next request of this kind is kept back, and its client's connection is broken, so that the client
    sends it again. `ambush(kind, then)`: when the next request of this kind comes, the kept one is let go first; then
    `then` is called, and the request is forwarded or, with `drop`, not.
    """

    def __init__(self, port: int, upstream: int) -> None:
        self._port, self._upstream = port, upstream
        self._keep: Request | None = None
        self._ambush: Request | None = None
        self._drop = False
        self._then: Callable[[], None] = lambda: None
        self._kept: tuple[bytes, asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self.kept, self.let_go = threading.Event(), threading.Event()
        self._loop = asyncio.new_event_loop()
        self._started = threading.Event()
        self._thread = threading.Thread(target=self._run, name="late-proxy", daemon=True)
        self._thread.start()
        assert self._started.wait(5.0)

    def keep(self, kind: Request) -> None:
        """Keep back the next request of this kind."""
        self._keep = kind

    def ambush(self, kind: Request, then: Callable[[], None], *, drop: bool) -> None:
        """Let the kept one go when the next request of this kind comes."""
        self._then, self._drop, self._ambush = then, drop, kind

    def release(self) -> None:
        """Let the kept one go now, and wait for the broker's answer."""
        asyncio.run_coroutine_threadsafe(self._release(), self._loop).result(2 * ANSWER_S)

    def close(self) -> None:
        """Stop listening and end all connections."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5.0)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(asyncio.start_server(self._serve, HOST, self._port))
        self._started.set()
        self._loop.run_forever()
        server.close()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, here = await asyncio.open_connection(HOST, self._upstream)
        back = asyncio.create_task(_copy(there, writer))
        try:
            while True:
                frame = await _frame(reader)
                kind = KIND.unpack_from(frame, LENGTH.size)[0]
                if kind == self._keep:
                    self._keep = None
                    back.cancel()
                    self._kept = frame, there, here
                    self.kept.set()
                    return
                if kind == self._ambush:
                    self._ambush = None
                    asyncio.create_task(self._spring(frame, here))  # noqa: RUF006  others pass meanwhile
                else:
                    here.write(frame)
        except (asyncio.IncompleteReadError, ConnectionError):
            here.close()
        finally:
            writer.close()

    async def _spring(self, frame: bytes, here: asyncio.StreamWriter) -> None:
        await asyncio.sleep(SETTLE_S)
        await self._release()
        if not self._drop:
            here.write(frame)
            await asyncio.sleep(SETTLE_S)
        self._then()
        self.let_go.set()

    async def _release(self) -> None:
        assert self._kept is not None, "nothing was kept back"
        frame, there, here = self._kept
        here.write(frame)
        await asyncio.wait_for(_frame(there), ANSWER_S)


async def _frame(reader: asyncio.StreamReader) -> bytes:
    length = await reader.readexactly(LENGTH.size)
    return length + await reader.readexactly(LENGTH.unpack(length)[0])


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(1 << 16):
            writer.write(data)
    except ConnectionError:
        pass
    writer.close()
