"""JPEG 2000: a new file around the coded tiles, which keep every bit.

Kept of JP2's boxes: what says how samples become colours, and resolution. A codestream
without a file around it stays one.
Source: ISO/IEC 15444-1 (ITU-T T.800), Annex I.
"""

import struct
from typing import BinaryIO

from PIL.Jpeg2KImagePlugin import Jpeg2KImageFile

from functions.sanitizer.findings import Finding
from functions.sanitizer.images import icc
from functions.sanitizer.images.exif import Metadata
from functions.sanitizer.images.isobmff import Box, boxes, file_boxes, packed
from functions.sanitizer.images.jp2.codestream import Codestream, codestream
from functions.sanitizer.images.pictures import Rebuilt, View
from functions.sanitizer.limits import Limits

_SIGNATURE = packed(b"jP  ", b"\r\n\x87\n")
_TYPE = packed(b"ftyp", b"jp2 ", bytes(4), b"jp2 ")
_KINDS = {
    b"xml ": Finding.XMP,
    b"jp2i": Finding.APPLICATION_DATA,
    b"uinf": Finding.TEXT,
    b"jumb": Finding.CONTENT_CREDENTIALS,
    b"jp2c": Finding.HIDDEN_IMAGE,
    b"jP  ": None,
    b"ftyp": None,
    b"jp2h": None,
}
_UUIDS = {
    bytes.fromhex("be7acfcb97a942e89c71999491e3afac"): Finding.XMP,
    b"JpgTiffExif->JP2": Finding.EXIF,
    bytes.fromhex("33c7a4d2b81d4723a0baf1a3e097ad38"): Finding.IPTC,
    bytes.fromhex("b14bf8bd083d4b43a5ae8cd7d5a6ce03"): Finding.GPS_POSITION,  # GeoTIFF
}
_ENUMERATED, _RESTRICTED, _ANY_PROFILE = 1, 2, 3
_LAB = 14
# Larger pictures are decoded at a half or a quarter of their size, to prove them.
_LARGE_PIXELS = 8_000_000
_MOST_PALETTE_BYTES = 1024 * 4 * 4 + 3 + 4


def rebuild(_source: BinaryIO, data: View, output: BinaryIO, limits: Limits) -> Rebuilt:
    """Write a JPEG 2000 picture again without anything but its picture.

    Raises:
        Rejected: `too_many_pixels`, `unsupported_image`; what else goes wrong is for
            `decoding` to name.
    """
    metadata = Metadata()
    if data[:2] == b"\xff\x4f":
        written = codestream(data, 0, len(data), limits)
        metadata.read_trailer(data, written.end)
    else:
        written = _file(data, output, limits, metadata)
    output.writelines(written.pieces)
    metadata.saw(*written.findings)
    _prove(output, written)
    return Rebuilt(written.size, 1, metadata.findings)


def _file(
    data: View, output: BinaryIO, limits: Limits, metadata: Metadata
) -> Codestream:
    found, end = file_boxes(data)
    first = {box.kind: box for box in reversed(found)}
    if b"jp2h" not in first or b"jp2c" not in first:
        raise ValueError("no picture")
    picture = first[b"jp2c"]
    written = codestream(data, picture.start, picture.end, limits)
    header = _header(data, first[b"jp2h"], metadata)
    size = 8 + sum(map(len, written.pieces))
    output.write(_SIGNATURE + _TYPE + packed(b"jp2h", *header))
    output.write(struct.pack(">I4s", size, b"jp2c"))
    for box in found:
        if box not in (picture, first[b"jp2h"]):
            _name(data, box, metadata)
    metadata.read_trailer(data[: picture.end], written.end)
    metadata.read_trailer(data, end)
    return written


def _name(data: View, box: Box, metadata: Metadata) -> None:
    if box.kind == b"uuid":
        kind = bytes(data[box.start : box.start + 16])
        metadata.saw(_UUIDS.get(kind, Finding.APPLICATION_DATA))
        return
    found = _KINDS.get(box.kind, Finding.APPLICATION_DATA)
    if found:
        metadata.saw(found)


def _header(data: View, box: Box, metadata: Metadata) -> list[bytes]:
    kept: list[bytes] = []
    for child in boxes(data, box.start, box.end):
        content = child.of(data)
        match child.kind:
            case b"ihdr" if len(content) == 14:
                # The last byte says whether rights to the picture are described.
                kept.append(packed(b"ihdr", content[:13], b"\0"))
            case b"bpcc" if len(content) <= 4:
                kept.append(packed(b"bpcc", content))
            case b"colr":
                kept += _colours(content, metadata)
            case b"pclr" if len(content) <= _MOST_PALETTE_BYTES:
                kept.append(packed(b"pclr", _palette(content)))
            case b"cmap" if len(content) <= 16:
                kept.append(packed(b"cmap", content[: len(content) // 4 * 4]))
            case b"cdef":
                (count,) = struct.unpack_from(">H", content)
                kept.append(packed(b"cdef", content[: 2 + 6 * min(count, 8)]))
            case b"res ":
                kept += _resolution(data, child)
            case _:
                metadata.saw(Finding.APPLICATION_DATA)
    return kept


def _palette(content: bytes) -> bytes:
    (entries,) = struct.unpack_from(">H", content)
    depths = content[3 : 3 + content[2]]
    size = sum(((depth & 0x7F) + 8) // 8 for depth in depths)
    end = 3 + len(depths) + entries * size
    if end > len(content):
        raise ValueError("a palette that ends early")
    return content[:end]


def _colours(content: bytes, metadata: Metadata) -> list[bytes]:
    method = content[0]
    if method == _ENUMERATED:
        (space,) = struct.unpack_from(">I", content, 3)
        parameters = content[7:35] if space == _LAB and len(content) >= 35 else b""
        number = struct.pack(">I", space)
        return [packed(b"colr", bytes([method, 0, 0]), number, parameters)]
    profile = None
    if method in (_RESTRICTED, _ANY_PROFILE):
        profile = icc.neutral(content[3:])
    if profile is None or profile.identifying:
        metadata.saw(Finding.COLOUR_PROFILE)
    return [packed(b"colr", bytes([method, 0, 0]), profile.data)] if profile else []


def _resolution(data: View, box: Box) -> list[bytes]:
    kept = [
        packed(child.kind, child.of(data))
        for child in boxes(data, box.start, box.end)
        if child.kind in (b"resc", b"resd") and child.end - child.start == 10
    ]
    return [packed(b"res ", *kept[:2])] if kept else []


def _prove(output: BinaryIO, written: Codestream) -> None:
    """Decode the result; a large one with less detail.

    Raises:
        ValueError: it is another size than its codestream says.
    """
    output.flush()
    output.seek(0)
    image = Jpeg2KImageFile(output)
    if image.size != written.size:
        raise ValueError("it shows something else")
    if image.size[0] * image.size[1] > _LARGE_PIXELS:
        image.reduce = min(2, written.levels)
    image.load()
