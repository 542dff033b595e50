"""Names what an Ogg file carries besides its sound."""

import os
import struct
from collections.abc import Iterator
from typing import BinaryIO

from fastcrc import crc32

from functions.sanitizer.verify.tags import only_gains

_MAX_HEADERS = 1 << 22
# First bytes of a stream, its first packet's length, the count of headers, what stands
# before and behind the comments, and the start of a third header.
_CODECS = (
    (b"\x01vorbis", 30, 3, b"\x03vorbis", b"\1", b"\x05vorbis"),
    (b"\x80theora", 42, 3, b"\x81theora", b"", b"\x82theora"),
    (b"OpusHead", 0, 2, b"OpusTags", b"", b""),
    (b"Speex   1.2\0", 80, 2, b"", b"", b""),
    (b"\x7fFLAC\1\0\0\1fLaC\0\0\0\x22", 51, 2, b"\x84\0", b"", b""),
)


class _Stream:
    """What is known of one stream while its pages pass."""

    def __init__(self, first: bytes) -> None:
        self.packets, self.left, self.part = [first], 0, b""
        self.sound, self.before, self.behind, self.third = False, b"", b"", b""
        for magic, size, count, *parts in _CODECS:
            if first.startswith(magic):
                wanted = size or (21 + first[9] if first[18] else 19)
                spare = first[72:] if size == 80 else b""
                self.sound = len(first) == wanted and not any(spare)
                self.before, self.behind, self.third = parts
                self.left = count - 1

    def is_plain(self, packet: bytes) -> bool:
        """Whether a comment header says nothing but how loud to play."""
        start, end = len(self.before), len(packet) - len(self.behind)
        if self.before == b"\x84\0":  # of FLAC, with a length of its own
            start, self.before = 4, b"\x84" + (end - 4).to_bytes(3, "big")
        ends = packet.startswith(self.before) and packet.endswith(self.behind)
        return ends and only_gains(packet[start:end])


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
        if not streams[serial].sound or lacing.count(255) != len(lacing) - 1:
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
    if len(known.packets) == 2 and not known.is_plain(packet):
        yield f"a comment header of {len(packet)} bytes"
    if len(known.packets) == 3 and not packet.startswith(known.third):
        yield "a third header that is no set-up"
    elif len(known.packets) == 3 and known.behind and not packet[-1]:
        yield "bytes behind a set-up"  # its last bit says that it is whole
