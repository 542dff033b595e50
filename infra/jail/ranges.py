"""A file whose bytes are fetched by range, in blocks that are kept for a while."""

import errno
import io
import os
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING

from infra.jail.wire import BLOCK_BYTES

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

# A parser that hops between head, tail and a table finds them all still there.
_KEPT_BLOCKS = 16


class RangedFile(io.RawIOBase):
    """A seekable, read-only file; wrap it in io.BufferedReader."""

    def __init__(self, size_bytes: int, fetch: Callable[[int, int], bytes]) -> None:
        super().__init__()
        self._size_bytes = size_bytes
        self._position = 0
        self._block = lru_cache(_KEPT_BLOCKS)(
            lambda at: fetch(at, min(BLOCK_BYTES, size_bytes - at))
        )

    def readable(self) -> bool:
        """Return true."""
        return True

    def seekable(self) -> bool:
        """Return true."""
        return True

    def tell(self) -> int:
        """Return the position in bytes."""
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        """Move like any other file; past the end is fine."""
        origin = {
            os.SEEK_SET: 0,
            os.SEEK_CUR: self._position,
            os.SEEK_END: self._size_bytes,
        }[whence]
        if origin + offset < 0:
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        self._position = origin + offset
        return self._position

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        """Fill *buffer* from one block at most, as raw files may."""
        if self._position >= self._size_bytes:
            return 0
        target = memoryview(buffer).cast("B")
        within = self._position % BLOCK_BYTES
        block = self._block(self._position - within)
        data = block[within : within + len(target)]
        target[: len(data)] = data
        self._position += len(data)
        return len(data)
