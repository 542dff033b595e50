"""What a rebuilt WebP may consist of: coded pictures, place and timing, colours."""

import re
from collections.abc import Iterator

from functions.sanitizer.verify.icc import profile_carriers

_PICTURES = (b"VP8 ", b"VP8L")
_EXIF, _XMP = 0x08, 0x04
# An EXIF block of one directory with one tag: how the picture is turned.
_TURNED = re.compile(
    rb"MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0[\x02-\x08]\0{6}"
)
_RESERVED = 0xC1


def webp_carriers(data: bytes) -> Iterator[str]:
    """Name every chunk and byte that is not picture."""
    if data[:4] != b"RIFF" or data[8:12] != b"WEBP":
        yield "no signature"
    if int.from_bytes(data[4:8], "little") + 8 != len(data):
        yield "bytes after the end"
    kinds = []
    for kind, payload in _chunks(data, 12):
        kinds.append(kind)
        yield from _chunk(kind, payload)
    animated, stills = b"ANMF" in kinds, sum(kinds.count(k) for k in _PICTURES)
    if kinds.count(b"EXIF") != (b"VP8X" in kinds and data[20] & _EXIF > 0):
        yield "EXIF that the header does not promise"
    if stills != (0 if animated else 1):
        yield "not exactly one picture"


def _chunks(data: bytes, at: int) -> Iterator[tuple[bytes, bytes]]:
    while at < len(data):
        kind, size = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        padded = size + size % 2
        if at + 8 + padded > len(data) or any(data[at + 8 + size : at + 8 + padded]):
            raise ValueError("padding that is data")
        yield kind, data[at + 8 : at + 8 + size]
        at += 8 + padded


def _chunk(kind: bytes, payload: bytes) -> Iterator[str]:
    if kind == b"VP8X":
        if len(payload) != 10 or payload[0] & (_RESERVED | _XMP):
            yield "an extended header that promises more"
        if any(payload[1:4]):
            yield "reserved bytes of the extended header"
    elif kind == b"ANIM":
        if len(payload) != 6:
            yield "bytes in the animation header"
    elif kind == b"ICCP":
        yield from profile_carriers(payload)
    elif kind == b"EXIF":
        if not _TURNED.fullmatch(payload):
            yield "EXIF beside the orientation"
    elif kind == b"ANMF":
        yield from _frame(payload)
    else:
        yield from _picture(kind, payload)


def _frame(payload: bytes) -> Iterator[str]:
    if payload[15] & 0xFC:
        yield "reserved bits of a frame"
    kinds = []
    for kind, inner in _chunks(payload, 16):
        kinds.append(kind)
        yield from _picture(kind, inner)
    if sum(kinds.count(k) for k in _PICTURES) != 1:
        yield "not exactly one picture in a frame"


def _picture(kind: bytes, payload: bytes) -> Iterator[str]:
    starts = {
        b"VP8 ": payload[3:6] == b"\x9d\x01\x2a",
        b"VP8L": payload[:1] == b"\x2f",
        b"ALPH": len(payload) > 1 and payload[0] & 0xC0 == 0,
    }
    if kind not in starts:
        yield f"chunk {kind!r}"
    elif not starts[kind]:
        yield f"no bitstream in {kind!r}"
