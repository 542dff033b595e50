"""A file as its parsers see it: fetched in blocks, and only so many of them."""

import io
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

BLOCK = 1 << 16
_KEPT = 16  # blocks in memory


class TooScattered(Exception):
    """A parser wants more blocks than it may have: it is lost in the file."""


class Blocks(io.RawIOBase):
    """Reads *source* in aligned blocks of 64 KiB and keeps the last ones.

    Args:
        source: seekable; every read of it may be a request to the store.
        budget: see the attribute.
    Attributes:
        budget: how many more blocks may be fetched; None for no limit.
        failure: what went wrong with *source* itself. Parsers turn every exception
            into one of their own, but a store that is down says nothing of a file.
    """

    def __init__(self, source: BinaryIO, budget: int | None = None) -> None:
        super().__init__()
        self.size_bytes = source.seek(0, io.SEEK_END)
        self.failure: Exception | None = None
        self.budget = budget
        self._source = source
        self._blocks: dict[int, bytes] = {}
        self._at = 0

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def tell(self) -> int:
        """Return the position."""
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Move the position; before the start is refused as in a file."""
        at = offset + {0: 0, 1: self._at, 2: self.size_bytes}[whence]
        if at < 0:
            raise OSError("negative position")
        self._at = at
        return at

    def read(self, size: int = -1, /) -> bytes:
        """Return the next *size* bytes, fewer only at the end."""
        data = self.read_at(
            self._at, self.size_bytes if size is None or size < 0 else size
        )
        self._at += len(data)
        return data

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        """Fill *buffer*, less only at the end: with this it can be buffered."""
        target = memoryview(buffer).cast("B")
        data = self.read(len(target))
        target[: len(data)] = data
        return len(data)

    def read_at(self, offset: int, size: int) -> bytes:
        """Return *size* bytes from *offset*; fewer only at the end."""
        offset, end = max(0, offset), min(offset + size, self.size_bytes)
        parts = []
        while offset < end:
            index, inside = divmod(offset, BLOCK)
            part = self._block(index)[inside : inside + end - offset]
            if not part:
                break
            parts.append(part)
            offset += len(part)
        return b"".join(parts)

    def _block(self, index: int) -> bytes:
        if index not in self._blocks:
            block = self._fetch(index)
            while len(self._blocks) >= _KEPT:
                del self._blocks[next(iter(self._blocks))]
            self._blocks[index] = block
        return self._blocks[index]

    def _fetch(self, index: int) -> bytes:
        if self.budget is not None:
            if self.budget <= 0:
                raise TooScattered
            self.budget -= 1
        try:
            self._source.seek(index * BLOCK)
            return self._source.read(BLOCK)
        except Exception as exc:
            self.failure = exc
            raise

    def affords(self, blocks: int) -> bool:
        """Say whether so many more blocks may be fetched."""
        return self.budget is None or self.budget >= blocks

    def part(self, start: int, end: int) -> "Blocks":
        """Return a file within the file, as a file of its own with what is left."""
        size = max(0, min(end, self.size_bytes) - start)
        return Blocks(io.BytesIO(self.read_at(start, size)))


class Section(io.RawIOBase):
    """The bytes of *blocks* from *start* to *end*, as a file of their own."""

    def __init__(self, blocks: Blocks, start: int, end: int) -> None:
        super().__init__()
        self._blocks, self._start, self._end = blocks, start, end
        self._at = start

    def tell(self) -> int:
        """Return the position."""
        return self._at - self._start

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Move the position; before the start is refused as in a file."""
        origin = {0: self._start, 1: self._at, 2: self._end}[whence]
        if origin + offset < self._start:
            raise OSError("negative position")
        self._at = origin + offset
        return self.tell()

    def read(self, size: int = -1, /) -> bytes:
        """Return the next *size* bytes, fewer only at the end."""
        left = max(0, self._end - self._at)
        data = self._blocks.read_at(self._at, left if size < 0 else min(size, left))
        self._at += len(data)
        return data
