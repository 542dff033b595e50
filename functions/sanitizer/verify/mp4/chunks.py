"""Where the samples of the tracks lie, read a second time from their tables.

Source: ISO/IEC 14496-12, 8.7; for old QuickTime sound, what FFmpeg's demuxer does.
"""

import struct
from collections.abc import Iterator
from itertools import chain, repeat
from math import ceil

from functions.sanitizer.verify.mp4.boxes import column, first, inside, integer

_MOST = 1 << 22
_WIDTHS = {"in24": 3, "in32": 4, "fl32": 4, "fl64": 8, "ulaw": 1, "alaw": 1}
_WIDE_AS_SAID = ("sowt", "twos", "raw ", "NONE")
_OLD_PACKETS = {"ima4": (34, 64), "MAC3": (2, 6), "MAC6": (1, 6)}


class Chunks:
    """All places of samples; those that touch are one."""

    def __init__(self) -> None:
        self._places: list[int] = []  # where one starts << 64 | where it ends

    def add(self, start: int, end: int) -> None:
        """Note a place.

        Raises:
            LookupError: there are more of them than any file has.
        """
        start, end = min(start, 1 << 63), min(end, 1 << 63)
        last = self._places[-1] if self._places else 0
        if start >= end:
            return
        if last & (1 << 64) - 1 == start and last:
            self._places[-1] = last - start + end
            return
        if len(self._places) == _MOST:
            raise LookupError("places")
        self._places.append(start << 64 | end)

    def gaps(self, media: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
        """Return what no place covers; *media* are the stretches that may hold some."""
        self._places.sort()
        places = iter([*self._places, 1 << 128])
        place = next(places)
        for begin, end in media:
            at = begin
            while at < end:
                start, stop = place >> 64, place & (1 << 64) - 1
                if start >= end:
                    yield at, end
                    break
                if at < start:
                    yield at, start
                at = max(at, stop)
                # One that goes on behind this stretch may cover some of the next.
                place = next(places) if stop <= end else place
                if stop > end:
                    break

    def add_track(self, tables: memoryview, *, sound: bool) -> None:
        """Note the places of the chunks that a `stbl` box tells."""
        boxes = dict(inside(tables))
        name, size = ("stco", 4) if "stco" in boxes else ("co64", 8)
        offsets = column(_entries(boxes[name], size), size)
        if not offsets:
            return  # all samples are in fragments
        lengths = _lengths(boxes, _unit(tables) if sound else None)
        for offset, length in zip(offsets, lengths, strict=False):
            self.add(offset, offset + length)


def _entries(table: memoryview, size: int, head: int = 8) -> memoryview:
    return table[head : head + size * integer(table, head - 4)]


def _lengths(
    boxes: dict[str, memoryview], unit: tuple[int, int] | None
) -> Iterator[int]:
    """Return how many bytes each chunk has."""
    numbers = _numbers(_entries(boxes["stsc"], 12))
    if "stsz" in boxes and integer(boxes["stsz"], 4):
        size, samples = unit or (integer(boxes["stsz"], 4), 1)
        return (ceil(number / samples) * size for number in numbers)
    return _summed(_sizes(boxes), numbers)


def _summed(sizes: Iterator[int], numbers: Iterator[int]) -> Iterator[int]:
    for number in numbers:
        length = 0
        for _ in range(number):
            length += (size := next(sizes, -1))
            if size < 0:
                yield length + 1
                yield from repeat(0)
        yield length


def _sizes(boxes: dict[str, memoryview]) -> Iterator[int]:
    if "stsz" in boxes:
        return iter(column(_entries(boxes["stsz"], 4, 12), 4))
    bits, table = boxes["stz2"][7], boxes["stz2"][12:]
    if bits == 4:
        return chain.from_iterable((byte >> 4, byte & 15) for byte in table)
    width = bits // 8
    return iter(column(table[: integer(boxes["stz2"], 8) * width], width))


def _numbers(runs: memoryview) -> Iterator[int]:
    """Return how many samples each chunk has."""
    samples, at = 0, 1
    for start, following, _ in struct.iter_unpack(">III", runs):
        yield from repeat(samples, start - at)
        samples, at = following, start
    yield from repeat(samples)


def _unit(tables: memoryview) -> tuple[int, int] | None:
    """Return bytes and samples of a packet where `stsz` counts something else."""
    times = first(tables, "stts")
    if bytes(times[4:8]) + bytes(times[12:16]) != b"\0\0\0\1\0\0\0\1":
        return None
    coding, entry = next(inside(first(tables, "stsd")[8:]), ("", times))
    version, channels = integer(entry, 8, 2), integer(entry, 16, 2)
    if coding in _OLD_PACKETS:
        size, samples = _OLD_PACKETS[coding]
        return size * channels, samples
    if version == 1 and len(entry) >= 44 and integer(entry, 28) > 1:
        return integer(entry, 36), integer(entry, 28)
    if version == 2 and len(entry) >= 64:
        size, samples = integer(entry, 56), integer(entry, 60)
        return (size, samples) if size and samples else None
    if coding in _WIDE_AS_SAID:
        return channels * max(1, integer(entry, 18, 2) // 8), 1
    return (channels * _WIDTHS[coding], 1) if coding in _WIDTHS else None
