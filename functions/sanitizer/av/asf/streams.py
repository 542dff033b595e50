"""What an ASF header says of its streams: sound and pictures of codecs on a list."""

import struct
from typing import NamedTuple

from functions.sanitizer.av.asf.objects import (
    EXTENDED_STREAM,
    STREAM_PROPERTIES,
    guid,
    written,
)
from functions.sanitizer.av.asf.packets import USER_DATA
from functions.sanitizer.av.scan import unreadable

_SOUND = guid("f8699e40-5b4d-11cf-a8fd-00805f5c442b")
_VIDEO = guid("bc19efc0-5b4d-11cf-a8fd-00805f5c442b")
_NO_CORRECTION = guid("20fb5700-5b55-11cf-a8fd-00805f5c442b")
_SPREAD = guid("bfc3cd50-618f-11cf-8bb2-00aa00b4e220")
# Bytes of set-up behind a WAVEFORMATEX, at most, by format tag.
_SETUP = {
    0x0001: 0,  # PCM
    0x0002: 32,  # Microsoft ADPCM
    0x0003: 0,  # float
    0x0006: 0,  # A-law
    0x0007: 0,  # µ-law
    0x000A: 46,  # Windows Media Audio Voice
    0x0011: 2,  # IMA ADPCM
    0x0050: 22,  # MPEG layers I and II
    0x0055: 12,  # MPEG layer III
    0x0160: 4,  # Windows Media Audio 1
    0x0161: 10,  # Windows Media Audio 2 to 9
    0x0162: 18,  # Windows Media Audio Professional
    0x0163: 18,  # Windows Media Audio Lossless
}
# Bytes of set-up behind a BITMAPINFOHEADER, at most. Motion JPEG is not on the list:
# its pictures would carry their own EXIF.
_PICTURES = {
    b"WMV1": 8,
    b"WMV2": 8,
    b"WMV3": 8,
    b"WVC1": 64,
    b"WMVA": 64,
    b"WMVP": 8,
    b"WVP2": 8,
    b"MSS1": 64,
    b"MSS2": 64,
    b"MPG4": 0,
    b"MP41": 0,
    b"MP42": 0,
    b"MP43": 0,
}
START_CODED = (b"WVC1", b"WMVA")  # VC-1 advanced: has start codes, so user data too
# What a packet says of an object besides its time: how many bytes that are.
_EXTENSIONS = {
    guid("c6bd9450-867f-4907-83a3-c77921b733ad"): 2,  # duration
    guid("1b1ee554-f9ea-4bc8-821a-376b74e4c4b8"): 2,  # shape of a pixel
}


class Stream(NamedTuple):
    """A stream: its number, and what is in its packets.

    Attributes:
        coding: of a video, else nothing.
    """

    number: int
    coding: bytes
    raw: bytes


def stream(body: bytes) -> Stream:
    """Return the clean form of a Stream Properties object.

    Raises:
        Rejected: it is neither sound nor pictures, or coded in another way.
    """
    kind, correction, offset, size, spread, flags, _ = struct.unpack_from(
        "<16s16sQIIHI", body
    )
    own = body[54 : 54 + size]
    if len(own) < size or flags & 0x8000:
        raise unreadable("a stream is protected, or its description cut off")
    if kind == _SOUND:
        clean, coding = _sound(own), b""
    elif kind == _VIDEO:
        clean, coding = _pictures(own)
    else:
        raise unreadable("a stream is neither sound nor pictures")
    correction, extra = _correction(correction, body[54 + size :][:spread])
    head = struct.pack(
        "<16s16sQIIHI",
        *(kind, correction, offset, len(clean), len(extra), flags & 0x7F, 0),
    )
    raw = written(STREAM_PROPERTIES, head + clean + extra)
    return Stream(flags & 0x7F, coding, raw)


def extended(body: bytes) -> tuple[bytes, int, int, Stream | None]:
    """Return the clean form of an Extended Stream Properties object.

    Returns:
        the object, its stream's number, how many bytes its packets' extensions have,
        and the stream that may be described in it.
    """
    number, _, frame_time, names, systems = struct.unpack_from("<HHQHH", body, 48)
    at = 64
    for _ in range(names):
        at += 4 + struct.unpack_from("<H", body, at + 2)[0]
    kept, extra = b"", 0
    for _ in range(systems):
        kind, size, info = struct.unpack_from("<16sHI", body, at)
        if _EXTENSIONS.get(kind) != size:
            raise unreadable("a stream's packets carry data that is not on the list")
        kept += struct.pack("<16sHI", kind, size, 0)
        at, extra = at + 22 + info, extra + size
    if len(body) > at and body[at : at + 16] != STREAM_PROPERTIES:
        raise unreadable("a stream's description holds something else")
    inner = stream(body[at + 24 :]) if len(body) > at else None
    head = body[:48] + struct.pack("<HHQHH", number, 0, frame_time, 0, systems)
    clean = written(EXTENDED_STREAM, head + kept + (inner.raw if inner else b""))
    return clean, number, extra, inner


def _sound(own: bytes) -> bytes:
    (tag,) = struct.unpack_from("<H", own)
    size = struct.unpack_from("<H", own, 16)[0] if len(own) >= 18 else 0
    if len(own) < 16 or size > _SETUP.get(tag, -1) or 18 + size > max(len(own), 18):
        raise unreadable("the sound is coded in a way that is not on the list")
    return own[:16] + struct.pack("<H", size) + own[18 : 18 + size]


def _pictures(own: bytes) -> tuple[bytes, bytes]:
    width, height, _, size = struct.unpack_from("<IIBH", own)
    told = own[11 : 11 + size]
    coding = told[16:20].upper()
    extra = told[40:]
    if len(told) < max(size, 40) or len(extra) > _PICTURES.get(coding, -1):
        raise unreadable("the pictures are coded in a way that is not on the list")
    if coding in START_CODED and USER_DATA.search(extra):
        raise unreadable("the pictures carry text")
    layout = struct.pack("<I", len(told)) + told[4:40]
    return struct.pack("<IIBH", width, height, 2, len(told)) + layout + extra, coding


def _correction(kind: bytes, data: bytes) -> tuple[bytes, bytes]:
    """Return how packets are spread, without the coded silence for lost ones."""
    if kind != _SPREAD or len(data) < 7:
        return _NO_CORRECTION, b""
    silence = struct.unpack_from("<H", data, 5)[0]
    return _SPREAD, data[:7] + bytes(min(silence, len(data) - 7))
