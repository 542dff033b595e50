"""MP4 and M4A audio: every box by a list, every offset where it was.

A box that is not on the list becomes a `free` box of the same size full of zeros, so
no offset in the sample tables changes and the samples stream through untouched. Bytes
of `mdat` that belong to no kept track (chapter titles, covers) become zeros too.

Source: ISO/IEC 14496-12 (ISO base media file format) and 14496-14 (MP4).
"""

import struct
from bisect import bisect_right
from itertools import count
from typing import BinaryIO, NamedTuple

from functions.sanitizer.av.mp4_movie import dropped, scrub_movie
from functions.sanitizer.av.mp4_samples import Extents
from functions.sanitizer.av.scan import (
    blank,
    bounded,
    copy,
    holds_bytes,
    read_at,
    size_of,
    unreadable,
)
from functions.sanitizer.findings import Finding
from schemas.errors import Rejected

_MAX_MOVIE = 1 << 27  # bytes of `moov`: sample tables of some days
_MAX_BRANDS = 64
_BRANDS = frozenset(
    b"M4A |M4B |M4P |M4V |mp41|mp42|mp71|isom|iso2|iso3|iso4|iso5|iso6|avc1|3gp4|3gp5|"
    b"3gp6|3gp7|3g2a|3g2b|3g2c|dash|qt  |MSNV|NDAS|F4A |f4v |\0\0\0\0".split(b"|")
)
_SCAN = 1 << 20


class _Box(NamedTuple):
    kind: bytes
    start: int
    header: int  # bytes
    end: int


def strip_mp4(source: BinaryIO, output: BinaryIO) -> set[Finding]:
    """Write the file in its layout with nothing in it but sound."""
    size = size_of(source)
    boxes = _boxes(source, size)
    movie, findings, extents = _movie(source, boxes)
    for box in boxes:
        findings |= _write(source, output, box, movie, extents)
    end = boxes[-1].end
    if end < size and holds_bytes(source, end, size):
        findings.add(Finding.TRAILING_DATA)
    return findings


def holds_only_sound(source: BinaryIO) -> bool:
    """Whether strip_mp4 would take the file: no film, no fragments, nothing broken."""
    try:
        _movie(source, _boxes(source, size_of(source)))
    except (Rejected, struct.error):
        return False
    return True


def _boxes(source: BinaryIO, size: int) -> list[_Box]:
    """Return the boxes of the file; what follows the last whole one is not copied.

    Only `mdat` may be cut, and only behind the tables that say what is in it.
    """
    boxes: list[_Box] = []
    at = 0
    for _ in bounded(count()):
        box = _box(source, at, size)
        if box is None or (box.end > size and box.kind != b"mdat"):
            break
        boxes.append(box._replace(end=min(box.end, size)))
        at = box.end
    kinds = [box.kind for box in boxes]
    if not kinds or kinds[0] != b"ftyp" or kinds.count(b"moov") != 1:
        raise unreadable("the file's table of contents is missing or cut off")
    if b"moof" in kinds:
        raise unreadable("the file is a stream of fragments, which is not supported")
    return boxes


def _box(source: BinaryIO, at: int, size: int) -> _Box | None:
    head = read_at(source, at, 16)
    if len(head) < 8:
        return None
    length, kind = struct.unpack_from(">I4s", head)
    if length == 1 and len(head) == 16:
        (length,) = struct.unpack_from(">Q", head, 8)
        return _Box(kind, at, 16, at + length) if length >= 16 else None
    if length == 0 and kind == b"mdat":
        return _Box(kind, at, 8, size)
    return _Box(kind, at, 8, at + length) if length >= 8 else None


def _movie(source: BinaryIO, boxes: list[_Box]) -> tuple[bytes, set[Finding], Extents]:
    """Return the clean `moov`, what went from it, and where the samples lie."""
    box = next(box for box in boxes if box.kind == b"moov")
    if box.end - box.start > _MAX_MOVIE or box.header != 8:
        raise unreadable("the file's table of contents is too long")
    movie = bytearray(read_at(source, box.start, box.end - box.start))
    findings, extents = scrub_movie(movie)
    return bytes(movie), findings, extents


def _write(
    source: BinaryIO,
    output: BinaryIO,
    box: _Box,
    movie: bytes,
    extents: Extents,
) -> set[Finding]:
    if box.kind == b"moov":
        output.write(movie)
        return set()
    if box.kind == b"ftyp" and box.start == 0:
        return _write_brands(source, output, box)
    head = read_at(source, box.start, box.header)
    if box.kind == b"mdat":
        output.write(head)
        return _write_samples(source, output, box, extents)
    output.write(head[:4] + b"free" + head[8:])
    blank(output, box.end - box.start - box.header)
    content = read_at(source, box.start + box.header, min(_SCAN, box.end - box.start))
    return dropped(box.kind, content[: box.end - box.start - box.header])


def _write_brands(source: BinaryIO, output: BinaryIO, box: _Box) -> set[Finding]:
    size = box.end - box.start
    content = read_at(source, box.start + 8, size - 8)
    if size > 16 + 4 * _MAX_BRANDS or size < 16 or size % 4:
        raise unreadable("the file's type box is broken")
    brands = [content[at : at + 4] for at in range(0, len(content), 4)]
    clean = [brand if brand in _BRANDS else b"isom" for brand in brands]
    clean[1] = bytes(4)  # the version of the brand: some programs write a date
    output.write(struct.pack(">I4s", size, b"ftyp") + b"".join(clean))
    odd = any(brand not in _BRANDS for brand in brands[:1] + brands[2:])
    return {Finding.APPLICATION_DATA} if odd else set()


def _write_samples(
    source: BinaryIO, output: BinaryIO, box: _Box, extents: Extents
) -> set[Finding]:
    """Copy what the kept tracks refer to; blank the rest."""
    at, hidden = box.start + box.header, False
    first = max(0, bisect_right(extents, (at, 0)) - 1)
    for index in range(first, len(extents) + 1):
        rest = (box.end, box.end)
        start, end = extents[index] if index < len(extents) else rest
        gap = min(max(start, at), box.end)
        hidden = hidden or holds_bytes(source, at, gap)
        blank(output, gap - at)
        at = min(max(gap, end), box.end)
        copy(source, output, gap, at)
        if at == box.end:
            break
    return {Finding.PADDING} if hidden else set()
