"""An EXIF block and TIFFs written by hand: Pillow writes no thumbnail directory, no
planes, no tiles, no BigTIFF and few kinds of samples.

Formats: TIFF 6.0, section 2, BigTIFF, and EXIF 2.32 (CIPA DC-008).
"""

import struct
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

Value = int | bytes | tuple[int, ...]
_ASCII, _SHORT, _LONG, _RATIONAL, _UNDEFINED = 2, 3, 4, 5, 7
_DEFLATE = 8
_UNDEFINED_TAGS = frozenset({0x927C, 0x9286})  # maker note, user comment
_LONG_TAGS = frozenset({0x8769, 0x8825, 0x0201, 0x0202})  # offsets and lengths


def exif_block(
    main: Mapping[int, Value],
    exif: Mapping[int, Value],
    gps: Mapping[int, Value],
    thumbnail: bytes,
) -> bytes:
    """Return a little-endian TIFF block with the four directories; values are

    numbers (SHORT), bytes (ASCII) or tuples of numbers (RATIONAL, each over 1).
    """
    main_at = 8
    exif_at = main_at + _length({**main, 0x8769: 0, 0x8825: 0})
    gps_at = exif_at + _length(exif)
    second_at = gps_at + _length(gps)
    picture = {0x0103: 6, 0x0201: 0, 0x0202: 0}
    thumbnail_at = second_at + _length(picture)
    picture |= {0x0201: thumbnail_at, 0x0202: len(thumbnail)}
    first = {**main, 0x8769: exif_at, 0x8825: gps_at}
    return b"".join(
        (
            struct.pack("<2sHL", b"II", 42, main_at),
            _directory(first, main_at, second_at),
            _directory(exif, exif_at, 0),
            _directory(gps, gps_at, 0),
            _directory(picture, second_at, 0),
            thumbnail,
        )
    )


def _encoded(tag: int, value: Value) -> tuple[int, int, bytes]:
    """Return type, count and bytes of a value."""
    if isinstance(value, bytes):
        kind = _UNDEFINED if tag in _UNDEFINED_TAGS else _ASCII
        data = value if kind == _UNDEFINED else value + b"\0"
        return kind, len(data), data
    if isinstance(value, tuple):
        pairs = b"".join(struct.pack("<LL", number, 1) for number in value)
        return _RATIONAL, len(value), pairs
    if tag in _LONG_TAGS:
        return _LONG, 1, struct.pack("<L", value)
    return _SHORT, 1, struct.pack("<H", value)


def _even(data: bytes) -> bytes:
    return data + b"\0" * (len(data) % 2)


def _length(entries: Mapping[int, Value]) -> int:
    outside = (_encoded(tag, value)[2] for tag, value in entries.items())
    return 6 + 12 * len(entries) + sum(len(_even(d)) for d in outside if len(d) > 4)


def _directory(entries: Mapping[int, Value], at: int, following: int) -> bytes:
    head = struct.pack("<H", len(entries))
    data_at = at + 6 + 12 * len(entries)
    outside = b""
    for tag in sorted(entries):
        kind, count, data = _encoded(tag, entries[tag])
        head += struct.pack("<HHL", tag, kind, count)
        if len(data) <= 4:
            head += data.ljust(4, b"\0")
            continue
        head += struct.pack("<L", data_at + len(outside))
        outside += _even(data)
    return head + struct.pack("<L", following) + outside


@dataclass(frozen=True)
class Page:
    """A page: tags by number with their type and values, and its coded segments."""

    tags: Mapping[int, tuple[int, bytes | tuple[int, ...]]]
    segments: tuple[bytes, ...]
    tiled: bool = False
    below: tuple["Page", ...] = ()  # what its SubIFDs tag points to


def tiff(*pages: Page, order: str = "<", big: bool = False) -> bytes:
    """Return a TIFF or BigTIFF; segments lie before their page's directory.

    Args:
        order: of bytes, as struct writes it.
    """
    return _File(order, big).written(pages)


