"""A body as a file, read in a thread."""

import asyncio
from collections.abc import AsyncIterator, Iterable

import anyio.to_thread
import pytest

from functions.upload.form import BodyReader, FormError


async def flow(chunks: Iterable[bytes]) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


def read_in_a_thread(chunks: AsyncIterator[bytes], size: int) -> list[bytes]:
    async def main() -> list[bytes]:
        stream = BodyReader(chunks).buffered()
        return await anyio.to_thread.run_sync(
            lambda: list(iter(lambda: stream.read(size), b""))
        )

    return asyncio.run(main())


def test_a_body_is_read_in_a_thread_in_full_reads() -> None:
    chunks = flow([b"abc", b"", b"defg", b"h"])

    reads = read_in_a_thread(chunks, 3)

    assert reads == [b"abc", b"def", b"gh"]


def test_no_more_of_a_body_is_fetched_than_was_read() -> None:
    fetched: list[int] = []

    async def counting() -> AsyncIterator[bytes]:
        for number in range(100):
            fetched.append(number)
            yield bytes(256 * 1024)

    async def main() -> None:
        stream = BodyReader(counting()).buffered()
        await anyio.to_thread.run_sync(stream.read, 256 * 1024)

    asyncio.run(main())

    assert len(fetched) == 1


def test_a_broken_body_never_looks_like_one_that_ended() -> None:
    async def breaking() -> AsyncIterator[bytes]:
        yield b"abc"
        raise FormError("body_incomplete", "cut")

    def stubborn(stream: BodyReader) -> list[str]:
        seen = [str(stream.read(10))]
        for _ in range(3):
            with pytest.raises(FormError) as caught:
                stream.read(10)
            seen.append(caught.value.code)
        return seen

    async def main() -> list[str]:
        return await anyio.to_thread.run_sync(stubborn, BodyReader(breaking()))

    assert asyncio.run(main()) == ["b'abc'", *["body_incomplete"] * 3]
