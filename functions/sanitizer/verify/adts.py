"""Names what a file of raw AAC carries besides its frames."""

import os
from collections.abc import Iterator
from typing import BinaryIO

from functions.sanitizer.verify.mpeg import tails
from functions.sanitizer.verify.tags import sound_start

_RATES = 13  # indices of sample rates that exist
_PIECE = 1 << 20


def adts_carriers(stream: BinaryIO) -> Iterator[str]:
    """Yield the name of every carrier."""
    start, size = sound_start(stream), stream.seek(0, os.SEEK_END)
    at, origin, piece = start, start, b""
    while at < size:
        if at + 7 > origin + len(piece):
            stream.seek(at)
            origin, piece = at, stream.read(_PIECE)
        length = _length(piece[at - origin : at - origin + 7])
        if not length:
            yield f"{size - at} bytes from {at} on that are no frame"
            return
        at += length
    if at == start:
        yield "no frame"
    yield from tails(stream, size)


def _length(head: bytes) -> int:
    """Return the frame's length in bytes; 0 if no frame starts so.

    Of a frame that was cut before its length only what is there can be judged.
    """
    if head[0] != 0xFF or (len(head) > 1 and head[1] & 0xF6 != 0xF0):
        return 0
    if len(head) < 7:
        return len(head)
    length = (head[3] & 3) << 11 | head[4] << 3 | head[5] >> 5
    valid = head[2] >> 2 & 15 < _RATES and length > 7
    return length if valid else 0
