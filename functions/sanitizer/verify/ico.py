"""What a rebuilt icon or cursor may consist of: a directory, then its images."""

import struct
from collections.abc import Iterator

from functions.sanitizer.verify.png import png_carriers

_ICON, _CURSOR = 1, 2
_PNG = b"\x89PNG\r\n\x1a\n"
_INFO = 40


def ico_carriers(data: bytes) -> Iterator[str]:
    """Name every byte that is not picture."""
    zero, kind, count = struct.unpack_from("<HHH", data)
    if zero or kind not in (_ICON, _CURSOR):
        yield "another header"
    end = 6 + 16 * count
    for at in range(6, end, 16):
        colours, reserved, planes, bits, size, offset = struct.unpack_from(
            "<2xBBHHII", data, at
        )
        if reserved or colours not in (0, 2, 16):
            yield "an entry with something else"
        if kind == _ICON and (planes != 1 or bits not in (0, 1, 4, 8, 16, 24, 32)):
            yield "an entry with something else"
        if offset != end:
            yield "bytes between images"
        end = offset + size
        image = data[offset:end]
        yield from png_carriers(image) if image[:8] == _PNG else _bitmap(image)
    if end != len(data):
        yield "bytes after the end"


def _bitmap(image: bytes) -> Iterator[str]:
    size, width, height, planes, bits, compression, pixel_bytes = struct.unpack_from(
        "<IiiHHII", image
    )
    used, important = struct.unpack_from("<II", image, 32)
    if (size, planes, compression, important) != (_INFO, 1, 0, 0) or height % 2:
        yield "a bitmap of another kind"
    if used > (1 << bits if bits <= 8 else 0):
        yield "palette entries that nothing can use"
    at, rows = _INFO + 4 * used, height // 2
    if any(image[_INFO + 3 : at : 4]):
        yield "palette entries with a fourth byte"
    stride, mask_stride = -(-width * bits // 32) * 4, -(-width // 32) * 4
    if pixel_bytes != (stride + mask_stride) * rows or at + pixel_bytes != len(image):
        yield "a bitmap of another size than its pixels"
    yield from _rows(image[at : at + stride * rows], stride, width * bits)
    yield from _rows(image[at + stride * rows :], mask_stride, width)


def _rows(pixels: bytes, stride: int, bits: int) -> Iterator[str]:
    for at in range(0, len(pixels), stride):
        row = int.from_bytes(pixels[at : at + stride], "big")
        if row & (1 << 8 * stride - bits) - 1:
            yield "bits beside the pixels"
            return
