"""What a rebuilt PNG may consist of: rows of samples, and what colours them."""

import re
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field

from functions.sanitizer.verify.icc import profile_carriers

_PROFILE_NAME = b"ICC profile\0\0"
_LENGTHS = {
    b"IHDR": (13,),
    b"gAMA": (4,),
    b"cHRM": (32,),
    b"sRGB": (1,),
    b"cICP": (4,),
    b"mDCV": (24,),
    b"cLLI": (8,),
    b"pHYs": (9,),
    b"sBIT": (1, 2, 3, 4),
    b"acTL": (8,),
    b"fcTL": (26,),
    b"IEND": (0,),
}
# An EXIF block of one directory with one tag: how the picture is turned.
_TURNED = re.compile(
    rb"MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0[\x02-\x08]\0{6}"
)
_MAX_FILTER = 4
_REPEATED = frozenset((b"IDAT", b"fdAT", b"fcTL"))
_SAMPLES = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_STARTS_AND_STEPS = (
    ((0, 8), (0, 8)),
    ((4, 8), (0, 8)),
    ((0, 4), (4, 8)),
    ((2, 4), (0, 4)),
    ((0, 2), (2, 4)),
    ((1, 2), (0, 2)),
    ((0, 1), (1, 2)),
)


@dataclass
class _Picture:
    width: int
    height: int
    pieces: list[memoryview] = field(default_factory=list)


def png_carriers(data: bytes) -> Iterator[str]:
    """Name every chunk and byte that is not picture."""
    if data[:8] != b"\x89PNG\r\n\x1a\n":
        yield "no signature"
    seen: set[bytes] = set()
    pictures: list[_Picture] = []
    at, header, whole = 8, data[16:29], memoryview(data)
    while at < len(data) and b"IEND" not in seen:
        size, kind = struct.unpack_from(">I4s", data, at)
        payload = whole[at + 8 : at + 8 + size]
        (crc,) = struct.unpack_from(">I", data, at + 8 + size)
        if crc != zlib.crc32(whole[at + 4 : at + 8 + size]):
            yield f"a checksum of {kind!r} that is data"
        if kind in seen - _REPEATED:
            yield f"a second {kind!r}"
        seen.add(kind)
        yield from _chunk(kind, payload, header[9])
        _collect(pictures, kind, payload, header)
        at += 12 + size
    if at != len(data) or b"IEND" not in seen:
        yield "bytes after the end"
    for picture in pictures:
        yield from _stream(picture, header)


def _chunk(kind: bytes, payload: memoryview, colour: int) -> Iterator[str]:
    if kind == b"iCCP":
        yield from _profile(bytes(payload))
    elif kind == b"PLTE":
        if colour != 3 or len(payload) > 768 or len(payload) % 3:
            yield "a palette that is none"
    elif kind == b"tRNS":
        if colour not in (0, 2, 3) or len(payload) > {0: 2, 2: 6, 3: 256}[colour]:
            yield "transparency that is none"
    elif kind == b"eXIf":
        if not _TURNED.fullmatch(payload):
            yield "EXIF beside the orientation"
    elif kind in (b"IDAT", b"fdAT"):
        return
    elif len(payload) not in _LENGTHS.get(kind, ()):
        yield f"chunk {kind!r}"


def _profile(payload: bytes) -> Iterator[str]:
    name, compressed = payload[: len(_PROFILE_NAME)], payload[len(_PROFILE_NAME) :]
    inflater = zlib.decompressobj()
    profile = inflater.decompress(compressed)
    if name != _PROFILE_NAME or inflater.unused_data or not inflater.eof:
        yield "bytes around the profile"
    yield from profile_carriers(profile)


def _collect(
    pictures: list[_Picture], kind: bytes, payload: memoryview, header: bytes
) -> None:
    if kind == b"fcTL":
        pictures.append(_Picture(*struct.unpack_from(">II", payload, 4)))
    elif kind == b"IDAT":
        if not pictures:
            pictures.append(_Picture(*struct.unpack_from(">II", header)))
        pictures[-1].pieces.append(payload)
    elif kind == b"fdAT":
        pictures[-1].pieces.append(payload[4:])


def _stream(picture: _Picture, header: bytes) -> Iterator[str]:
    """Inflate one picture; it must be its rows, and nothing else may follow them."""
    inflater = zlib.decompressobj()
    passes = _passes(picture, header)
    inflated = 0
    for piece in picture.pieces:
        rest: bytes | memoryview = piece
        while rest and not inflater.eof:
            block = inflater.decompress(rest, 1 << 20)
            if any(
                filters > _MAX_FILTER for filters in _filters(block, inflated, passes)
            ):
                yield "a filter that no row has"
                return
            inflated += len(block)
            rest = inflater.unconsumed_tail
        if rest and inflater.eof:
            yield "bytes behind a compressed picture"
    if inflater.unused_data or not inflater.eof:
        yield "bytes behind a compressed picture"
    if inflated != passes[-1].stop:
        yield "a picture of another size than its rows"


def _passes(picture: _Picture, header: bytes) -> list[range]:
    """Return where in the inflated picture the rows of each pass begin."""
    depth, colour, _, _, interlaced = header[8:13]
    at, found = 0, []
    steps = _STARTS_AND_STEPS if interlaced else (((0, 1), (0, 1)),)
    for across, down in steps:
        columns = len(range(across[0], picture.width, across[1]))
        lines = len(range(down[0], picture.height, down[1]))
        if columns and lines:
            stride = 1 + (columns * depth * _SAMPLES[colour] + 7) // 8
            found.append(range(at, at + lines * stride, stride))
            at += lines * stride
    return found


def _filters(block: bytes, at: int, passes: list[range]) -> Iterator[int]:
    """Yield the highest filter of each pass in *block*, which begins at *at*."""
    for rows in passes:
        first = rows.start + max(0, -(-(at - rows.start) // rows.step)) * rows.step
        filters = block[first - at : max(0, rows.stop - at) : rows.step]
        if filters:
            yield max(filters)
