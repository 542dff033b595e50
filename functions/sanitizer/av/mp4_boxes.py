"""Boxes of the ISO base media file format in a buffer that is changed in place."""

import struct
from collections.abc import Iterator
from itertools import count
from typing import NamedTuple

from functions.sanitizer.av.scan import bounded, unreadable


class Box(NamedTuple):
    """A box in a buffer: its four letters and where its content lies."""

    kind: bytes
    start: int
    end: int


def boxes_in(data: bytearray, start: int, end: int) -> Iterator[Box]:
    """Return the boxes that fill the bytes from *start* to *end*.

    Raises:
        Rejected: they don't fill them.
    """
    for _ in bounded(count()):
        if start >= end:
            return
        if not any(data[start : start + 8]):
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


def blank(data: bytearray, start: int, end: int) -> bool:
    """Zero the bytes from *start* to *end*; return whether that changed any."""
    if start >= end or not any(data[start:end]):
        return False
    data[start:end] = bytes(end - start)
    return True


def free(data: bytearray, box: Box) -> None:
    """Turn *box* into free space of the same size."""
    data[box.start - 4 : box.start] = b"free"
    blank(data, box.start, box.end)
