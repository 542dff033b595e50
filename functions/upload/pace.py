"""How a body is read: not for ever, and to a bounded rest when it is refused."""

from collections.abc import AsyncIterator
from typing import Any

import anyio
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from functions.upload.body import next_chunk
from functions.upload.refusals import Code, Refusal


async def paced(
    chunks: AsyncIterator[bytes], *, stall_s: float, transfer_s: float
) -> AsyncIterator[bytes]:
    """Yield *chunks* as long as they come fast enough.

    Raises:
        Refusal: body_too_slow: a pause of *stall_s*, or *transfer_s* in all.
    """
    deadline = anyio.current_time() + transfer_s
    while True:
        left = deadline - anyio.current_time()
        with anyio.move_on_after(min(stall_s, left)) as waiting:
            chunk = await next_chunk(chunks)
        if waiting.cancelled_caught:
            raise Refusal(Code.BODY_TOO_SLOW)
        if not chunk:
            return
        yield chunk


class Linger:
    """Lets clients see an answer that comes before their body was read.

    A server that answers and closes while bytes still come in resets the connection,
    and the client may lose the answer. So the answer goes out whole and announces the
    close, then a bounded rest of the body is read and dropped, then it is closed.
    """

    def __init__(self, app: ASGIApp, *, seconds: float, max_bytes: int) -> None:
        self._app = app
        self._seconds = seconds
        self._max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        headers = dict(scope.get("headers", ()))
        if headers.keys().isdisjoint((b"content-length", b"transfer-encoding")):
            await self._app(scope, receive, send)
            return
        body = _Body(receive, expected=b"expect" in headers)

        async def answer(message: Message) -> None:
            if body.ended:
                await send(message)
            elif message["type"] == "http.response.start":
                MutableHeaders(scope=message)["connection"] = "close"
                await send(message)
            elif message.get("more_body", False):
                await send(message)
            else:
                await send({**message, "more_body": True})
                with anyio.move_on_after(self._seconds):
                    await body.drop(self._max_bytes)
                await send({"type": "http.response.body"})

        await self._app(scope, body.receive, answer)


class _Body:
    """The request's body, watched.

    Attributes:
        ended: nothing more of it will come.
    """

    def __init__(self, receive: Receive, *, expected: bool) -> None:
        self._receive = receive
        # With `Expect: 100-continue` nothing comes before it is asked for.
        self._coming = not expected
        self.ended = False

    async def receive(self) -> Any:
        self._coming = True
        message = await self._receive()
        if message["type"] != "http.request" or not message.get("more_body", False):
            self.ended = True
        return message

    async def drop(self, max_bytes: int) -> None:
        dropped = 0
        while self._coming and not self.ended and dropped < max_bytes:
            dropped += len((await self.receive()).get("body", b""))
