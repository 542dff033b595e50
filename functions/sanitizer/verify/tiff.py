"""What a rebuilt TIFF may consist of: header, and page after page segments, directory
and values, without a byte between them; segments that are their samples exactly.
"""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from functions.sanitizer.verify.icc import profile_carriers

_BYTE, _SHORT, _LONG, _RATIONAL, _UNDEFINED = 1, 3, 4, 5, 7
_SIZES = {_BYTE: 1, _SHORT: 2, _LONG: 4, _RATIONAL: 8, _UNDEFINED: 1}
_LETTERS = {_BYTE: "B", _SHORT: "H", _LONG: "I", _UNDEFINED: "B"}
_STRIPS, _STRIP_SIZES, _TILES, _TILE_SIZES = 273, 279, 324, 325
_PROFILE, _COLOUR_MAP, _TRANSFER = 34675, 320, 301
# Type and number of values; None: as many as there are samples or segments.
_TAGS: dict[int, tuple[int, int | None]] = {
    254: (_LONG, 1),
    256: (_LONG, 1),
    257: (_LONG, 1),
    258: (_SHORT, None),
    259: (_SHORT, 1),
    262: (_SHORT, 1),
    _STRIPS: (_LONG, None),
    274: (_SHORT, 1),
    277: (_SHORT, 1),
    278: (_LONG, 1),
    _STRIP_SIZES: (_LONG, None),
    282: (_RATIONAL, 1),
    283: (_RATIONAL, 1),
    284: (_SHORT, 1),
    296: (_SHORT, 1),
    _TRANSFER: (_SHORT, None),
    317: (_SHORT, 1),
    318: (_RATIONAL, 2),
    319: (_RATIONAL, 6),
    _COLOUR_MAP: (_SHORT, None),
    322: (_LONG, 1),
    323: (_LONG, 1),
    _TILES: (_LONG, None),
    _TILE_SIZES: (_LONG, None),
    332: (_SHORT, 1),
    336: (_SHORT, 2),
    338: (_SHORT, None),
    339: (_SHORT, None),
    529: (_RATIONAL, 3),
    530: (_SHORT, 2),
    531: (_SHORT, 1),
    532: (_RATIONAL, 6),
    _PROFILE: (_UNDEFINED, None),
}
# Of tags that choose among a few things.
_CHOICES = {
    254: (2, 4, 6),
    259: (1, 8),
    262: (0, 1, 2, 3, 4, 5, 6, 8, 9, 10),
    274: range(2, 9),
    284: (1, 2),
    296: (1, 2, 3),
    317: (2, 3),
    332: (2,),
    338: (0, 1, 2),
    339: range(2, 7),
    530: (1, 2, 4),
    531: (1, 2),
}
_BLOCK, _CODED_PIECE = 1 << 20, 1 << 16


@dataclass
class _Page:
    """A directory's numbers, and where its values end."""

    tags: dict[int, tuple[int, ...]]
    end: int
    following: int

    def one(self, tag: int, default: int = 1) -> int:
        return self.tags.get(tag, (default,))[0]


def tiff_carriers(data: bytes) -> Iterator[str]:
    """Name every tag and byte that does not describe or make up a page."""
    order = {b"II": "<", b"MM": ">"}[data[:2]]
    version, at = struct.unpack_from(f"{order}HI", data, 2)
    if version != 42:
        yield "another version"
    end, seen = 8, 0
    while at:
        if at < end:
            yield "a directory before the samples of its page"
            return
        page, names = _directory(data, order, at)
        yield from names
        yield from _segments(data, page, end, at)
        end, at = page.end, page.following
        seen += 1
    if not seen or end != len(data):
        yield "bytes after the end"


def _directory(data: bytes, order: str, at: int) -> tuple[_Page, list[str]]:
    (count,) = struct.unpack_from(f"{order}H", data, at)
    outside = at + 6 + 12 * count
    (following,) = struct.unpack_from(f"{order}I", data, outside - 4)
    tags: dict[int, tuple[int, ...]] = {}
    names, last = [], 0
    for entry_at in range(at + 2, outside - 4, 12):
        tag, kind, number = struct.unpack_from(f"{order}HHI", data, entry_at)
        if tag not in _TAGS or _TAGS[tag][0] != kind or tag <= last:
            names.append(f"tag {tag}")
            continue
        size, value_at, last = _SIZES[kind] * number, entry_at + 8, tag
        if size > 4:
            (value_at,) = struct.unpack_from(f"{order}I", data, value_at)
            if value_at != outside or (size % 2 and data[value_at + size]):
                names.append(f"bytes before the values of tag {tag}")
            outside += size + size % 2
        elif any(data[value_at + size : value_at + 4]):
            names.append(f"bytes behind the value of tag {tag}")
        tags[tag] = _values(data, order, value_at, kind, number)
    page = _Page(tags, outside, following)
    return page, [*names, *(n for tag in tags for n in _odd(page, tag))]


def _values(data: bytes, order: str, at: int, kind: int, count: int) -> tuple[int, ...]:
    if kind == _RATIONAL:
        return struct.unpack_from(f"{order}{2 * count}I", data, at)
    return struct.unpack_from(f"{order}{count}{_LETTERS[kind]}", data, at)


def _odd(page: _Page, tag: int) -> Iterator[str]:
    """Name a tag whose values are too many or none of those that there are."""
    values = page.tags[tag]
    kind, count = _TAGS[tag]
    wanted = _count(page, tag) if count is None else [count]
    number = len(values) // 2 if kind == _RATIONAL else len(values)
    if number not in wanted:
        yield f"tag {tag} with {number} values"
    if tag in _CHOICES and not set(values) <= set(_CHOICES[tag]):
        yield f"tag {tag} with a value of its own"
    if tag == _PROFILE:
        yield from profile_carriers(bytes(values))
    if kind == _RATIONAL and not all(values[1::2]):
        yield f"tag {tag} with a fraction that is none"


