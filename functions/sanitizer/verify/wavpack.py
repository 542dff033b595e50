"""Names what a WavPack file carries besides its sound."""

import os
import struct
from collections.abc import Iterator
from typing import BinaryIO

from functions.sanitizer.verify.tags import sound_end

# Longest content of each sub-block that a decoder reads; of a bitstream any length.
_LONGEST = {2: 16, 3: 32, 4: 256, 5: 12, 6: 12, 7: 64, 8: 4, 9: 4, 13: 7}
_LONGEST |= {37: 8, 38: 16, 39: 4, 41: 16, 42: 256, 43: 256, 47: 4}
_STREAMS = {10, 11, 12, 14, 44}
_CHECKED = 0x10000000


def wavpack_carriers(stream: BinaryIO) -> Iterator[str]:
    """Yield the name of every carrier."""
    size = sound_end(stream, stream.seek(0, os.SEEK_END))
    at = 0
    while at < size:
        stream.seek(at)
        head = stream.read(32)
        magic, length = struct.unpack_from("<4sI", head)
        if magic != b"wvpk" or length < 24 or at + 8 + length > size:
            yield f"{size - at} bytes from {at} on that are no block"
            return
        (flags,) = struct.unpack_from("<I", head, 24)
        yield from _sub_blocks(stream, length - 24, checked=bool(flags & _CHECKED))
        at += 8 + length
    if not at:
        yield "no block"


def _sub_blocks(stream: BinaryIO, left: int, *, checked: bool) -> Iterator[str]:
    """Walk one block; the stream stands behind its head."""
    while left:
        first, *length = stream.read(4 if _is_large(stream) else 2)
        words = sum(byte << 8 * place for place, byte in enumerate(length))
        kind, size = first & 63, 2 * words - (first >> 6 & 1)
        left -= 1 + len(length) + 2 * words
        if left < 0 or size < 0:
            yield "a sub-block that is longer than its block"
            return
        if kind not in _STREAMS and size > _LONGEST.get(kind, -1):
            yield f"sub-block {kind} of {size} bytes"
        if kind == 47 and (left or not checked):
            yield "a checksum that nobody reads"
        stream.seek(size, os.SEEK_CUR)
        if first & 64 and stream.read(1) != b"\0":
            yield "padding byte"


def _is_large(stream: BinaryIO) -> bool:
    first = stream.read(1)
    stream.seek(-len(first), os.SEEK_CUR)
    return bool(first) and first[0] >= 0x80
