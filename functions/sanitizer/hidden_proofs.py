"""Whether bytes that look like the start of a picture are one.

Each proof makes a chance hit less likely than one in 2^45 at any place; all of them
read a bounded part of the file, from a place that the file may have made up.
"""

import binascii
import re
import struct
from typing import BinaryIO

# The first is enough for most; the second reaches behind the longest JPEG segment.
ENCODED_BYTES = (1 << 10, 128 << 10)
_MIN_ENCODED = 64
_ESCAPED = (
    (b"\\u002B", b"+"),
    (b"\\u002b", b"+"),
    (b"%2B", b"+"),
    (b"%2b", b"+"),
    (b"%2F", b"/"),
    (b"%2f", b"/"),
    (b"\\r", b""),
    (b"\\n", b""),
    (b"\\", b""),
    (b"-", b"+"),  # the alphabet for addresses
    (b"_", b"/"),
)
_SPACE = b" \t\r\n"
_BASE64 = re.compile(rb"[A-Za-z0-9+/]*")
_XMP = re.compile(rb"<\w{1,8}:x[am]pmeta\s[^<>]*[\"']adobe:ns:meta/[\"'][^<>]*>")
_TIFF = re.compile(rb"II\*\0..?.?\0|MM\0\*\0", re.DOTALL)


def is_jpeg(source: BinaryIO, at: int) -> bool:
    """Whether a start marker is followed by two segments and another marker."""
    return _segments(source, at + 2)


def is_headless_jpeg(source: BinaryIO, at: int) -> bool:
    """Whether two segments and another marker stand here."""
    return _segments(source, at)


def is_gif(source: BinaryIO, at: int) -> bool:
    """Whether a screen and a picture, or an extension that holds, stand here."""
    screen = _read(source, at, 13)
    if len(screen) < 13:
        return False
    table = 3 << (screen[10] & 7) + 1 if screen[10] & 0x80 else 0
    block = _read(source, at + 13 + table, 11)
    if len(block) < 11:
        return False
    if block[0] == 0x21:
        return block[1] in (0xF9, 0xFE, 0xFF, 0x01) and block[2] > 0
    return block[0] == 0x2C and (block[9] & 0x80 > 0 or 2 <= block[10] <= 11)


def is_tiff(source: BinaryIO, at: int) -> bool:
    """Whether a directory with tags in order and types that exist is pointed to."""
    header = _read(source, at, 16)
    order = "<" if header.startswith(b"II") else ">"
    big = b"+" in header[2:4]
    offset_at, number, count_as, width = (8, "Q", "Q", 20) if big else (4, "I", "H", 12)
    try:
        (offset,) = struct.unpack_from(f"{order}{number}", header, offset_at)
        if not 8 <= offset < 1 << 40:
            return False
        directory = _read(source, at + offset, 8 + 512 * width)
        (count,) = struct.unpack_from(f"{order}{count_as}", directory)
        first = struct.calcsize(count_as)
        heads = [
            struct.unpack_from(f"{order}HH", directory, first + width * index)
            for index in range(count if 1 <= count <= 512 else 0)
        ]
    except struct.error:
        return False
    tags = [tag for tag, _ in heads]
    return bool(tags) and tags == sorted(tags) and all(1 <= k <= 18 for _, k in heads)


def is_codestream(source: BinaryIO, at: int) -> bool:
    """Whether a JPEG 2000 codestream begins here: its size segment fits itself."""
    segment = _read(source, at + 4, 38)
    if len(segment) < 38:
        return False
    size, components = int.from_bytes(segment[:2], "big"), segment[36:38]
    return size == 38 + 3 * int.from_bytes(components, "big") > 38


def is_xmp(source: BinaryIO, at: int) -> bool:
    """Whether this namespace is the one of an XMP packet's element."""
    start = max(0, at - 256)
    return _XMP.search(_read(source, start, at - start + 512)) is not None


def begins_tiff(data: bytes) -> bool:
    """Whether this is how a TIFF below 16 MB begins: its directory may be far away."""
    return _TIFF.match(data) is not None


def decoded(source: BinaryIO, at: int, size: int) -> bytes:
    """Return what is encoded as base64 around *at*; nothing if that is too little.

    Args:
        at: of a JPEG behind the first character, which may be escaped; of HEIF behind
            the first six.
        size: how much text is looked at.
    """
    text = _read(source, at, size)
    if text.startswith(b"9j"):
        text = b"/" + text
    elif text.startswith(b"Z0e"):
        text = _read(source, max(0, at - 6), 6) + text
    for escaped, plain in _ESCAPED:
        text = text.replace(escaped, plain)
    found = _BASE64.match(text.translate(None, _SPACE))
    run = found[0] if found else b""
    if len(run) < _MIN_ENCODED:
        return b""
    return binascii.a2b_base64(run[: len(run) // 4 * 4])


def _segments(source: BinaryIO, at: int) -> bool:
    for _ in range(2):
        head = _read(source, at, 4)
        if len(head) < 4 or head[0] != 0xFF or not 0xC0 <= head[1] <= 0xFE:
            return False
        at += 2 + int.from_bytes(head[2:], "big")
    following = _read(source, at, 2)
    return following[:1] == b"\xff" and following[1:] >= b"\xc0"


def _read(source: BinaryIO, at: int, size: int) -> bytes:
    source.seek(at)
    return source.read(size)
