"""Names what a WAV file carries besides its sound."""

import os
import struct
from collections.abc import Iterator
from typing import BinaryIO

_FORMAT_BYTES = {1: 16, 2: 50, 3: 16, 6: 16, 7: 16, 0x11: 20, 0x31: 20, 0x55: 30}
_FORMAT_BYTES[0xFFFE] = 40
_ENDLESS = 0xFFFFFFFF


def wav_carriers(stream: BinaryIO) -> Iterator[str]:
    """Yield the name of every carrier."""
    size = stream.seek(0, os.SEEK_END)
    stream.seek(0)
    riff, riff_bytes, wave = struct.unpack("<4sI4s", stream.read(12))
    if (riff, wave) != (b"RIFF", b"WAVE"):
        yield "no WAV header"
        return
    allowed = [b"fmt ", b"fact", b"data"]
    end = 12
    while head := stream.read(8):
        name, length = struct.unpack("<4sI", head)
        start, end = stream.tell(), stream.tell() + length + length % 2
        if name not in allowed:
            yield f"chunk {name!r}"
            return
        allowed = allowed[allowed.index(name) + 1 :]
        yield from _chunk(stream, name, length, size - start)
        stream.seek(min(end, size))
    if allowed:
        yield "no data chunk"
    if riff_bytes not in (end - 8, _ENDLESS):
        yield f"RIFF length {riff_bytes}"


def _chunk(stream: BinaryIO, name: bytes, length: int, there: int) -> Iterator[str]:
    if name == b"fmt ":
        content = stream.read(min(length, 64))
        tag = int.from_bytes(content[:2], "little")
        if length != _FORMAT_BYTES.get(tag):
            yield f"{length} bytes of format"
        if (
            len(content) > 18
            and struct.unpack_from("<H", content, 16)[0] != length - 18
        ):
            yield "format set-up of another length"
    elif name == b"fact" and length != 4:
        yield f"{length} bytes of fact"
    elif name == b"data" and length % 2 and there > length:
        stream.seek(length, os.SEEK_CUR)
        if stream.read(1) != b"\0":
            yield "padding byte"
