"""Where in the file the samples of a track lie (ISO/IEC 14496-12, 8.7)."""

import struct
from collections.abc import Callable, Iterable, Iterator
from itertools import islice, pairwise

from functions.sanitizer.av.mp4_boxes import Box
from functions.sanitizer.av.scan import unreadable

Extents = list[tuple[int, int]]
_Tables = dict[bytes, Box]


def extents_of(movie: bytearray, tracks: list[_Tables]) -> Extents:
    """Return the stretches of the file that hold samples, in order and merged."""
    extents = sorted(chunk for tables in tracks for chunk in _chunks(movie, tables))
    merged: Extents = []
    for start, end in extents:
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _chunks(movie: bytearray, tables: _Tables) -> Iterator[tuple[int, int]]:
    take = _sizes(movie, tables)
    for offset, samples in zip(
        _offsets(movie, tables), _samples_per_chunk(movie, tables), strict=False
    ):
        length = take(samples)
        if length:
            yield offset, offset + length


def _entries(movie: bytearray, box: Box, layout: str) -> Iterator[tuple[int, ...]]:
    (count,) = struct.unpack_from(">I", movie, box.start + 4)
    end = box.start + 8 + count * struct.calcsize(layout)
    return struct.iter_unpack(layout, movie[box.start + 8 : end])


def _offsets(movie: bytearray, tables: _Tables) -> Iterator[int]:
    if b"stco" in tables:
        return (entry[0] for entry in _entries(movie, tables[b"stco"], ">I"))
    if b"co64" in tables:
        return (entry[0] for entry in _entries(movie, tables[b"co64"], ">Q"))
    raise unreadable("the file does not say where its sound lies")


def _sizes(movie: bytearray, tables: _Tables) -> Callable[[int], int]:
    """Return what takes that many samples off the table and returns their bytes."""
    if b"stsz" not in tables:
        raise unreadable("the file does not say where its sound lies")
    start = tables[b"stsz"].start
    same, count = struct.unpack_from(">II", movie, start + 4)
    if same:
        return lambda samples: same * samples
    table = movie[start + 12 : start + 12 + 4 * count]
    sizes = (entry[0] for entry in struct.iter_unpack(">I", table))
    return lambda samples: sum(islice(sizes, samples))


def _samples_per_chunk(movie: bytearray, tables: _Tables) -> Iterable[int]:
    """Return how many samples each chunk holds; the last run goes on for ever."""
    if b"stsc" not in tables:
        raise unreadable("the file does not say where its sound lies")
    runs = list(_entries(movie, tables[b"stsc"], ">III"))
    for (first, samples, _), (following, *_) in pairwise(runs):
        yield from (samples for _ in range(following - first))
    while runs:
        yield runs[-1][1]
