"""What a rebuilt JPEG may consist of: used tables, one picture, its colours."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from functions.sanitizer.verify.icc import profile_carriers

_SOI, _EOI, _SOS, _DQT, _DHT, _DRI = 0xD8, 0xD9, 0xDA, 0xDB, 0xC4, 0xDD
_FRAMES = frozenset((0xC0, 0xC1, 0xC2))  # what libjpeg writes
_END_OF_CODES = re.compile(rb"\xff[^\x00\xd0-\xd7]")


@dataclass
class _Seen:
    quantisation: set[int] = field(default_factory=set)
    quantisation_used: set[int] = field(default_factory=set)
    profile: bytes = b""
    frames: int = 0
    scans: int = 0


def jpeg_carriers(data: bytes) -> Iterator[str]:
    """Name every segment and byte that is not picture."""
    seen = _Seen()
    if data[:2] != bytes((0xFF, _SOI)):
        yield "no start"
    at = 2
    while data[at : at + 2] != bytes((0xFF, _EOI)):
        if data[at : at + 1] != b"\xff":
            yield "bytes where a segment should be"
            return
        marker, size = data[at + 1], int.from_bytes(data[at + 2 : at + 4], "big")
        payload = data[at + 4 : at + 2 + size]
        if size < 2 or len(payload) != size - 2:
            yield "a segment beyond the end"
            return
        yield from _segment(seen, marker, payload)
        at += 2 + size
        if marker == _SOS:
            found = _END_OF_CODES.search(data, at)
            at = found.start() if found else len(data)
    if at + 2 != len(data):
        yield "bytes after the end"
    if seen.frames != 1 or not seen.scans:
        yield "not exactly one picture"
    if seen.quantisation - seen.quantisation_used:
        yield "an unused quantisation table"
    if seen.profile:
        yield from profile_carriers(seen.profile)


def _segment(seen: _Seen, marker: int, payload: bytes) -> Iterator[str]:
    if marker in _FRAMES:
        seen.frames += 1
        seen.quantisation_used |= set(payload[8::3])
        if len(payload) != 6 + 3 * payload[5]:
            yield "bytes in the frame header"
    elif marker == _SOS:
        seen.scans += 1
        if len(payload) != 4 + 2 * payload[0]:
            yield "bytes in the scan header"
    elif marker == _DQT:
        yield from _quantisation(seen, payload)
    elif marker == _DHT:
        yield from _huffman(payload)
    elif marker == _DRI and len(payload) == 2:
        pass
    else:
        yield from _application(seen, marker, payload)


def _quantisation(seen: _Seen, payload: bytes) -> Iterator[str]:
    at = 0
    while at < len(payload):
        seen.quantisation.add(payload[at] & 15)
        at += 129 if payload[at] >> 4 else 65
    if at != len(payload):
        yield "bytes in a quantisation table"


def _huffman(payload: bytes) -> Iterator[str]:
    at = 0
    while at < len(payload):
        at += 17 + sum(payload[at + 1 : at + 17])
    if at != len(payload):
        yield "bytes in a Huffman table"


def _application(seen: _Seen, marker: int, payload: bytes) -> Iterator[str]:
    if marker == 0xE0 and payload[:5] == b"JFIF\0":
        if len(payload) != 14 or payload[12:] != b"\0\0":
            yield "a thumbnail in the JFIF header"
    elif marker == 0xEE and payload[:5] == b"Adobe":
        if len(payload) != 12:
            yield "bytes in the Adobe segment"
    elif marker == 0xE2 and payload[:12] == b"ICC_PROFILE\0":
        seen.profile += payload[14:]
    else:
        yield f"segment FF{marker:02X}"
