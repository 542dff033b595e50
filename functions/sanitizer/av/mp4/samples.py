"""Where in the file the samples of a track lie (ISO/IEC 14496-12, 8.7)."""

import struct
from array import array
from collections.abc import Callable, Iterator
from itertools import repeat

from functions.sanitizer.av.mp4.boxes import Box, boxes_in, number, numbers
from functions.sanitizer.av.mp4.extents import Extents
from functions.sanitizer.av.mp4.sound import packing
from functions.sanitizer.av.scan import unreadable
from schemas.errors import Rejected

_Tables = dict[bytes, Box]


def add_chunks(movie: bytearray, stbl: Box, extents: Extents) -> None:
    """Add to *extents* where the chunks of a track lie."""
    tables = {box.kind: box for box in boxes_in(movie, stbl.start, stbl.end)}
    take = _sizes(movie, stbl, tables)
    offsets = _offsets(movie, tables)
    for offset, samples in zip(offsets, _samples(movie, tables), strict=False):
        extents.add(offset, offset + take(samples))


def _missing() -> Rejected:
    return unreadable("the file does not say where its samples lie")


def _numbers(movie: bytearray, box: Box, at: int, width: int) -> "array[int]":
    """Return the numbers of *width* bytes that follow their count at *at*."""
    entries = number(movie, box.start + at, box.end)
    first = box.start + at + 4
    return numbers(movie, first, first + entries * width, width)


def _offsets(movie: bytearray, tables: _Tables) -> "array[int]":
    if b"stco" in tables:
        return _numbers(movie, tables[b"stco"], 4, 4)
    if b"co64" in tables:
        return _numbers(movie, tables[b"co64"], 4, 8)
    raise _missing()


def _sizes(movie: bytearray, stbl: Box, tables: _Tables) -> Callable[[int], int]:
    """Return what takes that many samples off the table and returns their bytes."""
    box = tables.get(b"stsz") or tables.get(b"stz2")
    if box is None:
        raise _missing()
    same = number(movie, box.start + 4, box.end) if box.kind == b"stsz" else 0
    if same:
        size, samples = packing(movie, stbl) or (same, 1)
        return lambda taken: -(-taken // samples) * size
    sizes = _table_of_sizes(movie, box)
    at = 0

    def take(taken: int) -> int:
        nonlocal at
        at += taken
        return sum(sizes[at - taken : at])

    return take


def _table_of_sizes(movie: bytearray, box: Box) -> "array[int]":
    if box.kind == b"stsz":
        return _numbers(movie, box, 8, 4)
    bits = movie[box.start + 7]
    if bits in (8, 16):
        return _numbers(movie, box, 8, bits // 8)
    if bits != 4:
        raise _missing()
    pairs = movie[box.start + 12 : box.end]
    return array("B", (half for pair in pairs for half in (pair >> 4, pair & 15)))


def _samples(movie: bytearray, tables: _Tables) -> Iterator[int]:
    """Return how many samples each chunk holds; the last run goes on for ever."""
    if b"stsc" not in tables:
        raise _missing()
    first, samples = 1, 0
    for following, more in _runs(movie, tables[b"stsc"]):
        yield from repeat(samples, following - first)
        first, samples = following, more
    yield from repeat(samples)


def _runs(movie: bytearray, box: Box) -> Iterator[tuple[int, int]]:
    entries = number(movie, box.start + 4, box.end)
    table = memoryview(movie)[box.start + 8 : box.start + 8 + entries * 12]
    return ((first, samples) for first, samples, _ in struct.iter_unpack(">III", table))
