"""Large files that need no room: parts at their places, a pattern between."""

import io

from functions.metadata.blocks import BLOCK


class Far(io.RawIOBase):
    """Reads like a file; remembers which blocks of 64 KiB were fetched."""

    def __init__(
        self, size: int, parts: dict[int, bytes], pattern: bytes = b"\0"
    ) -> None:
        super().__init__()
        self._size, self._parts, self._pattern = size, parts, pattern
        self._at = 0
        self.fetched: set[int] = set()

    def seek(self, offset: int, whence: int = 0, /) -> int:
        self._at = offset + (self._size if whence == 2 else 0)
        return self._at

    def read(self, size: int = -1, /) -> bytes:
        start, end = self._at, min(self._at + size, self._size)
        phase = start % len(self._pattern)
        times = (end - start) // len(self._pattern) + 2
        data = bytearray((self._pattern * times)[phase : phase + end - start])
        for place, part in self._parts.items():
            inner = part[max(0, start - place) : max(0, end - place)]
            at = max(0, place - start)
            data[at : at + len(inner)] = inner
        self.fetched.update(range(start // BLOCK, -(-end // BLOCK)))
        self._at = end
        return bytes(data)


def near(data: bytes) -> Far:
    """Return a file of nothing but *data*, however long."""
    return Far(len(data), {0: data})
