"""BMP: written anew around its pixels, which keep every bit that means something.

Kept: pixels, their depth and masks, the order of rows, used palette entries, density,
calibration, an embedded profile. Run lengths are decoded. Gaps, padding, unused entries
and bits, a profile's path and what follows the end are dropped.
"""

import struct
from typing import BinaryIO

from PIL.BmpImagePlugin import BmpImageFile

from functions.sanitizer.findings import Finding
from functions.sanitizer.images import icc
from functions.sanitizer.images.bmp.dib import (
    Dib,
    header,
    only_used,
    palette,
    read_dib,
)
from functions.sanitizer.images.bmp.pixels import Pixels
from functions.sanitizer.images.exif import Metadata
from functions.sanitizer.images.pictures import Rebuilt, View
from functions.sanitizer.limits import Limits
from schemas.errors import Rejected

_FILE_HEADER_BYTES = 14


class BmpOfAnyKind(BmpImageFile):
    """Pillow's reader, which also opens what Pillow has no mode for."""

    def _open(self) -> None:
        try:
            super()._open()
        except OSError:
            self._mode = "RGB"


def rebuild(_source: BinaryIO, data: View, output: BinaryIO, limits: Limits) -> Rebuilt:
    """Write a BMP again without anything but its picture.

    Raises:
        Rejected: `unsupported_image`: JPEG or PNG inside, depths that nobody shows;
            `too_many_pixels`.
    """
    dib = read_dib(data, _FILE_HEADER_BYTES)
    if dib.width < 0:
        raise ValueError("a negative width")
    limits.admit(dib.width, dib.height)
    metadata = Metadata()
    at = _pixels_at(data, dib)
    pixels = Pixels(data, at, dib)
    profile = _profile(data, dib, metadata)
    table = _table(data, dib, pixels, metadata) if dib.indexed else b""
    _beside(data, dib, at, pixels.end, metadata)
    head = _head(dib, table, profile)
    output.write(head)
    for block, stored in pixels.blocks():
        output.write(block)
        if block != stored:
            metadata.saw(Finding.PADDING)
    output.write(profile)
    return Rebuilt((dib.width, dib.height), 1, metadata.findings)


def _pixels_at(data: View, dib: Dib) -> int:
    (at,) = struct.unpack_from("<I", data, 10)
    header_end = _FILE_HEADER_BYTES + int.from_bytes(data[14:18], "little")
    # Some forget their palette: pixels would begin where it does.
    if dib.indexed and at == header_end:
        return dib.pixels_at
    return at or dib.pixels_at


def _head(dib: Dib, table: bytes, profile: bytes) -> bytes:
    pixel_bytes = dib.stride * dib.height
    height = -dib.height if dib.top_down else dib.height
    rest = header(dib, pixel_bytes, profile, height) + table
    at = _FILE_HEADER_BYTES + len(rest)
    size = at + pixel_bytes + len(profile)
    if size >= 1 << 32:
        raise Rejected("unsupported_image", "more than four gigabytes")
    return b"BM" + struct.pack("<IHHI", size, 0, 0, at) + rest


def _table(data: View, dib: Dib, pixels: Pixels, metadata: Metadata) -> bytes:
    entries = palette(data, dib)
    kept = only_used(entries, pixels.used())
    if any(any(e) and e != k for e, k in zip(entries, kept, strict=True)):
        metadata.saw(Finding.HIDDEN_COLOURS)
    return b"".join(entry + b"\0" for entry in kept)


def _profile(data: View, dib: Dib, metadata: Metadata) -> bytes:
    at, size = dib.profile
    profile = icc.neutral(bytes(data[at : at + size])) if size else None
    if dib.linked or (size and (profile is None or profile.identifying)):
        metadata.saw(Finding.COLOUR_PROFILE)
    return profile.data if profile else b""


def _beside(data: View, dib: Dib, start: int, end: int, metadata: Metadata) -> None:
    """Note what is in the gaps before and behind the pixels."""
    if any(data[6:10]) or any(data[dib.pixels_at : start]):
        metadata.saw(Finding.APPLICATION_DATA)
    at, size = dib.profile
    if size and at >= end:
        if any(data[end:at]):
            metadata.saw(Finding.APPLICATION_DATA)
        end = at + size
    metadata.read_trailer(data, end)
