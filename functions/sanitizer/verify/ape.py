"""Names what a Monkey's Audio file carries besides its sound."""

import hashlib
import os
import struct
from collections.abc import Iterator
from typing import BinaryIO

from functions.sanitizer.verify.mpeg import tails
from functions.sanitizer.verify.tags import sound_end

_HEADS = 76  # bytes of descriptor and header
_PIECE = 1 << 20


def ape_carriers(stream: BinaryIO) -> Iterator[str]:
    """Yield the name of every carrier."""
    size = sound_end(stream, stream.seek(0, os.SEEK_END))
    stream.seek(0)
    heads = stream.read(_HEADS)
    if heads[:4] != b"MAC " or len(heads) < _HEADS or heads[5] < 3980 >> 8:
        yield "no header of Monkey's Audio"
        return
    table, packed, sound, high, tail = struct.unpack_from("<5I", heads, 16)
    if heads[6:16] != b"\0\0\x34\0\0\0\x18\0\0\0":
        yield "headers of another length"
    if packed or tail or high:
        yield f"{packed} bytes before and {tail} behind the sound"
    (count,) = struct.unpack_from("<I", heads, 64)
    if table != 4 * count or _HEADS + table + sound != size:
        yield "bytes that no frame holds"
        return
    seeks = stream.read(table)
    yield from _places(seeks, size)
    digest = hashlib.md5(usedforsecurity=False)
    while piece := stream.read(min(_PIECE, size - stream.tell())):
        digest.update(piece)
    digest.update(heads[52:] + seeks)
    if digest.digest() != heads[36:52]:
        yield "a checksum of something else"
    yield from tails(stream, size)


def _places(seeks: bytes, size: int) -> Iterator[str]:
    last = _HEADS + len(seeks) - 1
    for (place,) in struct.iter_unpack("<I", seeks):
        first = last < _HEADS + len(seeks)
        if place <= last or place >= size or (first and place != last + 1):
            yield f"a frame at {place} behind one at {last}"
            return
        last = place
