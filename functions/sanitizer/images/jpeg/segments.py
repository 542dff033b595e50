"""What a JPEG consists of (ITU-T T.81, annex B): its picture, and what is beside it.

The picture is taken apart as a decoder takes it: tables count only if a scan uses them,
bytes between segments and behind the end don't count at all.
"""

import re
from dataclasses import dataclass, field

from functions.sanitizer.findings import Finding
from functions.sanitizer.images.exif import Metadata
from functions.sanitizer.images.jpeg.cost import samples, weight
from functions.sanitizer.images.jpeg.tables import Tables
from functions.sanitizer.images.pictures import View
from schemas.errors import Rejected

_SOS, _EOI, _DQT, _DHT, _DAC, _DRI = 0xDA, 0xD9, 0xDB, 0xC4, 0xCC, 0xDD
_APPLICATION, _COM = 0xE0, 0xFE
_BESIDE = frozenset((*range(0xE0, 0xF0), _COM))
_START = b"\xff\xd8"
_FRAMES = frozenset(range(0xC0, 0xD0)) - {_DHT, 0xC8, _DAC}
_SEQUENTIAL, _PROGRESSIVE, _ARITHMETIC = (0xC0, 0xC1), 0xC2, (0xC9, 0xCA)
# What has coefficients, one set of them: lossless and hierarchical pictures have not.
_TRANSFORMED = (*_SEQUENTIAL, _PROGRESSIVE, *_ARITHMETIC)
# A marker is 0xFF before anything but stuffing, restarts, fill and what stands alone.
_MARKER = re.compile(rb"\xff[^\x00\x01\xd0-\xd7\xff]")
# The same in coded data, where any other marker is a fault or hides something.
_END_OF_CODES = re.compile(rb"\xff[^\x00]")
_END_OF_RESTARTS = re.compile(rb"\xff[^\x00\xd0-\xd7]")
_NOT_FILL = re.compile(rb"[^\xff]")
# Of 64 KiB: no picture has more than a gigabyte of them.
_MAX_SEGMENTS = 20_000
# An extended XMP packet may hold a depth map; nobody writes more to tell us what it is.
_MAX_METADATA_BYTES = 16 << 20
_BLOCK = 64  # coefficients
_COEFFICIENT_BYTES = 2  # as decoders hold them
# Coding in stages takes three times as long. More code has no page that loads slowly.
_MOST_STAGED_BYTES = 32_000_000
_XMP = b"http://ns.adobe.com/x"  # xap/1.0/ and the extended xmp/extension/
_APPLICATIONS = (
    (0, b"JFXX\0", Finding.THUMBNAIL),
    (1, b"Exif\0", Finding.EXIF),  # behind a scan, where no viewer looks
    (2, b"MPF\0", Finding.SECOND_IMAGE),
    (2, b"urn:iso:std:iso:ts:21496:-1\0", Finding.GAIN_MAP),
    (11, b"JP", Finding.CONTENT_CREDENTIALS),
)


