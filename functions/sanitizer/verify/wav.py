"""Names what a WAV file carries besides its sound."""

import os
import struct
from collections.abc import Generator, Iterator
from typing import BinaryIO

from functions.sanitizer.verify.mpeg import frames_only, tails

_FORMAT_BYTES = {1: 16, 2: 50, 3: 16, 6: 16, 7: 16, 0x11: 20, 0x31: 20, 0x55: 30}
_FORMAT_BYTES |= {0x50: 40, 0x2000: 16, 0x2001: 16, 0xFFFE: 40}
_MPEG = (0x50, 0x55)
_ENDLESS = 0xFFFFFFFF


def wav_carriers(stream: BinaryIO) -> Iterator[str]:
    """Yield the name of every carrier."""
    size = stream.seek(0, os.SEEK_END)
    stream.seek(0)
    riff, said, wave = struct.unpack("<4sI4s", stream.read(12))
    if riff not in (b"RIFF", b"RF64", b"BW64") or wave != b"WAVE":
        yield "no WAV header"
        return
    sound = None
    if riff != b"RIFF":
        found, said, sound = _large(stream.read(36), said)
        yield from found
    end = yield from _chunks(stream, size, sound)
    if said not in (end - 8, _ENDLESS):
        yield f"RIFF length {said}"


def _chunks(
    stream: BinaryIO, size: int, sound: int | None
) -> Generator[str, None, int]:
    """Name what is in the chunks; return where they end."""
    allowed = [b"fmt ", b"fact", b"data"]
    end, tag = stream.tell(), 0
    while head := stream.read(8):
        name, length = struct.unpack("<4sI", head)
        if name not in allowed:
            yield f"chunk {name!r}"
            return end
        if name == b"data" and sound is not None:
            yield from [] if length == _ENDLESS else ["a short length of a long sound"]
            length = sound
        start, end = stream.tell(), stream.tell() + length + length % 2
        allowed = allowed[allowed.index(name) + 1 :]
        yield from _chunk(stream, name, length, size - start)
        if name == b"fmt ":
            stream.seek(start)
            tag = int.from_bytes(stream.read(2), "little")
        if name == b"data" and tag in _MPEG and start < size:
            last = min(start + length, size)
            yield from (*frames_only(stream, start, last), *tails(stream, last))
        stream.seek(min(end, size))
    yield from ["no data chunk"] if allowed else []
    return end


def _large(head: bytes, said: int) -> tuple[list[str], int, int]:
    """Return what is wrong with `ds64`, and the lengths of the file and its sound."""
    name, length, total, sound, _, table = struct.unpack("<4sIQQQI", head)
    plain = (name, length, table, said) == (b"ds64", 28, 0, _ENDLESS)
    return [] if plain else ["ds64 with more than sizes"], total, sound


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
