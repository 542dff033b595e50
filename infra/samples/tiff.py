"""An EXIF block written by hand: Pillow writes no thumbnail directory.

Format: TIFF 6.0, section 2, and EXIF 2.32 (CIPA DC-008), little endian.
"""

import struct
from collections.abc import Mapping

Value = int | bytes | tuple[int, ...]
_ASCII, _SHORT, _LONG, _RATIONAL, _UNDEFINED = 2, 3, 4, 5, 7
_UNDEFINED_TAGS = frozenset({0x927C, 0x9286})  # maker note, user comment
_LONG_TAGS = frozenset({0x8769, 0x8825, 0x0201, 0x0202})  # offsets and lengths


def exif_block(
    main: Mapping[int, Value],
    exif: Mapping[int, Value],
    gps: Mapping[int, Value],
    thumbnail: bytes,
) -> bytes:
    """Return a TIFF block with the four directories; values are

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