@dataclass
class Jpeg:
    """A picture, and what stands beside it."""

    metadata: Metadata = field(default_factory=Metadata)
    profile: dict[int, bytes] = field(default_factory=dict)
    exif: list[bytes] = field(default_factory=list)
    density: bytes = b""  # unit, across, down; empty without a JFIF header
    adobe_transform: int | None = None
    tables: Tables = field(default_factory=Tables)
    process: int = 0  # the frame's marker
    frame: bytes = b""
    scans: int = 0
    scanned: int = 0  # samples that scans go over, all together
    coded_bytes: int = 0
    raw: list[memoryview] = field(default_factory=list)
    metadata_bytes: int = 0
    sound: bool = True  # else decoders disagree: only what one makes of it counts
    exact: bool = True  # else something may hide in the coded data as they are
    damaged: bool = False  # as decoding told

    @property
    def size(self) -> tuple[int, int]:
        """Width and height as they are coded; nothing without a frame."""
        width, height = self.frame[3:5], self.frame[1:3]
        return int.from_bytes(width, "big"), int.from_bytes(height, "big")

    @property
    def progressive(self) -> bool:
        """Whether the picture comes in scans of growing detail."""
        return self.process in (_PROGRESSIVE, _ARITHMETIC[1])

    @property
    def staged(self) -> bool:
        """Whether it is to be progressive when it is coded again."""
        return self.progressive and self.coded_bytes <= _MOST_STAGED_BYTES

    @property
    def effort(self) -> int:
        """The coded bytes, as many as progressive ones that would take as long."""
        arithmetic = self.process in _ARITHMETIC
        return weight(
            self.coded_bytes, progressive=self.progressive, arithmetic=arithmetic
        )

    @property
    def coefficient_bytes(self) -> int:
        """What a decoder that holds all coefficients takes."""
        each = samples(self.size, self.components)
        return _COEFFICIENT_BYTES * sum(each.values())

    @property
    def plain(self) -> bool:
        """Whether there is one scan without restarts: nothing to look into twice."""
        return self.scans == 1 and not (self.progressive or self.tables.restarted)

    @property
    def complete(self) -> bool:
        """Whether decoders know all of the picture; else they smooth what they show."""
        settled = self.tables.settled
        return all(len(settled.get(c, ())) == _BLOCK for c, *_ in self.components)

    @property
    def components(self) -> list[tuple[int, int, int]]:
        """Each component's identifier, sampling factors and quantisation table."""
        parts = self.frame[6:]
        return list(zip(parts[::3], parts[1::3], parts[2::3], strict=True))

    def coded(self) -> list[bytes | memoryview]:
        """Return the picture, from its first table to the end marker, in parts.

        As it was found, if it is not sound: all but the segments of applications.
        """
        if not self.sound:
            return list(self.raw)
        frame = segment(self.process, self.frame)
        return [*self.tables.quantisation, frame, *self.tables.parts, b"\xff\xd9"]

    def cut(self, surplus: int) -> None:
        """Leave out so many bytes at the end of the last scan."""
        self.tables.parts[-1] = self.tables.parts[-1][:-surplus]


def segment(marker: int, payload: bytes) -> bytes:
    """Return a marker segment."""
    return bytes((0xFF, marker)) + (len(payload) + 2).to_bytes(2, "big") + payload


def last_code(data: bytes) -> int:
    """Return where the last coded byte of a JPEG begins, before its end marker."""
    at = len(data) - 3
    return at - 1 if data[at - 1 : at + 1] == b"\xff\0" else at  # one byte, stuffed


def read(data: View) -> Jpeg:
    """Take *data* apart.

    Raises:
        Rejected: `unreadable_image`: it has more segments than any picture needs.
    """
    jpeg = Jpeg()
    whole = memoryview(data)
    at, first_scan = 2, 0
    for _ in range(_MAX_SEGMENTS):
        marker, start = _next(jpeg, data, at)
        if marker == _EOI and not jpeg.frame and data[start : start + 2] == _START:
            at = start + 2  # there were tables only, for the picture that follows
            continue
        if not marker or marker == _EOI:
            break
        end = start + int.from_bytes(data[start : start + 2], "big")
        payload = bytes(whole[start + 2 : end])
        jpeg.sound &= 2 <= end - start == len(payload) + 2
        at = max(end, start)
        _take(jpeg, marker, payload)
        if marker == _SOS:
            first_scan = first_scan or start - 2
            at = _scan(jpeg, data, whole, payload, at)
        elif marker not in _BESIDE and not first_scan:
            jpeg.raw.append(whole[start - 2 : at])
    else:
        raise Rejected("unreadable_image", "it has too many segments")
    jpeg.raw.append(whole[first_scan or start : start])
    jpeg.sound &= marker == _EOI and bool(jpeg.frame) and bool(jpeg.scans)
    jpeg.exact &= len(jpeg.tables.settled) == len(jpeg.components)
    if jpeg.exif:
        jpeg.metadata.read_exif(b"".join(jpeg.exif))
    jpeg.metadata.read_trailer(data, start)
    return jpeg


def _next(jpeg: Jpeg, data: View, at: int) -> tuple[int, int]:
    """Return the next marker and where its segment goes on; 0 if there is none."""
    found = _MARKER.search(data, at)
    if not found:
        return 0, len(data)
    if _NOT_FILL.search(data, at, found.start()):
        jpeg.metadata.saw(Finding.PADDING)
    return data[found.end() - 1], found.end()


