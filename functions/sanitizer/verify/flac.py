"""Names what a FLAC file carries besides its sound.

Each frame ends with a checksum that brings CRC-16 back to zero, so one running CRC over
all frames is zero where a frame starts and at the end of the file, and nowhere else.
"""

import os
import re
from collections.abc import Iterator
from typing import BinaryIO

from fastcrc import crc8, crc16

from functions.sanitizer.verify.tags import only_gains

_PIECE = 1 << 20
_OVERLAP = 16  # a header may lie across two pieces
_HEAD = re.compile(rb"\xff[\xf8\xf9][\x10-\xfe][\x00-\xaf].", re.DOTALL)
_BLANK_POINT = b"\xff" * 8 + bytes(10)


def flac_carriers(stream: BinaryIO) -> Iterator[str]:
    """Yield the name of every carrier."""
    stream.seek(0)
    if stream.read(4) != b"fLaC":
        yield "no FLAC header"
        return
    allowed = [0, 3, 4]
    while True:
        head = stream.read(4)
        kind, length = head[0] & 0x7F, int.from_bytes(head[1:4], "big")
        content = stream.read(length)
        if kind not in allowed or (allowed[0] == 0) != (kind == 0):
            yield f"block {kind} of {length} bytes"
            return
        allowed = allowed[allowed.index(kind) + 1 :]
        if kind == 0 and length != 34:
            yield f"{length} bytes of stream info"
        if kind == 4 and not only_gains(content):
            yield "comments"
        if kind == 3 and not _is_seek_table(content):
            yield "seek table"
        if head[0] & 0x80:
            break
    yield from _frames(stream)


def _is_seek_table(content: bytes) -> bool:
    points = [content[at : at + 18] for at in range(0, len(content), 18)]
    spare = [point for point in points if point[:8] == b"\xff" * 8]
    real = points[: len(points) - len(spare)]
    return (
        all(point == _BLANK_POINT for point in spare)
        and all(len(point) == 18 and point[:8] != b"\xff" * 8 for point in real)
        and real == sorted(real)
    )


def _frames(stream: BinaryIO) -> Iterator[str]:
    """Follow the running CRC; where it is zero, the next number has to stand."""
    start = stream.tell()
    size = stream.seek(0, os.SEEK_END)
    crc, at, number, frames = 0, start, None, 0
    for found, head in _heads(stream, start, size):
        crc, at = _advance(stream, at, found, crc), found
        if crc:
            continue
        if number not in (None, head[0]):
            yield f"frame {head[0]} at {found} instead of {number}"
        elif frames == 0 and found != start:
            yield f"{found - start} bytes before the first frame"
        number, frames = head[0] + head[1], frames + 1
    if _advance(stream, at, size, crc):
        yield "bytes behind the last frame"
    if not frames:
        yield "no frame"


def _heads(
    stream: BinaryIO, start: int, end: int
) -> Iterator[tuple[int, tuple[int, int]]]:
    """Return every place that looks like a frame's head, with number and step."""
    for origin in range(start, end, _PIECE):
        stream.seek(origin)
        piece = stream.read(_PIECE + _OVERLAP)
        for match in _HEAD.finditer(piece):
            head = _head(piece[match.start() : match.start() + _OVERLAP])
            if head and match.start() < _PIECE:
                yield origin + match.start(), head


def _head(data: bytes) -> tuple[int, int] | None:
    size_code, rate_code = data[2] >> 4, data[2] & 15
    extra = _extra(data[4])
    number_end = 5 + extra
    size_end = number_end + {6: 1, 7: 2}.get(size_code, 0)
    end = size_end + {12: 1, 13: 2, 14: 2}.get(rate_code, 0)
    if end >= len(data) or crc8.smbus(data[:end]) != data[end]:
        return None
    number = data[4] & (0x7F if extra == 0 else 0x3F >> extra)
    for byte in data[5:number_end]:
        number = number * 64 + (byte & 0x3F)
    if data[1] == 0xF8:
        return number, 1
    coded = int.from_bytes(data[number_end:size_end], "big") + 1
    tabled = 192 if size_code == 1 else 576 >> 2 << size_code if size_code < 6 else 0
    return number, (coded if size_code in (6, 7) else tabled or 1 << size_code)


def _extra(first: int) -> int:
    """Return how many bytes continue a UTF-8-like number that starts so."""
    ones = f"{first:08b}".index("0") if first < 0xFF else 8
    return max(0, ones - 1)


def _advance(stream: BinaryIO, at: int, end: int, crc: int) -> int:
    stream.seek(at)
    while at < end:
        piece = stream.read(min(_PIECE, end - at))
        crc, at = crc16.umts(piece, crc), at + len(piece)
    return crc
