"""Names what an ASF file (WMA, WMV) carries besides its coded sound and pictures."""

import os
import struct
from collections.abc import Iterator
from typing import BinaryIO
from uuid import UUID

_HEADER = "75b22630-668e-11cf-a6d9-00aa0062ce6c"
_DATA = "75b22636-668e-11cf-a6d9-00aa0062ce6c"
_INDEX = "33000890-e5b1-11cf-89f4-00a0c90349cb"
_EXTENSION = "5fbf03b5-a92e-11cf-8ee3-00c00c205365"
_FILE = "8cabdca1-a947-11cf-8ee4-00c00c205365"
_STREAM = "b7dc0791-a9b7-11cf-8ee6-00c00c205365"
_STREAM_MORE = "14e6a5cb-c672-4332-8399-a96952065b5a"
_SOUND = "f8699e40-5b4d-11cf-a8fd-00805f5c442b"
_VIDEO = "bc19efc0-5b4d-11cf-a8fd-00805f5c442b"
_COUNTED = {  # position of the count, bytes of each entry
    "7bf875ce-468d-11d1-8d82-006097c9a2b2": (0, 6),
    "d6e229dc-35da-11d1-9034-00a0c90349be": (16, 2),
    "a08649cf-4775-4670-8a16-6e35357566cd": (16, 2),
    "d4fed15b-88d3-454f-81f0-ed5c45999e24": (0, 4),
}
_BEFORE_PAYLOADS = {
    "c6bd9450-867f-4907-83a3-c77921b733ad": 2,
    "1b1ee554-f9ea-4bc8-821a-376b74e4c4b8": 2,
}
_LONGEST = 1 << 17


def asf_carriers(stream: BinaryIO) -> Iterator[str]:
    """Yield the name of every carrier."""
    size = stream.seek(0, os.SEEK_END)
    stream.seek(0)
    kind, length, count, reserved = struct.unpack("<16sQIH", stream.read(30))
    if _name(kind) != _HEADER or reserved != 0x0201 or length > 300 * _LONGEST:
        yield "no ASF header"
        return
    header = _Header(stream.read(length - 30), count)
    yield from header.carriers
    packets = header.packets(size)
    yield from packets
    if not packets:
        yield from _data(stream, header, size)


class _Header:
    """What the header says, and what in it should not be there."""

    def __init__(self, body: bytes, count: int) -> None:
        self.carriers: list[str] = []
        self.file = b""
        self.streams: set[int] = set()
        self.more: dict[int, int] = {}
        if sum(1 for _ in self._objects(body)) != count:
            self.carriers.append("more objects than are counted")

    def packets(self, size: int) -> list[str]:
        """Return what is wrong with the file's properties."""
        if len(self.file) != 80 or not self.streams:
            return ["no properties of a file"]
        number, total, date = struct.unpack_from("<16sQQ", self.file)
        flags, least, most = struct.unpack_from("<III", self.file, 64)
        found = []
        if any(number) or date or flags > 3:
            found.append("a number or date of the file")
        if total < size:
            found.append("a length of another file")
        if least != most or least < 16:
            found.append("packets without a length")
        return found

    def _objects(self, body: bytes) -> Iterator[str]:
        at = 0
        while at < len(body):
            kind, length = struct.unpack_from("<16sQ", body, at)
            if length < 24 or at + length > len(body):
                self.carriers.append(f"{len(body) - at} bytes that are no object")
                return
            self._object(_name(kind), body[at + 24 : at + length])
            yield _name(kind)
            at += length

    def _object(self, name: str, body: bytes) -> None:
        if name == _FILE and not self.file:
            self.file = body
        elif name == _STREAM:
            self.carriers += _stream(body)
            self.streams.add(struct.unpack_from("<H", body, 48)[0])
        elif name == _EXTENSION:
            for _ in self._objects(body[22:]):
                pass
        elif name == _STREAM_MORE:
            self._stream_more(body)
        elif name in _COUNTED:
            place, each = _COUNTED[name]
            (count,) = struct.unpack_from("<H", body, place)
            if len(body) != place + 2 + each * count:
                self.carriers.append(f"bytes behind the table {name}")
        else:
            self.carriers.append(f"object {name}")

    def _stream_more(self, body: bytes) -> None:
        number, language, _, names, systems = struct.unpack_from("<HHQHH", body, 48)
        total, at = 0, 64
        for _ in range(systems):
            kind, size, info = struct.unpack_from("<16sHI", body, at)
            if _BEFORE_PAYLOADS.get(_name(kind)) != size or info:
                self.carriers.append(f"payload extension {_name(kind)}")
            total, at = total + size, at + 22
        self.more[number] = total
        if language or names:
            self.carriers.append("a stream's name or language")
        for inner in self._objects(body[at:]):
            if inner != _STREAM:
                self.carriers.append(f"{inner} in a stream's description")


