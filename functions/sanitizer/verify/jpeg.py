"""What a clean JPEG may consist of: used tables, one picture, its colours, its top."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from functions.sanitizer.verify.icc import profile_carriers
from functions.sanitizer.verify.jpeg_tables import Ledger

_SOI, _EOI, _SOS, _DQT, _DHT, _DRI = 0xD8, 0xD9, 0xDA, 0xDB, 0xC4, 0xDD
_FRAMES = frozenset((0xC0, 0xC1, 0xC2))  # what libjpeg writes
_PROGRESSIVE = 0xC2
_END_OF_CODES = re.compile(rb"\xff[^\x00]")
_END_OF_RESTARTS = re.compile(rb"\xff[^\x00\xd0-\xd7]")
# An EXIF block of one entry: how the picture is turned (CIPA DC-008, 4.6.4).
_ORIENTATION = (
    b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0",
    b"\0\0\0\0\0\0",
)


@dataclass
class _Seen:
    tables: Ledger = field(default_factory=Ledger)
    applications: list[int] = field(default_factory=list)
    profile: bytes = b""
    chunks: list[tuple[int, int]] = field(default_factory=list)
    frames: int = 0
    progressive: bool = False
    components: bytes = b""  # identifiers
    scans: int = 0
    restarts: int = 0


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
            ends = _END_OF_RESTARTS if seen.restarts else _END_OF_CODES
            found = ends.search(data, at)
            at = found.start() if found else len(data)
    if at + 2 != len(data):
        yield "bytes after the end"
    yield from _whole(seen)


def _whole(seen: _Seen) -> Iterator[str]:
    if seen.frames != 1 or not seen.scans:
        yield "not exactly one picture"
    yield from seen.tables.unused()
    if len(set(seen.applications)) != len(seen.applications):
        yield "an application segment that comes twice"
    count = len(seen.chunks)
    if seen.chunks != [(number + 1, count) for number in range(count)]:
        yield "parts of a profile in disorder"
    if seen.profile:
        yield from profile_carriers(seen.profile)


def _segment(seen: _Seen, marker: int, payload: bytes) -> Iterator[str]:
    if marker in _FRAMES:
        yield from _frame(seen, marker, payload)
    elif marker == _SOS:
        seen.scans += 1
        if not set(payload[1:-3:2]) <= set(seen.components):
            yield "a scan of something else"
        yield from seen.tables.scan(payload, progressive=seen.progressive)
    elif marker == _DQT:
        yield from seen.tables.quantise(payload)
    elif marker == _DHT:
        yield from seen.tables.code(payload)
    elif marker == _DRI and len(payload) == 2:
        seen.restarts = int.from_bytes(payload, "big")
    elif seen.frames:
        yield f"segment FF{marker:02X} behind the frame"
    else:
        yield from _application(seen, marker, payload)


def _frame(seen: _Seen, marker: int, payload: bytes) -> Iterator[str]:
    seen.frames += 1
    seen.progressive = marker == _PROGRESSIVE
    seen.components = payload[6::3]
    used = set(payload[8::3])
    if len(payload) != 6 + 3 * payload[5]:
        yield "bytes in the frame header"
    if not used <= seen.tables.quantisation.keys():
        yield "a component without a quantisation table"
    seen.tables.quantisation |= dict.fromkeys(used, True)


def _application(seen: _Seen, marker: int, payload: bytes) -> Iterator[str]:
    if marker == 0xE2 and payload[:12] == b"ICC_PROFILE\0" and len(payload) > 14:
        seen.profile += payload[14:]
        seen.chunks.append((payload[12], payload[13]))
        return
    seen.applications.append(marker)
    if marker == 0xE0 and payload[:5] == b"JFIF\0":
        if len(payload) != 14 or payload[12:] != b"\0\0":
            yield "a thumbnail in the JFIF header"
        if payload[5:7] != b"\1\1" or payload[7] > 2:
            yield "numbers in the JFIF header"
    elif marker == 0xEE and payload[:5] == b"Adobe":
        if len(payload) != 12 or payload[5:11] != b"\0\x64\0\0\0\0" or payload[11] > 2:
            yield "bytes in the Adobe segment"
    elif marker == 0xE1 and payload[:4] == b"Exif":
        before, after = _ORIENTATION
        if payload not in [before + bytes([n]) + after for n in range(2, 9)]:
            yield "more than the orientation in an EXIF block"
    else:
        yield f"segment FF{marker:02X}"
