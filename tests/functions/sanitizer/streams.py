"""Large files that take no room."""

import io


class Sparse(io.RawIOBase):
    """A head, then zeros up to a size: a large file that takes no room."""

    def __init__(self, head: bytes, size: int) -> None:
        super().__init__()
        self._head, self._size, self._at = head, size, 0

    def seek(self, offset: int, whence: int = 0, /) -> int:
        self._at = offset + (self._size if whence == 2 else 0)
        return self._at

    def read(self, size: int = -1, /) -> bytes:
        size = max(0, min(size, self._size - self._at))
        part = self._head[self._at : self._at + size]
        self._at += size
        return part + bytes(size - len(part))


class Nowhere(io.RawIOBase):
    """Counts what is written."""

    size = 0

    def write(self, data: bytes, /) -> int:  # type: ignore[override] # bytes only
        self.size += len(data)
        return len(data)
