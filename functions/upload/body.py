"""From the event loop to a thread: a body as a file."""

import io
from collections.abc import AsyncIterator
from typing import Any

import anyio
import anyio.from_thread
from starlette.requests import ClientDisconnect

from functions.upload.parts import FormError


class BodyReader(io.RawIOBase):
    """A file that is read in a worker thread and filled from the event loop.

    The next chunk is fetched when the last one is used up, so a slow reader slows the
    sender down. An error of *chunks* comes out of read as itself, and again at every
    later read: nobody can take a stream that broke for one that ended. To be read in
    a thread of anyio.to_thread only.
    """

    def __init__(self, chunks: AsyncIterator[bytes]) -> None:
        super().__init__()
        self._chunks = chunks
        self._rest = memoryview(b"")
        self._broken: BaseException | None = None

    def buffered(self) -> io.BufferedReader:
        """Return a BinaryIO of this, whose reads come back full."""
        return io.BufferedReader(self, 256 * 1024)

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill *buffer* as far as one chunk goes; return how many bytes, 0: the end."""
        if not self._rest:
            self._rest = memoryview(self._fetch())
        count = min(len(buffer), len(self._rest))
        buffer[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count

    def _fetch(self) -> bytes:
        if self._broken is not None:
            raise self._broken
        try:
            chunk = anyio.from_thread.run(_chunk_or_stop, self._chunks)
            if chunk is None:
                raise FormError("body_incomplete", "The server is stopping.")
        except BaseException as exc:
            self._broken = exc
            raise
        return chunk


async def _chunk_or_stop(chunks: AsyncIterator[bytes]) -> bytes | None:
    """Return the next chunk; None when the event loop ends, which must not hang."""
    try:
        return await next_chunk(chunks)
    except anyio.get_cancelled_exc_class():
        return None


async def next_chunk(chunks: AsyncIterator[bytes]) -> bytes:
    """Return the next chunk with something in it; b"" at the end.

    Raises:
        FormError: body_incomplete: the client left.
    """
    try:
        async for chunk in chunks:
            if chunk:
                return chunk
    except ClientDisconnect as exc:
        raise FormError("body_incomplete", "The connection broke off.") from exc
    return b""