def _scan(jpeg: Jpeg, data: View, whole: memoryview, header: bytes, at: int) -> int:
    """Take in the coded data at *at*; return where they end."""
    ends = _END_OF_RESTARTS if jpeg.tables.restarts else _END_OF_CODES
    found = ends.search(data, at)
    end = found.start() if found else len(data)
    following = _MARKER.search(data, end)
    beyond = following.start() if following else len(data)
    if _NOT_FILL.search(data, end, beyond):  # fill is legal, and nothing else
        jpeg.exact = False
        end = beyond
    jpeg.scans += 1
    jpeg.coded_bytes += end - at
    each = samples(jpeg.size, jpeg.components)
    named = header[1 : 1 + 2 * header[0] : 2] if header else b""
    jpeg.scanned += sum(each.get(name, 0) for name in named)
    scanned = jpeg.tables.scan(jpeg.components, header, progressive=jpeg.progressive)
    jpeg.sound &= scanned
    jpeg.exact &= not (jpeg.tables.missing or jpeg.tables.odd)
    jpeg.tables.parts += [segment(_SOS, header), whole[at:end]]
    return beyond


def _take(jpeg: Jpeg, marker: int, payload: bytes) -> None:
    if marker == _COM:
        jpeg.metadata.saw(Finding.COMMENT)
    elif marker in _BESIDE:
        _take_application(jpeg, marker - _APPLICATION, payload)
    elif marker in _FRAMES:
        _take_frame(jpeg, marker, payload)
    elif marker in (_DQT, _DHT, _DRI):
        jpeg.sound &= jpeg.tables.define(marker, payload)
    elif marker == _DAC:
        jpeg.tables.parts.append(segment(marker, payload))
    elif marker != _SOS:
        jpeg.sound = False  # reserved, or hierarchical: decoders stop there


def _take_frame(jpeg: Jpeg, marker: int, payload: bytes) -> None:
    whole = len(payload) > 6 and len(payload) == 6 + 3 * payload[5]
    jpeg.sound &= whole and not jpeg.frame
    # Grey, colours, inks; some have names twice, which libjpeg finds its way with.
    jpeg.sound &= len(set(payload[6::3])) in (1, 3, 4)
    jpeg.sound &= len(set(payload[6::3])) * 3 == len(payload) - 6
    jpeg.sound &= payload[:1] == b"\x08" and marker in _TRANSFORMED
    jpeg.exact &= marker not in _ARITHMETIC
    if whole and not jpeg.frame:
        jpeg.process, jpeg.frame = marker, payload


def _take_application(jpeg: Jpeg, number: int, payload: bytes) -> None:
    metadata, early = jpeg.metadata, not jpeg.scans  # later ones colour nothing
    jpeg.metadata_bytes += len(payload)
    if jpeg.metadata_bytes > _MAX_METADATA_BYTES:
        metadata.saw(Finding.APPLICATION_DATA)
        return
    match number:
        case 0 if payload.startswith(b"JFIF\0") and len(payload) >= 14:
            if early:
                jpeg.density = payload[7:12]
            metadata.saw(*([Finding.THUMBNAIL] if len(payload) > 14 else []))
        case 1 if payload.startswith(b"Exif\0") and early:
            jpeg.exif.append(payload[6:])
        case 1 if payload.startswith(_XMP):
            metadata.read_xmp(payload)
        case 2 if payload.startswith(b"ICC_PROFILE\0") and len(payload) > 14 and early:
            jpeg.profile[payload[12]] = payload[14:]
        case 13:
            metadata.read_photoshop(payload)
        case 14 if payload.startswith(b"Adobe") and len(payload) >= 12:
            if early:
                jpeg.adobe_transform = payload[11]
            metadata.saw(*([Finding.APPLICATION_DATA] if len(payload) > 12 else []))
        case _:
            metadata.saw(_application(number, payload))


def _application(number: int, payload: bytes) -> Finding:
    for carrier, prefix, finding in _APPLICATIONS:
        if number == carrier and payload.startswith(prefix):
            return finding
    return Finding.APPLICATION_DATA
