"""ASF (WMA and WMV): file and stream properties, packets and their simple index.

The file's number and its date become zero. Names of codecs, languages and streams go.
Packets stay where they are, so what counts them needs no change.

Source: Microsoft, Advanced Systems Format (ASF) Specification, revision 01.20.05.
"""

import struct
from typing import BinaryIO, NamedTuple

from functions.sanitizer.av.asf import objects, streams
from functions.sanitizer.av.asf.objects import Item
from functions.sanitizer.av.asf.packets import Packets
from functions.sanitizer.av.scan import holds_bytes, read_at, size_of, unreadable
from functions.sanitizer.findings import Finding
from schemas.errors import Rejected

_EXTENSION = objects.guid("abd3d211-a9ba-11cf-8ee6-00c00c205365") + b"\6\0"
_MAX_PACKET = 1 << 16
_MAX_INDEX = 1 << 20  # entries of one second
_MAX_OBJECTS = 300  # two or three for each of at most 127 streams
_DATA_HEAD = 50


def holds_pictures(source: BinaryIO) -> bool:
    """Whether an ASF file has a stream of video."""
    size = size_of(source)
    try:
        header = _Header(source, size)
    except (struct.error, Rejected):
        return False
    return any(stream.coding for stream in header.streams)


def strip_asf(source: BinaryIO, output: BinaryIO) -> set[Finding]:
    """Write the header's listed objects, the packets and the simple indexes."""
    size = size_of(source)
    header = _Header(source, size)
    data = _data(source, header, size)
    indexes, found = _behind(source, data, size)
    total = header.size + data.declared + sum(map(len, indexes))
    output.write(header.written(total, data.packets))
    output.write(
        objects.DATA + struct.pack("<Q16xQH", data.declared, data.packets, 257)
    )
    size = header.packet_bytes
    packets = Packets(size, header.extensions, header.start_coded)
    raw = (
        read_at(source, at, min(size, data.end - at))
        for at in range(data.start, data.end, size)
    )
    output.writelines(map(packets.clean, raw))
    output.writelines(indexes)
    padding = {Finding.PADDING} if packets.blanked else set()
    return header.findings | found | padding


class _Data(NamedTuple):
    """Where the packets lie, how many there should be, and what their object says."""

    start: int
    end: int
    packets: int
    declared: int
    behind: int


class _Header:
    """The header's objects in their clean form."""

    def __init__(self, source: BinaryIO, end: int) -> None:
        kind, size = struct.unpack("<16sQ", read_at(source, 0, 24))
        if kind != objects.HEADER or not 30 <= size <= end:
            raise unreadable("the file does not start like an ASF file")
        self.end = size
        self.findings: set[Finding] = set()
        self.streams: list[streams.Stream] = []
        self._extensions: dict[int, int] = {}
        self._properties = b""
        self._kept: list[bytes] = []
        self._inner: list[bytes] = []
        for item in objects.items(source, 30, size):
            self._take(source, item)
            if len(self._kept) + len(self._inner) > _MAX_OBJECTS:
                raise unreadable("the file has more streams than any can have")
        if not self._properties or not self.streams:
            raise unreadable("the file does not say how its sound is coded")

    @property
    def extensions(self) -> dict[int, int]:
        """Bytes of extensions before each payload, by the number of its stream."""
        numbers = (stream.number for stream in self.streams)
        return {number: self._extensions.get(number, 0) for number in numbers}

    @property
    def packet_bytes(self) -> int:
        """The length of every packet."""
        smallest, largest = struct.unpack_from("<II", self._properties, 68)
        if smallest != largest or not 16 <= smallest <= _MAX_PACKET:
            raise unreadable("the file's packets have no common length")
        return int(smallest)

    @property
    def start_coded(self) -> set[int]:
        """The streams whose coding has room for text."""
        return {s.number for s in self.streams if s.coding in streams.START_CODED}

    @property
    def size(self) -> int:
        """Bytes of the clean header."""
        return len(self.written(0, 0))

    def written(self, total: int, packets: int) -> bytes:
        """Return the clean header of a file of *total* bytes."""
        old = self._properties
        clean = bytes(16) + struct.pack("<QQQ", total, 0, packets) + old[40:64]
        clean += struct.pack("<I", old[64] & 3) + old[68:80]
        extension = b"".join(self._inner)
        extension = _EXTENSION + struct.pack("<I", len(extension)) + extension
        kept = [
            objects.written(objects.FILE_PROPERTIES, clean),
            objects.written(objects.HEADER_EXTENSION, extension),
            *self._kept,
        ]
        body = b"".join(kept)
        return (
            objects.HEADER + struct.pack("<QIH", 30 + len(body), len(kept), 513) + body
        )

    def _take(self, source: BinaryIO, item: Item) -> None:
        if item.kind == objects.FILE_PROPERTIES and not self._properties:
            self._properties = objects.content(source, item)
            if len(self._properties) < 80:
                raise unreadable("the file's properties are cut off")
            dated = any(self._properties[24:32])
            self.findings |= {Finding.TIMESTAMP} if dated else set()
        elif item.kind == objects.STREAM_PROPERTIES:
            self._add(streams.stream(objects.content(source, item)))
        elif item.kind == objects.HEADER_EXTENSION:
            for inner in objects.items(source, item.start + 22, item.end):
                self._take_inner(source, inner)
        elif item.kind in objects.TABLES:
            body = objects.content(source, item)
            self._kept.append(objects.table(item.kind, body))
        else:
            self.findings |= objects.dropped(source, item)

    def _take_inner(self, source: BinaryIO, item: Item) -> None:
        if item.kind == objects.EXTENDED_STREAM:
            body = objects.content(source, item)
            clean, number, extra, inner = streams.extended(body)
            self._extensions[number] = extra
            self._inner.append(clean)
            self.streams += [inner] if inner else []
        elif item.kind in objects.TABLES:
            body = objects.content(source, item)
            self._inner.append(objects.table(item.kind, body))
        else:
            self.findings |= objects.dropped(source, item)

    def _add(self, stream: streams.Stream) -> None:
        self.streams.append(stream)
        self._kept.append(stream.raw)


