"""Names what an AIFF or AIFF-C file carries besides its sound."""

import os
import struct
from collections.abc import Iterator
from typing import BinaryIO

_ENDLESS = 0xFFFFFFFF
_ORDERS = {
    b"AIFF": [b"COMM", b"CHAN", b"SSND"],
    b"AIFC": [b"FVER", b"COMM", b"CHAN", b"SSND"],
}
_HEADS = {(b"AIFF", b"COMM"): 18, (b"AIFC", b"COMM"): 24}
_HEADS |= {(b"AIFC", b"FVER"): 4, (b"AIFF", b"CHAN"): 12, (b"AIFC", b"CHAN"): 12}
_PRINTABLE = range(0x20, 0x7F)


def aiff_carriers(stream: BinaryIO) -> Iterator[str]:
    """Yield the name of every carrier."""
    size = stream.seek(0, os.SEEK_END)
    stream.seek(0)
    form, form_bytes, kind = struct.unpack(">4sI4s", stream.read(12))
    if form != b"FORM" or kind not in _ORDERS:
        yield "no AIFF header"
        return
    allowed = _ORDERS[kind]
    end = 12
    while head := stream.read(8):
        name, length = struct.unpack(">4sI", head)
        start, end = stream.tell(), stream.tell() + length + length % 2
        if name not in allowed:
            yield f"chunk {name!r}"
            return
        allowed = allowed[allowed.index(name) + 1 :]
        if name == b"SSND":
            yield from _sound(stream, length, size - start)
        else:
            yield from _head(kind, name, stream.read(length), length)
        stream.seek(min(end, size))
    if allowed:
        yield "no sound"
    if form_bytes not in (end - 8, _ENDLESS):
        yield f"FORM length {form_bytes}"


def _head(kind: bytes, name: bytes, content: bytes, length: int) -> Iterator[str]:
    if length != _HEADS[kind, name] or len(content) != length:
        yield f"{length} bytes of {name!r}"
    elif name == b"FVER" and content.hex() != "a2805140":
        yield "another version of AIFF-C"
    elif name == b"COMM" and content[22:].strip(b"\0"):
        yield "a coding's name in words"
    elif name == b"COMM" and any(byte not in _PRINTABLE for byte in content[18:22]):
        yield "a coding without a name"
    elif name == b"CHAN" and (content[8:] != bytes(4) or not any(content[:4])):
        yield "channels described"


def _sound(stream: BinaryIO, length: int, there: int) -> Iterator[str]:
    if stream.read(8) != bytes(8):
        yield "bytes before the sound"
    if length % 2 and there > length:
        stream.seek(length - 8, os.SEEK_CUR)
        if stream.read(1) != b"\0":
            yield "padding byte"
