"""What metadata blocks hold: kinds for the findings, and how the image is turned.

Values are looked at and forgotten. Everything here reads hostile bytes and never
raises: what cannot be followed is dropped all the same.
"""

import mmap
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from functions.sanitizer.findings import Finding

# Tag numbers: Exif 3.0 (CIPA DC-008), TIFF 6.0, TIFF/EP.
_ORIENTATION = 0x0112
_EXIF_IFD = 0x8769
_GPS_IFD = 0x8825
_KINDS = {
    _GPS_IFD: Finding.GPS_POSITION,
    0x927C: Finding.MAKER_NOTE,
    0xA431: Finding.CAMERA_SERIAL,  # body
    0xA435: Finding.CAMERA_SERIAL,  # lens
    0xC62F: Finding.CAMERA_SERIAL,  # DNG
    0x0132: Finding.TIMESTAMP,
    0x9003: Finding.TIMESTAMP,
    0x9004: Finding.TIMESTAMP,
    0x9286: Finding.COMMENT,
    0x9C9C: Finding.COMMENT,
    0x010E: Finding.TEXT,  # description
    0x013B: Finding.TEXT,  # artist
    0x8298: Finding.TEXT,  # copyright
    0xA430: Finding.TEXT,  # owner
    0x02BC: Finding.XMP,
    0x83BB: Finding.IPTC,
}
_TYPE_BYTES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 12: 8}
_MAX_ENTRIES = 1000
_XMP_KINDS = (
    (re.compile(rb"exif:GPS|GPSLatitude|Iptc4xmpExt:Location"), Finding.GPS_POSITION),
    (re.compile(rb"SerialNumber"), Finding.CAMERA_SERIAL),
    (re.compile(rb"xmpGImg:image|xmp:Thumbnails"), Finding.THUMBNAIL),
    (re.compile(rb"hdrgm:|HDRGainMap|\"GainMap\""), Finding.GAIN_MAP),
    (re.compile(rb"MotionPhoto|MicroVideo"), Finding.EMBEDDED_VIDEO),
    (re.compile(rb"(Create|Modify|Metadata)Date|DateCreated"), Finding.TIMESTAMP),
    (re.compile(rb"dcterms:provenance|c2pa"), Finding.CONTENT_CREDENTIALS),
)
_NOT_ZERO = re.compile(rb"[^\0]")
_XMP_ORIENTATION = re.compile(rb'tiff:Orientation(?:="|>)([0-9])')
_IRB_KINDS = {
    0x0404: Finding.IPTC,
    0x0409: Finding.THUMBNAIL,
    0x040C: Finding.THUMBNAIL,
    0x0422: Finding.EXIF,
    0x0424: Finding.XMP,
}


def oriented(orientation: int) -> bytes:
    """Return an EXIF block that says how a picture is turned, and nothing else."""
    entry = struct.pack(">HHIHxx", _ORIENTATION, 3, 1, orientation)
    return b"MM\0*\0\0\0\x08\0\1" + entry + bytes(4)


@dataclass
class Metadata:
    """What was found beside the picture, and how the picture is turned."""

    findings: set[Finding] = field(default_factory=set)
    exif_orientation: int = 0  # 0: none given
    xmp_orientation: int = 0

    @property
    def orientation(self) -> int:
        """1 to 8 as Exif numbers them; EXIF outweighs XMP, nonsense is upright."""
        value = self.exif_orientation or self.xmp_orientation
        return value if 1 <= value <= 8 else 1

    def saw(self, *findings: Finding) -> None:
        """Note kinds of data that will be gone."""
        self.findings.update(findings)

    def read_exif(self, block: bytes) -> None:
        """Take in a TIFF-structured EXIF block, with or without its `Exif` prefix."""
        self.saw(Finding.EXIF)
        while block.startswith(b"Exif\0\0"):
            block = block[6:]
        for entry in _entries(block):
            if entry.tag in _KINDS:
                self.saw(_KINDS[entry.tag])
            if entry.directory == 1:
                self.saw(Finding.THUMBNAIL)
            elif entry.tag == _ORIENTATION and not self.exif_orientation:
                self.exif_orientation = entry.first_number

    def read_xmp(self, packet: bytes) -> None:
        """Take in an XMP packet, or a part of an extended one."""
        self.saw(Finding.XMP)
        self.saw(*(kind for pattern, kind in _XMP_KINDS if pattern.search(packet)))
        turned = _XMP_ORIENTATION.search(packet)
        if turned and not self.xmp_orientation:
            self.xmp_orientation = int(turned[1])

    def read_photoshop(self, block: bytes) -> None:
        """Take in Photoshop image resources (8BIM)."""
        self.saw(Finding.APPLICATION_DATA)
        self.saw(*(_IRB_KINDS[n] for n in _resources(block) if n in _IRB_KINDS))

    def read_trailer(self, data: bytes | mmap.mmap, at: int) -> None:
        """Take in what follows the end of the picture: all of *data* from *at*."""
        if at >= len(data):
            return
        if not _NOT_ZERO.search(data, at):
            self.saw(Finding.PADDING)
            return
        self.saw(Finding.TRAILING_DATA)
        if data.find(b"ftyp", at) >= 0:
            self.saw(Finding.EMBEDDED_VIDEO)
        if data.find(b"\xff\xd8\xff", at) >= 0:
            self.saw(Finding.SECOND_IMAGE)


class _Entry(NamedTuple):
    directory: int  # 0: main, 1: thumbnail, 2: EXIF
    tag: int
    first_number: int


def _entries(block: bytes) -> Iterator[_Entry]:
    order = {b"II": "<", b"MM": ">"}.get(block[:2])
    if order is None or len(block) < 8:
        return
    todo = [(0, struct.unpack_from(f"{order}I", block, 4)[0])]
    seen: set[int] = set()
    while todo:
        directory, offset = todo.pop()
        if offset in seen or not 8 <= offset <= len(block) - 2:
            continue
        seen.add(offset)
        for entry in _directory(block, order, directory, offset):
            yield entry
            if entry.tag == _EXIF_IFD and directory == 0:
                todo.append((2, entry.first_number))
        following = _following(block, order, offset)
        if directory == 0 and following:
            todo.append((1, following))


def _directory(
    block: bytes, order: str, directory: int, offset: int
) -> Iterator[_Entry]:
    (count,) = struct.unpack_from(f"{order}H", block, offset)
    for index in range(min(count, _MAX_ENTRIES)):
        at = offset + 2 + 12 * index
        if at + 12 > len(block):
            return
        tag, kind = struct.unpack_from(f"{order}HH", block, at)
        letter = {1: "B", 2: "H"}.get(_TYPE_BYTES.get(kind, 4), "I")
        (number,) = struct.unpack_from(f"{order}{letter}", block, at + 8)
        yield _Entry(directory, tag, number)


def _following(block: bytes, order: str, offset: int) -> int:
    (count,) = struct.unpack_from(f"{order}H", block, offset)
    at = offset + 2 + 12 * count
    if at + 4 > len(block):
        return 0
    return int(struct.unpack_from(f"{order}I", block, at)[0])


def _resources(block: bytes) -> Iterator[int]:
    at = block.find(b"8BIM")
    while 0 <= at <= len(block) - 12:
        yield int.from_bytes(block[at + 4 : at + 6], "big")
        at = block.find(b"8BIM", at + 8)
