"""Boxes of the ISO base media file format (ISO/IEC 14496-12), read and written.

Nothing that is read is trusted: counts are bounded by constants, sizes by the box
around them, and whatever does not fit raises ValueError.
"""

import struct
from collections.abc import Iterator
from typing import NamedTuple

from functions.sanitizer.images.pictures import View

_MAX_BOXES = 1 << 16
# A table of 4 MB describes more items or samples than any limit lets pass.
_MAX_TABLE_BYTES = 4 << 20


class Box(NamedTuple):
    """A box: its four letters and where its content lies."""

    kind: bytes
    start: int
    end: int

    def of(self, data: View) -> bytes:
        """Return the content.

        Raises:
            ValueError: it is too long for a table or a property.
        """
        if self.end - self.start > _MAX_TABLE_BYTES:
            raise ValueError("a table that is too long")
        return data[self.start : self.end]


def boxes(data: View, start: int, end: int) -> Iterator[Box]:
    """Yield the boxes that fill the bytes from *start* to *end*.

    Raises:
        ValueError: they do not fill them, or are too many.
    """
    for _ in range(_MAX_BOXES):
        if start == end:
            return
        box = _box(data, start, end)
        if box is None or box.end > end:
            raise ValueError("a box that is cut off")
        yield box
        start = box.end
    raise ValueError("too many boxes")


def file_boxes(data: View) -> tuple[list[Box], int]:
    """Return the boxes of a file and where they end; what follows is no box.

    The last one may be cut off; whoever refers to its bytes will notice.
    """
    found: list[Box] = []
    at = 0
    while at < len(data) and len(found) < _MAX_BOXES:
        box = _box(data, at, len(data))
        if box is None or not all(0x20 <= letter < 0x7F for letter in box.kind):
            break
        at = min(box.end, len(data))
        found.append(box._replace(end=at))
    return found, at


def _box(data: View, at: int, end: int) -> Box | None:
    if end - at < 8:
        return None
    size, kind = struct.unpack_from(">I4s", data, at)
    start = at + 8
    if size == 1 and end - at >= 16:
        (size,) = struct.unpack_from(">Q", data, start)
        start += 8
    elif size == 0:
        size = end - at
    return Box(kind, start, at + size) if at + size >= start else None


class Reader:
    """Takes numbers off the front of a box's content.

    Raises:
        ValueError: by every method, where the content ends too early.
    """

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.at = 0

    @property
    def left(self) -> int:
        """Bytes that were not taken yet."""
        return len(self.content) - self.at

    def number(self, size: int) -> int:
        """Take an unsigned number of that many bytes; of none it is zero."""
        return int.from_bytes(self.take(size), "big")

    def take(self, size: int) -> bytes:
        """Take that many bytes."""
        if not 0 <= size <= self.left:
            raise ValueError("a box that ends early")
        self.at += size
        return self.content[self.at - size : self.at]

    def text(self) -> bytes:
        """Take the bytes up to a zero, or all that are left."""
        end = self.content.find(b"\0", self.at)
        taken = self.take((end if end >= 0 else len(self.content)) - self.at)
        self.at += end >= 0
        return taken

    def head(self) -> tuple[int, int]:
        """Take version and flags of a full box."""
        return self.number(1), self.number(3)


def packed(kind: bytes, *content: bytes) -> bytes:
    """Return a box."""
    size = 8 + sum(map(len, content))
    return struct.pack(">I4s", size, kind) + b"".join(content)


def full(kind: bytes, *content: bytes, version: int = 0, flags: int = 0) -> bytes:
    """Return a box with version and flags."""
    return packed(kind, struct.pack(">I", version << 24 | flags), *content)
