"""Pictures and EXIF where none belongs: behind junk, in containers, under other names.

A file that is no image passes untouched, so nobody may carry a picture past the
sanitizer in it. Compressed containers hide theirs from us: a ZIP or PDF that stores
JPEGs as they are is found out, one that deflates them is not.
"""

import re
import struct
from collections.abc import Callable, Iterator
from typing import BinaryIO

_BLOCK = 1 << 20
# Longer than any signature, so that none is cut in two by a block's end.
_OVERLAP = 64
_HEIF = rb"(?:mif1|mif2|msf1|miaf|hei[cxms]|hev[cxms]|avif|avis|crx )"
_CERTAIN = re.compile(
    rb"\x89PNG\r\n\x1a\n|\x8aMNG\r\n\x1a\n|\x8bJNG\r\n\x1a\n"
    rb"|Exif\0\0|<x:xmpmeta|http://ns\.adobe\.com/xap/1\.0/\0"
    rb"|RIFF....WEBPVP8[ LX]"
    rb"|\0\0\0.ftyp(?:.{8}(?:.{4}){0,3})?" + _HEIF + rb"|\0\0\0\x0cjP  \r\n\x87\n"
    rb"|\0\0\0\x0cJXL \r\n\x87\n|\xff\x4f\xff\x51\0"
    rb"|FUJIFILMCCD-RAW|II\x1a\0\0\0HEAPCCDR|8BPS\0\x01\0{6}",
    re.DOTALL,
)
_POSSIBLE = re.compile(
    rb"(?P<jpeg>\xff\xd8\xff[\xc0-\xfe])|(?P<gif>GIF8[79]a)"
    rb"|(?P<tiff>II[*+]\0|MM\0[*+]|IIRO|IIRS|MMOR|IIU\0)",
)


def carries_image(source: BinaryIO) -> bool:
    """Say whether *source* has an image or EXIF signature anywhere; constant memory."""
    for at, block in _blocks(source):
        if _CERTAIN.search(block):
            return True
        for found in _POSSIBLE.finditer(block):
            check = _CHECKS[str(found.lastgroup)]
            if check(source, at + found.start()):
                return True
    return False


def _blocks(source: BinaryIO) -> Iterator[tuple[int, bytes]]:
    at, block = 0, b""
    while True:
        source.seek(at + len(block))
        read = source.read(_BLOCK)
        if not read:
            return
        kept = block[-_OVERLAP:]
        at += len(block) - len(kept)
        block = kept + read
        yield at, block


def _read(source: BinaryIO, at: int, size: int) -> bytes:
    source.seek(at)
    return source.read(size)


def _is_jpeg(source: BinaryIO, at: int) -> bool:
    """Two segments, each followed by another marker."""
    at += 2
    for _ in range(2):
        head = _read(source, at, 4)
        if len(head) < 4 or head[0] != 0xFF or not 0xC0 <= head[1] <= 0xFE:
            return False
        at += 2 + int.from_bytes(head[2:], "big")
    following = _read(source, at, 2)
    return following[:1] == b"\xff" and following[1:] >= b"\xc0"


def _is_gif(source: BinaryIO, at: int) -> bool:
    """A screen, then a picture or an extension whose own structure holds."""
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


def _is_tiff(source: BinaryIO, at: int) -> bool:
    """A directory with tags in order and types that exist."""
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


_CHECKS: dict[str, Callable[[BinaryIO, int], bool]] = {
    "jpeg": _is_jpeg,
    "gif": _is_gif,
    "tiff": _is_tiff,
}
