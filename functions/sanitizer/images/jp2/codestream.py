"""JPEG 2000 codestreams: markers that a decoder needs, and coded tiles as they are.

Source: ISO/IEC 15444-1 (ITU-T T.800), Annex A.
"""

import struct
from dataclasses import dataclass, field

from functions.sanitizer.findings import Finding
from functions.sanitizer.images.jp2.markers import (
    CAP,
    COC,
    COD,
    POC,
    PPM,
    PPT,
    QCC,
    QCD,
    RGN,
    Styles,
)
from functions.sanitizer.images.pictures import View
from functions.sanitizer.limits import Limits
from schemas.errors import Rejected

_SIZ, _SOT, _SOD, _EOC = 0xFF51, 0xFF90, 0xFF93, 0xFFD9
_COMMENT = 0xFF64
_TILE = (COD, COC, QCD, QCC, RGN, POC, PPT)
_MAIN = (CAP, COD, COC, QCD, QCC, RGN, POC, PPM)
# Lengths of what follows: TLM PLM PLT. They would be wrong, and nobody needs them, nor
# the places of components (CRG).
_NEEDLESS = (0xFF55, 0xFF57, 0xFF58, 0xFF63)
_MOST_COMPONENTS = 4
_MOST_TILE_PARTS = 100_000
_MOST_MARKERS = 300_000
# A decoder walks every packet, also the empty ones.
_MOST_PACKETS = 20_000_000
# It keeps nearly a kilobyte for every precinct of a tile, and a little for every block.
_MOST_PRECINCTS = 500_000
_MOST_BLOCKS = 4_000_000


@dataclass
class Codestream:
    """A codestream written anew, and what its header says."""

    size: tuple[int, int] = (0, 0)
    components: int = 0
    levels: int = 0  # of resolution below the full one
    pieces: list[bytes] = field(default_factory=list)
    end: int = 0  # where the original ended
    findings: set[Finding] = field(default_factory=set)


def codestream(data: View, start: int, end: int, limits: Limits) -> Codestream:
    """Read the codestream from *start*, at most to *end*.

    Raises:
        Rejected: `too_many_pixels`, `unsupported_image`.
        ValueError: it is broken or ends early.
    """
    return _Walk(data, start, end, limits).written


