"""What a rebuilt JPEG 2000 may consist of: boxes about colour, and a codestream."""

import struct
from collections.abc import Iterator

from functions.sanitizer.verify.icc import profile_carriers

_START = bytes.fromhex(
    "0000000c6a5020200d0a870a00000014667479706a703220000000006a703220"
)
_SEGMENTS = frozenset(b"\x50\x52\x53\x5c\x5d\x5e\x5f\x60\x61")
_HEADER_BOXES = (b"ihdr", b"bpcc", b"colr", b"pclr", b"cmap", b"cdef", b"res ")


def jp2_carriers(data: bytes) -> Iterator[str]:
    """Name every box, marker and byte that is not picture."""
    if data[:2] == b"\xff\x4f":
        yield from _codestream(data)
        return
    if not data.startswith(_START):
        yield "other boxes in front"
        return
    (size,) = struct.unpack_from(">I", data, 32)
    middle = data[40 : 32 + size]
    (rest, last) = struct.unpack_from(">I4s", data, 32 + size)
    if data[36:40] != b"jp2h" or last != b"jp2c" or 32 + size + rest != len(data):
        yield "other boxes around the picture"
    for kind, content in _boxes(middle):
        yield from _header_box(kind, content)
    yield from _codestream(data[40 + size :])


def _boxes(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 0
    while at < len(content):
        size, kind = struct.unpack_from(">I4s", content, at)
        if size < 8 or at + size > len(content):
            raise ValueError("a box that does not fit")
        yield kind, content[at + 8 : at + size]
        at += size


def _header_box(kind: bytes, content: bytes) -> Iterator[str]:
    match kind:
        case b"ihdr":
            fits = len(content) == 14 and not content[13]
        case b"bpcc":
            fits = len(content) <= 4
        case b"colr":
            fits = content[0] in (1, 2, 3) and not any(content[1:3])
            if content[0] > 1:
                yield from profile_carriers(content[3:])
            else:
                fits = fits and len(content) in (7, 35)
        case b"pclr":
            entries, columns = struct.unpack_from(">HB", content)
            width = sum(((d & 127) + 8) // 8 for d in content[3 : 3 + columns])
            fits = len(content) == 3 + columns + entries * width
        case b"cmap":
            fits = len(content) % 4 == 0 and len(content) <= 16
        case b"cdef":
            fits = len(content) <= 50 and len(content) == 2 + 6 * content[1]
        case b"res ":
            inner = list(_boxes(content))
            fits = all(k in (b"resc", b"resd") and len(c) == 10 for k, c in inner)
        case _:
            fits = False
    if not fits:
        yield f"box {kind!r}"


def _codestream(data: bytes) -> Iterator[str]:
    (components,) = struct.unpack_from(">H", data, 40)
    if data[:4] != b"\xff\x4f\xff\x51" or data[4:6] != struct.pack(
        ">H", 38 + 3 * components
    ):
        yield "a header with more in it"
    at = 4 + 38 + 3 * components
    end, header = len(data), _Header()
    while data[at : at + 2] != b"\xff\xd9":
        marker, kind = struct.unpack_from(">BB", data, at)
        if marker != 0xFF:
            yield "bytes between markers"
            return
        if kind in (0x90, 0x93):
            yield from header.carriers()
        if kind == 0x93:
            at = end
        elif kind == 0x90:
            length, part = struct.unpack_from(">HxxI", data, at + 2)
            if length != 10:
                yield "a tile with more in it"
            end, at = at + part, at + 12
        else:
            length = int.from_bytes(data[at + 2 : at + 4], "big")
            header.segments.append((kind, data[at + 4 : at + 2 + length]))
            at += 2 + length
        if at > len(data):
            yield "a tile that ends early"
            return
    if at + 2 != len(data):
        yield "bytes behind the end"


class _Header:
    """The segments of one header; styles of earlier ones hold for later ones."""

    def __init__(self) -> None:
        self.segments: list[tuple[int, bytes]] = []
        self._levels = 0

    def carriers(self) -> Iterator[str]:
        """Name what is not on the list or too long, and forget it."""
        for kind, content in self.segments:
            if kind in (0x52, 0x53):
                self._levels = max(self._levels, content[5 if kind == 0x52 else 2])
        for kind, content in self.segments:
            if kind not in _SEGMENTS:
                yield f"marker {kind:#x}"
            elif len(content) not in _lengths(kind, content, self._levels):
                yield f"marker {kind:#x} with more in it"
        self.segments = []


def _lengths(marker: int, content: bytes, levels: int) -> range | tuple[int, ...]:
    """Return how long a segment may be (ISO/IEC 15444-1, A.6)."""
    allowed: range | tuple[int, ...] = range(1 << 16)
    match marker:
        case 0x52:
            allowed = (10 + (content[5] + 1) * (content[0] & 1),)
        case 0x53:
            allowed = (7 + (content[2] + 1) * (content[1] & 1),)
        case 0x5C | 0x5D:
            head = 1 + (marker == 0x5D)
            width = {0: 1, 2: 2}.get(content[head - 1] & 31, 0)
            allowed = range(head, head + (3 * levels + 1) * width + 1 + 2 * (not width))
        case 0x5E:
            allowed = (3,)
        case 0x5F:
            allowed = range(7, 7 * 9_000, 7)
        case 0x50:
            allowed = (4 + 2 * int.from_bytes(content[:4], "big").bit_count(),)
    return allowed
