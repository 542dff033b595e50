"""An object's bytes, as a stream and by range."""

import io
import os
from typing import Any

from infra.stores.drafts import translated
from infra.stores.folder import Folder
from infra.stores.format import Label
from schemas.errors import ObjectNotFound
from schemas.objects import ObjectRef


class Window(io.RawIOBase):
    """An object's bytes as a stream, without the label behind them.

    Like a server's answer it can't seek, and it is no file to hand to somebody else.
    """

    def __init__(self, fd: int, size_bytes: int) -> None:
        super().__init__()
        self._fd = fd
        self._left = size_bytes
        self._offset = 0

    def readable(self) -> bool:
        """Return True."""
        return True

    @translated()
    def readinto(self, buffer: Any) -> int:
        """Fill *buffer* as far as the object goes; return how many bytes."""
        wanted = memoryview(buffer)[: self._left]
        count = os.preadv(self._fd, [wanted], self._offset)
        self._left -= count
        self._offset += count
        return count


class Ranges:
    """RangedReader that holds nothing open, and notices another write's bytes."""

    def __init__(self, folder: Folder, ref: ObjectRef, label: Label) -> None:
        self._folder = folder
        self._ref = ref
        self._write_id = label.write_id
        self.size_bytes = label.size_bytes

    @translated()
    def read_at(self, offset: int, length: int) -> bytes:
        """See RangedReader."""
        if offset < 0 or length < 0:
            raise ValueError("offset and length count from 0")
        count = min(length, max(0, self.size_bytes - offset))
        with self._folder.find(self._ref) as stored:
            if stored.label.write_id != self._write_id:
                raise ObjectNotFound(f"{self._ref}: written anew since")
            return os.pread(stored.fd, count, offset)