class _Walk:
    def __init__(self, data: View, start: int, end: int, limits: Limits) -> None:
        self._data = data
        self._at = start
        self._end = end
        self._markers = 0
        self._tiles = 0
        self._seen: set[int] = set()
        self._layers = 0
        self._tile = (0, 0)  # width and height of the largest
        self.written = Codestream()
        if data[start : start + 2] != b"\xff\x4f":
            raise ValueError("no codestream")
        self._at += 2
        self.written.pieces.append(b"\xff\x4f")
        self._size(limits)
        self.written.pieces += self._header(_MAIN, _SOT)
        if not self.written.levels and not self._layers:
            raise ValueError("no coding style")
        for _ in range(_MOST_TILE_PARTS):
            if self._at >= self._end or self._peek() == _EOC:
                if len(self._seen) < self._tiles:
                    raise ValueError("it is truncated")
                self.written.pieces.append(b"\xff\xd9")
                self.written.end = min(self._at + 2, self._end)
                return
            self._tile_part()
        raise ValueError("too many parts of tiles")

    def _peek(self) -> int:
        if self._at + 2 > self._end:
            raise ValueError("it ends early")
        return int.from_bytes(self._data[self._at : self._at + 2], "big")

    def _segment(self) -> tuple[int, bytes]:
        """Take a marker with its content."""
        self._markers += 1
        if self._markers > _MOST_MARKERS or self._at + 4 > self._end:
            raise ValueError("too many markers, or it ends early")
        marker, size = struct.unpack_from(">HH", self._data, self._at)
        content = self._data[self._at + 4 : self._at + 2 + size]
        if marker < 0xFF40 or size < 2 or self._at + 2 + size > self._end:
            raise ValueError("no marker")
        self._at += 2 + size
        return marker, content

    def _size(self, limits: Limits) -> None:
        marker, content = self._segment()
        if marker != _SIZ or len(content) < 36:
            raise ValueError("no size")
        across, down, left, top, tile_width, tile_height = struct.unpack_from(
            ">6I", content, 2
        )
        (components,) = struct.unpack_from(">H", content, 34)
        limits.admit(across - left, down - top)
        if not 1 <= components <= _MOST_COMPONENTS:
            raise Rejected("unsupported_image", f"{components} components")
        if not tile_width or not tile_height:
            raise ValueError("tiles without a size")
        self._tiles = -(-across // tile_width) * -(-down // tile_height)
        if self._tiles > _MOST_TILE_PARTS:
            raise ValueError("too many tiles")
        content = content[: 36 + 3 * components]
        self.written.size = (across - left, down - top)
        self._tile = (min(across - left, tile_width), min(down - top, tile_height))
        self.written.components = components
        self._styles = Styles(components)
        self.written.pieces.append(_packed(_SIZ, content))

    def _header(self, allowed: tuple[int, ...], last: int) -> list[bytes]:
        """Take markers up to *last*; return those that stay."""
        kept = []
        while self._peek() != last:
            marker, content = self._segment()
            if marker == COD:
                self._style(content)
            if marker in allowed:
                kept.append((marker, content))
            elif marker == _COMMENT:
                self.written.findings.add(Finding.COMMENT)
            elif marker not in _NEEDLESS:
                self.written.findings.add(Finding.APPLICATION_DATA)
        # Quantisation may stand in front of the style that says how long it is.
        for marker, content in kept:
            if marker in (COD, COC):
                self._styles.exact(marker, content)
        return [self._exact(*segment) for segment in kept]

    def _exact(self, marker: int, content: bytes) -> bytes:
        exact = self._styles.exact(marker, content)
        if len(exact) < len(content):
            self.written.findings.add(Finding.PADDING)
        return _packed(marker, exact)

    def _style(self, content: bytes) -> None:
        """Take in COD: how many packets there may be."""
        (self._layers,) = struct.unpack_from(">H", content, 2)
        levels = content[5]
        if levels > 32 or not self._layers:
            raise ValueError("no such style")
        self.written.levels = levels
        precincts, blocks = _parts(self._tile, content)
        packets = self._tiles * precincts * self._layers
        if packets * self.written.components > _MOST_PACKETS:
            raise Rejected("unsupported_image", "it has too many packets")
        if (
            precincts * self.written.components > _MOST_PRECINCTS
            or blocks * self.written.components > _MOST_BLOCKS
        ):
            raise Rejected("unsupported_image", "it has too many small parts")

    def _tile_part(self) -> None:
        start = self._at
        marker, content = self._segment()
        if marker != _SOT or len(content) != 8:
            raise ValueError("no tile")
        number, size, part, parts = struct.unpack(">HIBB", content)
        if number >= self._tiles:
            raise ValueError("no such tile")
        self._seen.add(number)
        end = start + size if size else self._last_end()
        if end > self._end:
            raise ValueError("it is truncated")
        kept = b"".join(self._header(_TILE, _SOD))
        body = self._at
        if body + 2 > end:
            raise ValueError("a tile that ends early")
        length = 12 + len(kept) + end - body
        head = struct.pack(">HIBB", number, length, part, parts)
        self.written.pieces += [_packed(_SOT, head), kept, self._data[body:end]]
        self._at = end

    def _last_end(self) -> int:
        """Where the last tile ends, which does not say how long it is."""
        end = self._data.rfind(b"\xff\xd9", self._at, self._end)
        if end < 0:
            raise ValueError("it is truncated")
        return end


def _packed(marker: int, content: bytes) -> bytes:
    return struct.pack(">HH", marker, 2 + len(content)) + content


def _parts(tile: tuple[int, int], style: bytes) -> tuple[int, int]:
    """Return how many precincts and blocks a component of a tile has at most.

    Args:
        style: of a COD segment.
    """
    levels, block = style[5], (style[6] + 2, style[7] + 2)
    own = style[10 : 11 + levels] if style[0] & 1 else b"\xff" * (levels + 1)
    precincts = blocks = 0
    for resolution, sides in enumerate(own):
        size = [side >> levels - resolution for side in tile]
        logs = sides & 15, sides >> 4
        precincts += (size[0] >> logs[0]) * (size[1] >> logs[1]) + 1
        halved = [max(log - (resolution > 0), 0) for log in logs]
        across, down = map(min, zip(halved, block, strict=True))
        blocks += (size[0] >> across) * (size[1] >> down) + 1
    return precincts, blocks