def _stream(body: bytes) -> Iterator[str]:
    kind, size, extra, flags, reserved = struct.unpack_from("<16s24xIIHI", body)
    if reserved or flags > 127 or len(body) != 54 + size + extra:
        yield "bytes in a stream's description"
    own, spread = body[54 : 54 + size], body[54 + size :]
    if _name(kind) == _SOUND:
        if len(own) != 18 + struct.unpack_from("<H", own, 16)[0] or len(own) > 64:
            yield "bytes in a sound's description"
    elif _name(kind) == _VIDEO:
        told, length = struct.unpack_from("<HI", own, 9)
        if told != length or len(own) != 11 + told or told > 104:
            yield "bytes in a picture's description"
    else:
        yield f"a stream of {_name(kind)}"
    if any(spread[7:]):
        yield "bytes in a stream's error correction"


def _data(stream: BinaryIO, header: _Header, size: int) -> Iterator[str]:
    at = stream.tell()
    kind, length, number, count, reserved = struct.unpack("<16sQ16sQH", stream.read(50))
    if _name(kind) != _DATA or any(number) or reserved != 0x0101:
        yield "something else instead of packets"
        return
    (packet_bytes,) = struct.unpack_from("<I", header.file, 68)
    (told,) = struct.unpack_from("<Q", header.file, 32)
    end = at + length
    if told != count or (end <= size and length != 50 + count * packet_bytes):
        yield "another count of packets"
    for start in range(at + 50, min(end, size), packet_bytes):
        stream.seek(start)
        packet = stream.read(min(packet_bytes, size - start))
        whole = len(packet) == packet_bytes
        fault = _packet(header, packet, packet_bytes)
        if fault and (whole or fault != "cut"):
            yield f"{fault} in the packet at {start}"
            return
    while end < size:
        stream.seek(end)
        kind, length = struct.unpack("<16sQ", stream.read(24))
        if _name(kind) != _INDEX or not 32 <= length - 24 + 24 <= size - end:
            yield f"{size - end} bytes behind the packets"
            return
        yield from _index(stream, length - 24, count)
        end += length


def _index(stream: BinaryIO, length: int, packets: int) -> Iterator[str]:
    number, _, _, count = struct.unpack("<16sQII", stream.read(32))
    if any(number) or length != 32 + 6 * count:
        yield "bytes in an index"
        return
    for place, _ in struct.iter_unpack("<IH", stream.read(6 * count)):
        if place >= packets:
            yield "an index of packets that there are not"
            return


def _packet(header: _Header, packet: bytes, size: int) -> str:
    """Say what is wrong with a packet; `cut` if it ends before that can be said."""
    at = 1 + (packet[0] & 15) if packet[0] & 0x80 else 0
    try:
        kinds, told = packet[at], packet[at + 1]
        length, at = _value(packet, at + 2, kinds >> 5)
        _, at = _value(packet, at, kinds >> 1)
        padding, at = _value(packet, at, kinds >> 3)
        at, end = at + 6, (length or size) - padding
        payloads, sized = 1, -1
        if kinds & 1:
            payloads, sized, at = packet[at] & 63, packet[at] >> 6, at + 1
        for _ in range(payloads):
            fault, at = _payload(header, packet, at, (told, sized), end)
            if fault:
                return fault
    except IndexError:
        return "cut"
    return "padding" if any(packet[at:]) else ""


def _payload(
    header: _Header, packet: bytes, at: int, kinds: tuple[int, int], end: int
) -> tuple[str, int]:
    """Return what is wrong with the payload at *at*, and where it ends.

    Args:
        kinds: which numbers it has, and how long its length is; below 0 for none.
        end: where the packet's payloads end.
    """
    told, sized = kinds
    number = packet[at] & 127
    _, at = _value(packet, at + 1, told >> 4)
    _, at = _value(packet, at, told >> 2)
    before, start = _value(packet, at, told)
    at, stop = start + before, end
    if sized >= 0:
        stop, at = _value(packet, at, sized)
        stop += at
    known = number in header.streams
    allowed = 8 + (header.more.get(number, 0) if known else 0)
    if before > allowed and any(packet[start + allowed : start + before]):
        return "bytes before a payload", stop
    if not at <= stop <= end:
        return "a payload outside", stop
    unread = not known and any(packet[at:stop])
    return "a payload of no stream" if unread else "", stop


def _value(packet: bytes, at: int, kind: int) -> tuple[int, int]:
    """Return the number at *at* and where it ends, by the two bits of *kind*."""
    size = (0, 1, 2, 4)[kind & 3]
    if at + size > len(packet):
        raise IndexError
    return int.from_bytes(packet[at : at + size], "little"), at + size


def _name(kind: bytes) -> str:
    return str(UUID(bytes_le=kind))
