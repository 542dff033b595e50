"""What a rebuilt BMP may consist of: headers, a palette, rows, perhaps a profile."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from functions.sanitizer.verify.icc import profile_carriers

_INFO, _V4, _V5 = 40, 108, 124
_BIT_FIELDS = 3
_FILE_HEADER = 14


@dataclass
class _Header:
    """Numbers of the bitmap's header."""

    size: int
    width: int
    height: int
    bits: int
    compression: int
    masks: tuple[int, ...]
    used: int

    @property
    def stride(self) -> int:
        return -(-self.width * self.bits // 32) * 4


def bmp_carriers(data: bytes) -> Iterator[str]:
    """Name every byte that is not picture."""
    signature, size, reserved, pixels_at = struct.unpack_from("<2sIII", data)
    if signature != b"BM" or size != len(data) or reserved:
        yield "a file header with something else"
    head = _header(data)
    yield from _odd(data, head)
    table_at = _FILE_HEADER + head.size
    if head.size == _INFO and head.compression == _BIT_FIELDS:
        table_at += 12
    entries = head.used
    if entries > (1 << head.bits if head.bits <= 8 else 0):
        yield "palette entries that nothing can use"
    if pixels_at != table_at + 4 * entries:
        yield "bytes before the pixels"
    if any(data[table_at + 3 : pixels_at : 4]):
        yield "palette entries with a fourth byte"
    end = pixels_at + head.stride * head.height
    yield from _rows(head, memoryview(data)[pixels_at:end])
    yield from _profile(data, head, end)


def _header(data: bytes) -> _Header:
    size, width, height, _, bits, compression = struct.unpack_from(
        "<IiiHHI", data, _FILE_HEADER
    )
    masks: tuple[int, ...] = (0xFFFFFFFF,)
    if compression == _BIT_FIELDS:
        masks = struct.unpack_from("<3I" if size == _INFO else "<4I", data, 54)
    elif bits == 16:
        masks = (0x7FFF,)
    elif bits == 32:
        masks = (0xFFFFFF,)
    (used,) = struct.unpack_from("<I", data, _FILE_HEADER + 32)
    return _Header(size, width, abs(height), bits, compression, masks, used)


def _odd(data: bytes, head: _Header) -> Iterator[str]:
    planes, pixel_bytes, important = struct.unpack_from(
        "<H6xI12xI", data, _FILE_HEADER + 12
    )
    if head.size not in (_INFO, _V4, _V5) or planes != 1 or important:
        yield "a header with something else"
    if head.compression not in (0, _BIT_FIELDS) or head.bits not in (
        1,
        4,
        8,
        16,
        24,
        32,
    ):
        yield "pixels of another kind"
    if pixel_bytes != head.stride * head.height:
        yield "pixels of another size"
    if head.size == _INFO:
        return
    if head.compression != _BIT_FIELDS and any(data[54:70]):
        yield "masks of nothing"
    kind = data[70:74]
    if kind not in (bytes(4), b"BGRs", b"DEBM") or (
        kind != bytes(4) and any(data[74:122])
    ):
        yield "a colour space that is none"
    if (kind == b"DEBM") != (head.size == _V5):
        yield "a profile that is none"


def _rows(head: _Header, pixels: memoryview) -> Iterator[str]:
    if len(pixels) != head.stride * head.height:
        yield "pixels that end early"
    columns = dict.fromkeys(range(-(-head.width * head.bits // 8), head.stride), 0)
    if odd := head.width * head.bits % 8:
        columns[head.width * head.bits // 8] = 0xFF00 >> odd & 0xFF
    if any(_has(pixels, at, head.stride, seen) for at, seen in columns.items()):
        yield "bits beside the pixels"
    used = 0
    for mask in head.masks:
        used |= mask
    lanes = used.to_bytes(4, "little")[: head.bits // 8] if head.bits > 8 else b""
    if any(_has(pixels, at, len(lanes), seen) for at, seen in enumerate(lanes)):
        yield "bits that no mask has"


def _has(pixels: memoryview, first: int, step: int, seen: int) -> bool:
    """Say whether any byte from *first* on in steps of *step* has other bits."""
    if seen == 0xFF:
        return False
    unseen = bytes(byte & ~seen for byte in range(256))
    return bool(bytes(pixels[first::step]).translate(unseen).strip(b"\0"))


def _profile(data: bytes, head: _Header, end: int) -> Iterator[str]:
    if head.size != _V5:
        if end != len(data):
            yield "bytes after the end"
        return
    intent, at, size, reserved = struct.unpack_from("<4I", data, _FILE_HEADER + 108)
    if intent not in (1, 2, 4, 8) or reserved or _FILE_HEADER + at != end:
        yield "bytes before the profile"
    if end + size != len(data):
        yield "bytes after the end"
    yield from profile_carriers(data[end:])
