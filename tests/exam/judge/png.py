"""What a PNG holds besides its picture (PNG, third edition)."""

import zlib
from dataclasses import dataclass, field

from tests.exam.judge.scan import Scan, shown
from tests.exam.judge.tiff import harmless_exif

_NEEDED = frozenset(
    b"IHDR PLTE IDAT IEND tRNS gAMA cHRM sRGB iCCP sBIT bKGD pHYs hIST".split()
    + b"acTL fcTL fdAT cICP mDCV cLLI".split()
)
# Fixed sizes; what may be shorter by colour type has the largest.
_SIZES = {
    b"IHDR": 13,
    b"IEND": 0,
    b"gAMA": 4,
    b"cHRM": 32,
    b"sRGB": 1,
    b"sBIT": 4,
    b"bKGD": 6,
    b"pHYs": 9,
    b"acTL": 8,
    b"fcTL": 26,
    b"cICP": 4,
    b"mDCV": 24,
    b"cLLI": 8,
}
_TEXTS = (b"tEXt", b"zTXt", b"iTXt")
_KINDS = {b"eXIf": "exif", b"tIME": "date", b"caBX": "c2pa"}
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_PASSES = (
    (0, 0, 8, 8),
    (4, 0, 8, 8),
    (0, 4, 4, 8),
    (2, 0, 4, 4),
    (0, 2, 2, 4),
    (1, 0, 2, 2),
    (0, 1, 1, 2),
)
_MOST_BYTES = 1 << 30
_MOST_COMPARED = 256 << 20


@dataclass
class _Picture:
    """One zlib stream, and the size it is for."""

    size: tuple[int, int]
    parts: list[bytes] = field(default_factory=list)


def scan_png(found: Scan) -> None:
    """Note every leak."""
    walk, at = _Walk(found), 8
    while at + 8 <= len(found.data):
        length, kind = found.number(at, 4), found.data[at + 4 : at + 8]
        start, end = at + 8, min(at + 8 + length, len(found.data))
        walk.chunk(kind, start, end)
        at += 12 + length
        if kind == b"IEND":
            found.tail(at)
            break
    walk.finish()


class _Walk:
    """One way through the chunks."""

    def __init__(self, found: Scan) -> None:
        self.found = found
        self.header = b""
        self.colours = 0
        self.pictures = [_Picture((0, 0))]
        self.animated = self.controlled = self.apart = False

    def chunk(self, kind: bytes, start: int, end: int) -> None:
        body = self.found.data[start:end]
        self._measure(kind, start, end)
        if kind == b"IHDR" and len(body) == 13:
            self.header, self.found.bits = body, body[8]
            self.pictures[0].size = self._size(start)
        elif kind == b"acTL":
            self.animated = True
        elif kind == b"fcTL":
            self.controlled = True
            if self.pictures[0].parts:
                self.pictures.append(_Picture(self._size(start + 4)))
        elif kind == b"fdAT":
            self.pictures[-1].parts.append(body[4:])
        elif kind == b"IDAT":
            self.pictures[0].parts.append(body)
            self.apart |= self.animated and not self.controlled
        elif kind == b"iCCP":
            self._profile(body, start, end)
        elif kind not in _NEEDED and not (kind == b"eXIf" and harmless_exif(body)):
            name = "png_text" if kind in _TEXTS else _KINDS.get(kind, "png_chunk")
            self.found.leak(name, f"{shown(kind)} {shown(body)}", start, end)

    def _measure(self, kind: bytes, start: int, end: int) -> None:
        if kind == b"PLTE":
            self.colours = (end - start) // 3
        if end - start > self._most(kind, end - start):
            where = f"{shown(kind)} of {end - start} bytes"
            self.found.leak("slack", where, start, end)

    def _most(self, kind: bytes, there: int) -> int:
        """Return how many bytes a chunk can need."""
        if kind == b"hIST":
            return 2 * self.colours
        if kind == b"tRNS":
            return {0: 2, 2: 6}.get(self.header[9] if self.header else 3, self.colours)
        return _SIZES.get(kind, there)

    def _size(self, at: int) -> tuple[int, int]:
        return self.found.number(at, 4), self.found.number(at + 4, 4)

    def _profile(self, body: bytes, start: int, end: int) -> None:
        packed = body.partition(b"\0")[2]
        unpacker = zlib.decompressobj()
        try:
            self.found.icc = unpacker.decompress(packed[1:], 16 << 20)
        except zlib.error:
            self.found.leak("garbage", "a profile that breaks off", start, end)
        if unpacker.unused_data:
            self.found.leak("slack", "bytes behind the profile", start, end)

    def finish(self) -> None:
        if self.header:
            _streams(self.found, self.header, self.pictures)
        # No range: the default image of a broken animation is what is to be seen.
        if self.apart and not _same(self.pictures[:2]):
            self.found.leak("hidden_image", "the default image")


def _streams(found: Scan, header: bytes, pictures: list[_Picture]) -> None:
    """Count each picture's bytes: more than its rows need are hidden ones."""
    bits, colour, interlaced = header[8], header[9], header[12]
    for picture in pictures:
        wanted = _bytes(picture.size, bits * _CHANNELS.get(colour, 1), interlaced)
        unpacker, count = zlib.decompressobj(), 0
        rest = b"".join(picture.parts)
        try:
            while rest and not unpacker.eof and count <= min(wanted, _MOST_BYTES):
                count += len(unpacker.decompress(rest, 1 << 20))
                rest = unpacker.unconsumed_tail
        except zlib.error:
            continue
        if count > wanted:
            found.leak("slack", "rows below the last one")
        if unpacker.unused_data:
            found.leak("slack", f"{len(unpacker.unused_data)} bytes behind a picture")


def _bytes(size: tuple[int, int], bits: int, interlaced: int) -> int:
    """Return how many bytes the filtered rows of a picture take."""
    width, height = size
    if not interlaced:
        return height * (1 + (width * bits + 7) // 8)
    total = 0
    for x, y, step_x, step_y in _PASSES:
        columns, rows = -(-(width - x) // step_x), -(-(height - y) // step_y)
        if columns > 0 and rows > 0:
            total += rows * (1 + (columns * bits + 7) // 8)
    return total


def _same(pictures: list[_Picture]) -> bool:
    """Say whether a default image is the first frame too; viewers may show either."""
    shown = []
    for picture in pictures:
        try:
            unpacker = zlib.decompressobj()
            shown.append(unpacker.decompress(b"".join(picture.parts), _MOST_COMPARED))
        except zlib.error:
            return False
    return len(pictures) == 2 and shown[0] == shown[1]
