"""Names what an MP3 file (or MP1, MP2) carries besides its sound."""

import os
from collections.abc import Iterator
from typing import BinaryIO

from functions.sanitizer.verify.tags import sound_start

_SLOTS = {  # kbit/s by MPEG-1 or not, and layer bits of the header
    (1, 3): (0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (1, 2): (0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (1, 1): (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (0, 3): (0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (0, 2): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (0, 1): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_HERTZ = (44_100, 48_000, 32_000)
_TAILS = {  # bytes before the end
    b"TAG": 128,
    b"APETAGEX": 32,
    b"3DI": 10,
    b"LYRICS200": 9,
    b"LYRICSEND": 9,
}


def mpeg_carriers(stream: BinaryIO) -> Iterator[str]:
    """Yield the name of every carrier."""
    size = stream.seek(0, os.SEEK_END)
    yield from frames_only(stream, sound_start(stream), size)
    yield from tails(stream, size)


def frames_only(stream: BinaryIO, start: int, end: int) -> Iterator[str]:
    """Name what is no frame between *start* and *end*."""
    at = start
    while at < end:
        stream.seek(at)
        length = _length(stream.read(4))
        if not length:
            yield f"{end - at} bytes from {at} on that are no frame"
            return
        if at == start:
            yield from _encoder(stream, start, length)
        at += length
    if at == start:
        yield "no frame"


def tails(stream: BinaryIO, end: int) -> Iterator[str]:
    """Name every tag that ends at *end*: a last frame that is cut might hold it."""
    for magic, back in _TAILS.items():
        stream.seek(max(0, end - back))
        if end >= back and stream.read(len(magic)) == magic:
            yield f"tag {magic!r}"


def _length(head: bytes) -> int:
    """Return the frame's length in bytes; 0 if no frame starts so."""
    if len(head) < 4 or head[0] != 0xFF or head[1] < 0xE0:
        return 0
    version, layer = head[1] >> 3 & 3, head[1] >> 1 & 3
    rate, index, padding = head[2] >> 2 & 3, head[2] >> 4, head[2] >> 1 & 1
    if version == 1 or layer == 0 or rate == 3 or not 0 < index < 15:
        return 0
    bits = _SLOTS[int(version == 3), layer][index] * 1000
    hertz = _HERTZ[rate] >> {3: 0, 2: 1, 0: 2}[version]
    if layer == 3:
        return (12 * bits // hertz + padding) * 4
    return (72 if layer == 1 and version != 3 else 144) * bits // hertz + padding


def _encoder(stream: BinaryIO, start: int, length: int) -> Iterator[str]:
    """Look behind an encoder's header: the rest of its frame has to be zeros."""
    stream.seek(start)
    frame = stream.read(length)
    mpeg1, mono = (frame[1] & 0x18) == 0x18, frame[3] >= 0xC0
    at = (21 if mono else 36) if mpeg1 else (13 if mono else 21)
    end, head = len(frame), 0
    if frame[36:40] == b"VBRI":
        head = 36
        points, width = frame[54:56], frame[58:60]
        end = 62 + int.from_bytes(points, "big") * int.from_bytes(width, "big")
    elif frame[at : at + 4] in (b"Xing", b"Info"):
        flags = frame[at + 7]
        head, seeks = at, at + 8 + 4 * (flags & 1) + 2 * (flags & 2)
        end = seeks + 25 * (flags & 4) + (flags & 8) // 2
        if flags & 4 and list(frame[seeks : seeks + 100]) != sorted(
            frame[seeks:][:100]
        ):
            yield "seeks that go backwards"
        if frame[end : end + 4] in (b"LAME", b"Lavf", b"Lavc", b"GOGO", b"L3.9"):
            letters = frame[end + 4 : end + 9].strip(b"0123456789. \0")
            yield from ["an encoder's name"] if len(letters) > 1 else []
            end += 36
    if any(frame[4 + 2 * (frame[1] + 1 & 1) : head]):
        yield "bytes before the encoder's header"
    if any(frame[end:]):
        yield "bytes behind the encoder's header"