def _count(page: _Page, tag: int) -> list[int]:
    samples, size = page.one(277), 1 << min(16, page.one(258))
    if tag in (258, 339):
        return [samples]
    if tag == 338:
        colours = {2: 3, 5: 4, 6: 3, 8: 3, 9: 3, 10: 3}.get(page.one(262), 1)
        return [samples - colours]
    if tag == _COLOUR_MAP:
        return [3 * size] if page.one(262) == 3 else []
    if tag == _TRANSFER:
        return [size, 3 * size]
    if tag == _PROFILE:
        return [len(page.tags[tag])]
    return [_grid(page)[2]]


def _grid(page: _Page) -> tuple[int, int, int]:
    """Return width and height of a segment, and how many there are."""
    width, height = page.one(256), page.one(257)
    across, down = page.one(322, width), page.one(323, page.one(278))
    planes = page.one(277) if page.one(284) == 2 else 1
    return across, down, planes * -(-width // across) * -(-height // down)


def _segments(data: bytes, page: _Page, start: int, end: int) -> Iterator[str]:
    """Walk the segments, which fill the bytes from *start* to *end*."""
    tiled = _TILES in page.tags
    offsets = page.tags[_TILES if tiled else _STRIPS]
    sizes = page.tags[_TILE_SIZES if tiled else _STRIP_SIZES]
    at = start
    for index, (offset, size) in enumerate(zip(offsets, sizes, strict=True)):
        if offset != at:
            yield "bytes between strips or tiles"
        at = offset + size
        yield from _Samples(page, index).carriers(memoryview(data)[offset:at])
    if end - at != at % 2 or any(data[at:end]):
        yield "bytes behind strips or tiles"


class _Samples:
    """What one segment has to be."""

    def __init__(self, page: _Page, index: int) -> None:
        across, down, count = _grid(page)
        planar, samples = page.one(284) == 2, page.one(277)
        self._page = page
        self._channels = 1 if planar else samples
        columns = -(-page.one(256) // across)
        lines = -(-page.one(257) // down)
        row, column = divmod(index % (columns * lines), columns)
        self._across = across
        self._width = min(across, page.one(256) - column * across)
        self._height = min(down, page.one(257) - row * down)
        stored = down if _TILES in page.tags else self._height
        self._blocks = page.tags.get(530, (1, 1))
        self._rows = -(-stored // self._blocks[1])
        self._stride = self._row_bytes(across)
        assert count % (columns * lines) == 0

    def _row_bytes(self, width: int) -> int:
        if self._blocks != (1, 1):
            size = self._blocks[0] * self._blocks[1] + 2
            return -(-width // self._blocks[0]) * size
        return -(-width * self._channels * self._page.one(258) // 8)

    def carriers(self, coded: memoryview) -> Iterator[str]:
        """Name what is in the segment beside its samples."""
        total, left, hidden = 0, bytearray(), False
        for piece in self._decoded(coded):
            total += len(piece)
            if self._all_seen:
                continue
            left += piece
            if whole := len(left) - len(left) % self._stride:
                first = (total - len(left)) // self._stride
                hidden |= self._hides(bytes(left[:whole]), first)
                del left[:whole]
        if total != self._stride * self._rows:
            yield "a strip or tile of another size than its samples"
        if hidden:
            yield "samples beside the page"

    def _decoded(self, coded: memoryview) -> Iterator[bytes | memoryview]:
        if self._page.one(259) == 1:
            for at in range(0, len(coded), _BLOCK):
                yield coded[at : at + _BLOCK]
            return
        inflater, at = zlib.decompressobj(), 0
        while at < len(coded) and not inflater.eof:
            piece = coded[at : at + _CODED_PIECE]  # what is left over of it is copied
            yield inflater.decompress(piece, _BLOCK)
            at += len(piece) - len(inflater.unconsumed_tail or inflater.unused_data)
        if not inflater.eof or at < len(coded):
            raise ValueError("a strip or tile goes on behind its samples")

    def _hides(self, rows: bytes, first: int) -> bool:
        """Say whether bytes beside what is seen are other than zero."""
        below = max(0, self._seen_rows - first) * self._stride
        if rows[below:].strip(b"\0"):
            return True
        seen = rows[:below]
        mask = self._unseen * (len(seen) // self._stride)
        return int.from_bytes(seen, "little") & int.from_bytes(mask, "little") > 0

    @cached_property
    def _seen_rows(self) -> int:
        return -(-self._height // self._blocks[1])

    @cached_property
    def _all_seen(self) -> bool:
        """Whether nothing is stored beside or below what is on the page."""
        return self._seen_rows == self._rows and self._unseen == bytes(self._stride)

    @cached_property
    def _unseen(self) -> bytes:
        """Return the bits of a row that are not on the page."""
        seen = self._row_bytes(self._width)
        if self._page.one(317) == 3:  # byte by byte of all samples in turn
            lane, part = self._across * self._channels, self._width * self._channels
            return (bytes(part) + b"\xff" * (lane - part)) * (self._stride // lane)
        mask = bytearray(seen) + b"\xff" * (self._stride - seen)
        odd = self._width * self._channels * self._page.one(258) % 8
        if odd and self._blocks == (1, 1):
            mask[seen - 1] = 0xFF >> odd
        return bytes(mask)
