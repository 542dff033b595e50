"""The boxes of a whole file, of which only the tables are held in memory."""

import struct
from itertools import count
from typing import BinaryIO, NamedTuple

from functions.sanitizer.av.mp4.boxes import Box
from functions.sanitizer.av.scan import read_at, size_of, unreadable

_MAX_MOVIE = 1 << 27  # bytes of `moov`: sample tables of some days
_MAX_FRAGMENTS = 50_000
_MAX_PARTS = 10_000
_PARTS_A_FRAGMENT = 8
_CUT = (b"mdat", b"sidx")
# What QuickTime files without a type box start with.
_FIRST = (b"ftyp", b"styp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot")


class Part(NamedTuple):
    """A box of the file: where it starts, how long its head is, where it ends."""

    kind: bytes
    start: int
    header: int
    end: int

    def inside(self) -> Box:
        """Return it as a box of a buffer that holds it from its start."""
        return Box(self.kind, self.header, self.end - self.start)


def layout(source: BinaryIO) -> list[Part]:
    """Return the boxes of the file; what follows the last whole one is not copied.

    Only samples may be cut, and an index: whoever reads it takes what there is.

    Raises:
        Rejected: it is no such file, or consists of too many boxes.
    """
    size = size_of(source)
    parts: list[Part] = []
    at = fragments = 0
    for _ in count():
        part = _part(source, at, size)
        if part is None or (part.end > size and part.kind not in _CUT):
            break
        parts.append(part._replace(end=min(part.end, size)))
        fragments += part.kind == b"moof"
        at = part.end
        allowed = _MAX_PARTS + _PARTS_A_FRAGMENT * min(fragments, _MAX_FRAGMENTS)
        if len(parts) > allowed:
            raise unreadable("the file consists of too many parts")
    kinds = {part.kind for part in parts}
    if b"moov" not in kinds or parts[0].kind not in _FIRST:
        raise unreadable("the file's table of contents is missing or cut off")
    return parts


def _part(source: BinaryIO, at: int, size: int) -> Part | None:
    head = read_at(source, at, 16)
    if len(head) < 8:
        return None
    length, kind = struct.unpack_from(">I4s", head)
    if length == 1 and len(head) == 16:
        (length,) = struct.unpack_from(">Q", head, 8)
        return Part(kind, at, 16, at + length) if length >= 16 else None
    if length == 0 and any(kind):
        return Part(kind, at, 8, size)
    return Part(kind, at, 8, at + length) if length >= 8 else None


def movie_of(source: BinaryIO, parts: list[Part]) -> tuple[bytearray, Part]:
    """Return the first `moov` with its head, which is the one that players use."""
    part = next(part for part in parts if part.kind == b"moov")
    return read_part(source, part), part


def read_part(source: BinaryIO, part: Part) -> bytearray:
    """Return the bytes of a box that is held in memory.

    Raises:
        Rejected: it is too long for that.
    """
    size = part.end - part.start
    if size > _MAX_MOVIE:
        raise unreadable("the file's table of contents is too long")
    data = bytearray(size)
    source.seek(part.start)
    at = 0
    while at < size and (block := source.read(min(1 << 20, size - at))):
        data[at : at + len(block)] = block
        at += len(block)
    return data
