"""JPEG: decoded and encoded again with its own tables (ITU-T T.81).

Bytes can hide between restarts, in unused tables and behind the last coded block, so
nothing coded is carried over: libjpeg writes every byte of the result.
"""

import re
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from PIL.JpegImagePlugin import JpegImageFile

from functions.sanitizer.findings import Finding
from functions.sanitizer.images import icc
from functions.sanitizer.images.exif import Metadata
from functions.sanitizer.images.jpeg_picture import as_coded, encoding, opened
from functions.sanitizer.images.pictures import Rebuilt, View, turned, turned_size
from functions.sanitizer.limits import Limits

_SOS, _EOI, _COM = 0xDA, 0xD9, 0xFE
_STANDALONE = frozenset((0x00, 0x01, 0xFF, 0xD8, *range(0xD0, 0xD8)))
_PROGRESSIVE = (0xC2, 0xC6, 0xCA, 0xCE)
# In coded data a marker is 0xFF before anything but stuffing, restarts and fill.
_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
_XMP = b"http://ns.adobe.com/x"  # xap/1.0/ and the extended xmp/extension/
_APPLICATIONS = (
    (0, b"JFXX\0", Finding.THUMBNAIL),
    (2, b"MPF\0", Finding.SECOND_IMAGE),
    (2, b"urn:iso:std:iso:ts:21496:-1\0", Finding.GAIN_MAP),
    (11, b"JP", Finding.CONTENT_CREDENTIALS),
)


@dataclass
class _Segments:
    """What stands beside the coded picture."""

    metadata: Metadata = field(default_factory=Metadata)
    profile: dict[int, bytes] = field(default_factory=dict)
    exif: bytes = b""
    progressive: bool = False
    scans: int = 0
    adobe_transform: int | None = None
    jfif: bool = False


def rebuild(source: BinaryIO, data: View, output: BinaryIO, limits: Limits) -> Rebuilt:
    """Write *source* again without anything but its picture.

    Raises:
        Rejected: `too_many_pixels`, `too_many_scans`; what else goes wrong is for
            `decoding` to name.
    """
    segments = _read(data)
    image = opened(source)
    limits.admit(*image.size)
    limits.admit_scans(*image.size, segments.scans)
    orientation = segments.metadata.orientation
    size = turned_size(image.size, orientation)
    as_rgb = image.mode == "RGB" and _stored_as_rgb(image, segments)
    options = encoding(image, orientation, as_rgb=as_rgb)
    options |= _beside(image, segments)
    picture = turned(as_coded(source, image, as_rgb=as_rgb), orientation)
    picture.info = {}  # the encoder would take a comment from here
    picture.save(output, "JPEG", **options)
    return Rebuilt(size, findings=segments.metadata.findings)


def _beside(image: JpegImageFile, segments: _Segments) -> dict[str, Any]:
    """What is written beside the picture."""
    options: dict[str, Any] = {"progressive": segments.progressive}
    if profile := icc.neutral(_joined(segments.profile)):
        options["icc_profile"] = profile.data
    if segments.profile and (profile is None or profile.identifying):
        segments.metadata.saw(Finding.COLOUR_PROFILE)
    in_inches = image.info.get("jfif_unit") in (1, 2)  # else Pillow asks EXIF
    density = image.info.get("dpi") if in_inches else None
    if density and all(1 <= value <= 65535 for value in density):
        options["dpi"] = density
    return options


def _stored_as_rgb(image: JpegImageFile, segments: _Segments) -> bool:
    """Whether libjpeg takes three components for RGB rather than YCbCr."""
    if segments.jfif:
        return False
    if segments.adobe_transform is not None:
        return segments.adobe_transform == 0
    return [component[0] for component in image.layer] == list(b"RGB")


def _joined(parts: dict[int, bytes]) -> bytes:
    return b"".join(parts[number] for number in sorted(parts))


def _read(data: View) -> _Segments:
    segments = _Segments()
    at = 2
    while at < len(data) - 3:
        if data[at] != 0xFF or data[at + 1] in _STANDALONE:
            at = _next_ff(data, at + 1)
            continue
        marker = data[at + 1]
        if marker == _EOI:
            at += 2
            break
        end = at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        _take(segments, marker, data[at + 4 : end])
        at = _next_marker(data, end) if marker == _SOS else max(end, at + 2)
    if segments.exif:
        segments.metadata.read_exif(segments.exif)
    segments.metadata.read_trailer(data, _end(data, at))
    return segments


def _next_ff(data: View, at: int) -> int:
    found = data.find(b"\xff", at)
    return found if found >= 0 else len(data)


def _next_marker(data: View, at: int) -> int:
    found = _MARKER.search(data, at)
    return found.start() if found else len(data)


def _end(data: View, at: int) -> int:
    """Where the picture ends; *at* may stand just before the end marker."""
    return at + 2 if data[at : at + 2] == b"\xff\xd9" else at


def _take(segments: _Segments, marker: int, payload: bytes) -> None:
    if 0xE0 <= marker <= 0xEF:
        _take_application(segments, marker - 0xE0, payload)
    elif marker == _COM:
        segments.metadata.saw(Finding.COMMENT)
    elif marker in _PROGRESSIVE:
        segments.progressive = True
    elif marker == _SOS:
        segments.scans += 1


def _take_application(segments: _Segments, number: int, payload: bytes) -> None:
    metadata = segments.metadata
    match number:
        case 0 if payload.startswith(b"JFIF\0"):
            segments.jfif = True
            metadata.saw(*([Finding.THUMBNAIL] if len(payload) > 14 else []))
        case 1 if payload.startswith(b"Exif\0"):
            segments.exif += payload[6:]
        case 1 if payload.startswith(_XMP):
            metadata.read_xmp(payload)
        case 2 if payload.startswith(b"ICC_PROFILE\0") and len(payload) > 14:
            segments.profile[payload[12]] = payload[14:]
        case 13:
            metadata.read_photoshop(payload)
        case 14 if payload.startswith(b"Adobe") and len(payload) >= 12:
            segments.adobe_transform = payload[11]
            metadata.saw(*([Finding.APPLICATION_DATA] if len(payload) > 12 else []))
        case _:
            metadata.saw(_application(number, payload))


def _application(number: int, payload: bytes) -> Finding:
    for segment, prefix, finding in _APPLICATIONS:
        if number == segment and payload.startswith(prefix):
            return finding
    return Finding.APPLICATION_DATA
