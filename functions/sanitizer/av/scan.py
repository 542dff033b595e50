"""What every audio container's stripper does with bytes."""

from collections.abc import Iterable, Iterator
from itertools import repeat
from typing import BinaryIO, TypeVar

from schemas.errors import Rejected

BLOCK = 1 << 16
_MAX_PARTS = 10_000
T = TypeVar("T")


def unreadable(detail: str) -> Rejected:
    """Return the refusal of audio whose structure can't be followed."""
    return Rejected("unreadable_audio", detail)


def bounded(parts: Iterable[T]) -> Iterator[T]:
    """Return *parts*, of which a file that people made never has ten thousand."""
    for number, part in enumerate(parts):
        if number == _MAX_PARTS:
            raise unreadable("the file consists of too many parts")
        yield part


def size_of(stream: BinaryIO) -> int:
    """Return how many bytes *stream* has; moves its position."""
    return stream.seek(0, 2)


def read_at(stream: BinaryIO, offset: int, size: int) -> bytes:
    """Return up to *size* bytes from *offset*; fewer only at the end."""
    stream.seek(offset)
    parts = []
    while size > 0 and (part := stream.read(size)):
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def copy(source: BinaryIO, output: BinaryIO, start: int, end: int) -> None:
    """Append the bytes from *start* to *end* of *source*; memory stays constant."""
    output.writelines(_blocks(source, start, end))


def blank(output: BinaryIO, size: int) -> None:
    """Append *size* zero bytes."""
    whole, rest = divmod(size, BLOCK)
    output.writelines(repeat(bytes(BLOCK), whole))
    output.write(bytes(rest))


def holds_bytes(source: BinaryIO, start: int, end: int) -> bool:
    """Whether anything but zeros lies between *start* and *end*."""
    return any(any(block) for block in _blocks(source, start, end))


def _blocks(source: BinaryIO, start: int, end: int) -> Iterator[bytes]:
    for offset in range(start, end, BLOCK):
        yield read_at(source, offset, min(BLOCK, end - offset))
