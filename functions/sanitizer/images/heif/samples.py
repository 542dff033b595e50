"""The sample tables of a track: where its pictures lie, and how long each is shown.

Source: ISO/IEC 14496-12, 8.6 and 8.7.
"""

import struct
from collections.abc import Callable, Iterator
from itertools import groupby

from functions.sanitizer.images.isobmff import Box, Reader, full
from functions.sanitizer.images.pictures import View

_MOST_SAMPLES = 1 << 16


class Samples:
    """Reads the tables of one `stbl`.

    Raises:
        ValueError: by every method, where they are broken.
    """

    def __init__(self, data: View, tables: dict[bytes, Box]) -> None:
        self._data = data
        self._tables = tables
        reader = self._reader(b"stsz")
        self._same, self.count = reader.number(4), reader.number(4)
        self._sizes = reader
        if self.count > _MOST_SAMPLES:
            raise ValueError("too many samples")

    def _reader(self, kind: bytes) -> Reader:
        if kind not in self._tables:
            raise ValueError("a table is missing")
        reader = Reader(self._tables[kind].of(self._data))
        self._version, _ = reader.head()
        return reader

    def extents(self) -> Iterator[tuple[int, int]]:
        """Yield where each sample begins and ends."""
        left = self.count
        for start, count in zip(self._offsets(), self._per_chunk(), strict=False):
            offset = start
            for _ in range(min(count, left)):
                size = self._same or self._sizes.number(4)
                yield offset, offset + size
                offset += size
            left -= min(count, left)
            if not left:
                return
        if left:
            raise ValueError("samples that lie nowhere")

    def _offsets(self) -> Iterator[int]:
        wide = b"stco" not in self._tables
        reader = self._reader(b"co64" if wide else b"stco")
        return (reader.number(8 if wide else 4) for _ in range(reader.number(4)))

    def _per_chunk(self) -> Iterator[int]:
        """Yield how many samples each chunk holds; the last run goes on for ever."""
        reader = self._reader(b"stsc")
        runs = [
            (reader.number(4), reader.number(4), reader.number(4))
            for _ in range(reader.number(4))
        ]
        if any(description != 1 for _, _, description in runs):
            raise ValueError("pictures that are coded in several ways")
        for index, (first, count, _) in enumerate(runs):
            last = index + 1 == len(runs)
            chunks = _MOST_SAMPLES if last else min(runs[index + 1][0] - first, 1 << 16)
            for _ in range(chunks):
                yield count

    def durations(self) -> bytes:
        """Return `stts` written anew; its last duration holds for all that follow."""
        return self._runs(b"stts", self.count)

    def offsets_in_time(self) -> bytes:
        """Return `ctts` written anew; nothing if samples are shown in their order."""
        return self._runs(b"ctts", self.count) if b"ctts" in self._tables else b""

    def _runs(self, kind: bytes, left: int) -> bytes:
        reader = self._reader(kind)
        version = self._version & 1
        runs: list[tuple[int, int]] = []
        for _ in range(reader.number(4)):
            count, value = min(reader.number(4), left), reader.number(4)
            left -= count
            if count:
                runs.append((value, count))
        if left:
            runs.append((runs[-1][0], left))
        joined = [
            (sum(count for _, count in group), value)
            for value, group in groupby(runs, key=lambda run: run[0])
        ]
        table = b"".join(struct.pack(">II", *run) for run in joined)
        entries = struct.pack(">I", len(joined))
        return full(kind, entries, table, version=version if kind == b"ctts" else 0)

    def sync(self) -> bytes:
        """Return `stss` written anew; nothing if every sample stands alone."""
        if b"stss" not in self._tables:
            return b""
        reader = self._reader(b"stss")
        numbers = {reader.number(4) for _ in range(reader.number(4))}
        kept = sorted(n for n in numbers if 1 <= n <= self.count)
        return full(b"stss", struct.pack(f">I{len(kept)}I", len(kept), *kept))


def placed(samples: list[bytes]) -> Callable[[int], bytes]:
    """Return what writes the tables of samples in one row that begins at an offset."""
    count = len(samples)
    sizes = struct.pack(f">II{count}I", 0, count, *map(len, samples))
    chunk = full(b"stsc", struct.pack(">IIII", 1, 1, count, 1)) + full(b"stsz", sizes)
    return lambda start: chunk + full(b"stco", struct.pack(">II", 1, start))
