"""Boxes of the ISO base media file format in a buffer that is changed in place."""

import struct
import sys
from array import array
from collections.abc import Iterator
from typing import NamedTuple

from functions.sanitizer.av.scan import unreadable

# In one place, and of tracks: together they bound the time for a hostile `moov`.
_MAX_BOXES = 2_000
MAX_TRACKS = 100


class Box(NamedTuple):
    """A box in a buffer: its four letters and where its content lies."""

    kind: bytes
    start: int
    end: int


def boxes_in(data: bytearray, start: int, end: int) -> Iterator[Box]:
    """Return the boxes that fill the bytes from *start* to *end*.

    Raises:
        Rejected: they don't fill them, or are too many.
    """
    for _ in range(_MAX_BOXES):
        if start >= end:
            return
        if not any(data[start : min(start + 8, end)]):
            # QuickTime ends some lists with zeros: nothing may hide behind them.
            blank(data, start, end)
            return
        if end - start < 8:
            raise unreadable("a box in the table of contents is broken")
        size, kind = struct.unpack_from(">I4s", data, start)
        if size < 8 or start + size > end:
            raise unreadable("a box in the table of contents is broken")
        yield Box(kind, start + 8, start + size)
        start += size
    raise unreadable("the table of contents consists of too many parts")


def find(data: bytearray, box: Box, *path: bytes) -> Box | None:
    """Return the first box at *path* below *box*."""
    for kind in path:
        inside = boxes_in(data, box.start, box.end)
        found = next((child for child in inside if child.kind == kind), None)
        if found is None:
            return None
        box = found
    return box


def number(data: bytearray, at: int, end: int, size: int = 4) -> int:
    """Return the number of *size* bytes at *at*, which has to lie before *end*."""
    if at + size > end:
        raise unreadable("a table in the table of contents is cut off")
    return int.from_bytes(data[at : at + size], "big")


def numbers(data: bytearray, start: int, end: int, size: int) -> "array[int]":
    """Return the numbers of *size* bytes between *start* and *end*."""
    table = array({1: "B", 2: "H", 4: "I", 8: "Q"}[size])
    table.frombytes(memoryview(data)[start:end])
    if sys.byteorder == "little":
        table.byteswap()
    return table


def blank(data: bytearray, start: int, end: int) -> bool:
    """Zero the bytes from *start* to *end*; return whether that changed any."""
    if start >= end or data.count(0, start, end) == end - start:
        return False
    data[start:end] = bytes(end - start)
    return True


def free(data: bytearray, box: Box) -> None:
    """Turn *box* into free space of the same size."""
    data[box.start - 4 : box.start] = b"free"
    blank(data, box.start, box.end)


def shorten(data: bytearray, box: Box, content: bytes) -> None:
    """Put *content* into *box*; what is left behind it becomes free space or zeros."""
    spare = box.end - box.start - len(content)
    data[box.start : box.end] = content + bytes(spare)
    if spare < 8:
        return
    struct.pack_into(">I", data, box.start - 8, 8 + len(content))
    struct.pack_into(">I4s", data, box.start + len(content), spare, b"free")
