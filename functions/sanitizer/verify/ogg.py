"""Names what an Ogg file carries besides its sound."""

import os
import struct
from collections.abc import Iterator
from typing import BinaryIO

from fastcrc import crc32

_NO_COMMENT = b"\x08\0\0\0pratique\0\0\0\0"
_MAX_HEADERS = 1 << 22
# First bytes of a stream, its first packet's length, and the comment packet.
_CODECS = (
    (b"\x01vorbis", 30, 3, b"\x03vorbis" + _NO_COMMENT + b"\1"),
    (b"OpusHead", 0, 2, b"OpusTags" + _NO_COMMENT),
    (b"Speex   1.2\0", 80, 2, _NO_COMMENT),
    (b"\x7fFLAC\1\0\0\1fLaC\0\0\0\x22", 51, 2, b"\x84\0\0\x10" + _NO_COMMENT),
)


class _Stream:
    """What is known of one stream while its pages pass."""

    def __init__(self, first: bytes) -> None:
        self.packets, self.left, self.part = [first], 0, b""
        self.comment: bytes | None = None
        for magic, size, count, comment in _CODECS:
            if first.startswith(magic):
                wanted = size or (21 + first[9] if first[18] else 19)
                self.comment = comment if len(first) == wanted else None
                self.left = count - 1


def ogg_carriers(stream: BinaryIO) -> Iterator[str]:
    """Yield the name of every carrier."""
    size = stream.seek(0, os.SEEK_END)
    streams: dict[int, _Stream] = {}
    at = 0
    while at < size:
        stream.seek(at)
        head = stream.read(27)
        lacing = stream.read(head[26]) if len(head) == 27 else b""
        body = stream.read(sum(lacing))
        fault = _fault(head, lacing, body)
        if fault:
            yield f"{fault} at {at}"
            return
        yield from _page(streams, head, lacing, body)
        at += 27 + len(lacing) + len(body)
    if not streams or any(known.left for known in streams.values()):
        yield "headers without an end"


def _fault(head: bytes, lacing: bytes, body: bytes) -> str:
    """Say what is wrong with a page as such."""
    if head[:5] != b"OggS\0" or len(lacing) != head[26] or len(body) != sum(lacing):
        return "bytes that are no page"
    if head[5] > 7:
        return "unknown flags"
    crc = crc32.cksum(head[:22] + bytes(4) + head[26:] + lacing + body) ^ 0xFFFFFFFF
    return "" if head[22:26] == struct.pack("<I", crc) else "wrong checksum"


def _page(
    streams: dict[int, _Stream], head: bytes, lacing: bytes, body: bytes
) -> Iterator[str]:
    (serial,) = struct.unpack_from("<I", head, 14)
    if head[5] & 2:
        streams[serial] = _Stream(body)
        if streams[serial].comment is None or lacing.count(255) != len(lacing) - 1:
            yield "a stream that is no sound"
    elif serial not in streams:
        yield "a page of no stream"
    elif streams[serial].left:
        yield from _headers(streams[serial], lacing, body)


def _headers(known: _Stream, lacing: bytes, body: bytes) -> Iterator[str]:
    for length in lacing:
        if not known.left:
            yield "sound in a page of headers"
            return
        known.part, body = known.part + body[:length], body[length:]
        if length < 255:
            yield from _header(known, known.part)
            known.part = b""
            known.left -= 1
    if len(known.part) > _MAX_HEADERS:
        yield "a header without an end"


def _header(known: _Stream, packet: bytes) -> Iterator[str]:
    known.packets.append(packet)
    if len(known.packets) == 2 and packet != known.comment:
        yield f"a comment header of {len(packet)} bytes"
    if len(known.packets) == 3 and not packet.startswith(b"\x05vorbis"):
        yield "a third header that is no set-up"