def grey(
    rows: Sequence[bytes],
    *,
    bits: int = 8,
    samples: int = 1,
    compression: int = 1,
    **tags: tuple[int, bytes | tuple[int, ...]],
) -> Page:
    """Return a page in one strip; *rows* are bytes as wide as *bits* make them.

    Args:
        tags: more of them, or others, by `t` and their number.
    """
    width = 8 * len(rows[0]) // (bits * samples)
    coded = b"".join(rows)
    if compression == _DEFLATE:
        coded = zlib.compress(coded)
    described: dict[int, tuple[int, bytes | tuple[int, ...]]] = {
        256: (_LONG, (width,)),
        257: (_LONG, (len(rows),)),
        258: (_SHORT, (bits,) * samples),
        259: (_SHORT, (compression,)),
        262: (_SHORT, (1 if samples < 3 else 2,)),
        277: (_SHORT, (samples,)),
        278: (_LONG, (len(rows),)),
    }
    described |= {int(name[1:]): value for name, value in tags.items()}
    return Page(described, (coded,))


class _File:
    def __init__(self, order: str, big: bool) -> None:
        self._order = order
        self._big = big
        self._number = "Q" if big else "I"
        magic = b"II" if order == "<" else b"MM"
        self._out = bytearray(magic + self._pack("H", 43 if big else 42))
        if big:
            self._out += self._pack("HH", 8, 0)
        self._link = len(self._out)
        self._out += self._pack(self._number, 0)

    def written(self, pages: Sequence[Page]) -> bytes:
        for page in pages:
            at, link = self._page(page)
            self._point(self._link, at)
            self._link = link
        return bytes(self._out)

    def _page(self, page: Page) -> tuple[int, int]:
        """Append a page; return where its directory is, and its link."""
        offsets = []
        for segment in page.segments:
            offsets.append(len(self._out))
            self._out += segment
        places = (324, 325) if page.tiled else (273, 279)
        tags = dict(page.tags)
        tags.setdefault(places[0], (_LONG, tuple(offsets)))
        tags.setdefault(places[1], (_LONG, tuple(len(s) for s in page.segments)))
        if page.below:
            tags[330] = (_LONG, tuple(self._page(sub)[0] for sub in page.below))
        return self._directory(tags)

    def _directory(
        self, tags: Mapping[int, tuple[int, bytes | tuple[int, ...]]]
    ) -> tuple[int, int]:
        self._out += bytes(len(self._out) % 2)
        at, room = len(self._out), 8 if self._big else 4
        size, head = (20, 8) if self._big else (12, 2)
        link = at + head + size * len(tags)
        self._out += self._pack("Q" if self._big else "H", len(tags))
        outside = b""
        for tag, (kind, values) in sorted(tags.items()):
            count, packed = self._packed(kind, values)
            self._out += self._pack(f"HH{self._number}", tag, kind, count)
            if len(packed) > room:
                place = link + room + len(outside)
                outside += packed + bytes(len(packed) % 2)
                packed = self._pack(self._number, place)
            self._out += packed.ljust(room, b"\0")
        self._out += bytes(room) + outside
        return at, link

    def _packed(self, kind: int, values: bytes | tuple[int, ...]) -> tuple[int, bytes]:
        if isinstance(values, bytes):
            return len(values), values
        letter = {1: "B", _SHORT: "H", _LONG: "I", _RATIONAL: "I", 16: "Q"}[kind]
        count = len(values) // 2 if kind == _RATIONAL else len(values)
        return count, self._pack(f"{len(values)}{letter}", *values)

    def _point(self, at: int, target: int) -> None:
        struct.pack_into(f"{self._order}{self._number}", self._out, at, target)

    def _pack(self, form: str, *values: int) -> bytes:
        return struct.pack(self._order + form, *values)