def _data(source: BinaryIO, header: _Header, end: int) -> _Data:
    kind, size = struct.unpack("<16sQ", read_at(source, header.end, 24))
    if kind != objects.DATA:
        raise unreadable("the file's header is not followed by its sound")
    start = header.end + _DATA_HEAD
    if size < _DATA_HEAD:  # a recording whose end was not known
        size = end - header.end
    there = min(size, end - header.end) - _DATA_HEAD
    whole, rest = divmod(there, header.packet_bytes)
    if there <= 0:
        raise unreadable("the file holds no sound")
    if size - _DATA_HEAD > there:
        # The sound is as cut as it came: what was promised stays promised.
        packets = (size - _DATA_HEAD) // header.packet_bytes
        return _Data(start, end, packets, size, end)
    if not whole:
        raise unreadable("the file holds no whole packet of sound")
    declared = size - rest
    return _Data(start, start + there - rest, whole, declared, header.end + size)


def _behind(
    source: BinaryIO, data: _Data, end: int
) -> tuple[list[bytes], set[Finding]]:
    """Return the indexes behind the packets, and what else was there."""
    findings: set[Finding] = set()
    if holds_bytes(source, data.end, min(data.behind, data.end + _MAX_PACKET)):
        findings.add(Finding.TRAILING_DATA)
    indexes = []
    try:
        for item in objects.items(source, data.behind, end):
            index = _index(source, item, data.packets)
            indexes += [index] if index else []
            findings |= set() if index else objects.dropped(source, item)
    except (struct.error, Rejected):
        findings.add(Finding.TRAILING_DATA)
    return indexes, findings


def _index(source: BinaryIO, item: Item, packets: int) -> bytes:
    """Return a simple index, if it is one: where to start reading at each second."""
    if item.kind != objects.SIMPLE_INDEX:
        return b""
    interval, largest, count = struct.unpack(
        "<QII", read_at(source, item.start + 16, 16)
    )
    if not 0 < count <= min((item.end - item.start - 32) // 6, _MAX_INDEX):
        return b""
    entries = read_at(source, item.start + 32, 6 * count)
    if any(number >= packets for number, _ in struct.iter_unpack("<IH", entries)):
        return b""
    body = bytes(16) + struct.pack("<QII", interval, largest, count) + entries
    return objects.written(objects.SIMPLE_INDEX, body)
