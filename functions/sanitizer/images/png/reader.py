"""What a PNG or APNG consists of (PNG third edition, W3C 2025), chunk by chunk."""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import takewhile
from typing import NamedTuple

from functions.sanitizer.findings import Finding
from functions.sanitizer.images.exif import Metadata
from functions.sanitizer.images.pictures import View
from functions.sanitizer.images.png.text import inflated, read_text
from schemas.errors import Rejected

SIGNATURE = b"\x89PNG\r\n\x1a\n"
# Each takes some microseconds; pictures come in pieces of kilobytes.
_MAX_CHUNKS = 1 << 18
# What pictures consist of has checks of its own; decoders don't mind checksums there.
_CRITICAL = frozenset((b"IHDR", b"PLTE", b"tRNS", b"acTL"))
# Chunks that say how samples become colours, with their exact length.
_COLOUR = {b"gAMA": 4, b"cHRM": 32, b"sRGB": 1, b"cICP": 4, b"mDCV": 24, b"cLLI": 8}
_KEPT = _COLOUR | {b"pHYs": 9}
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # by colour type
_SBIT_BYTES = {0: 1, 2: 3, 3: 3, 4: 2, 6: 4}
_TRNS_BYTES = {0: 2, 2: 6, 3: 256}
_SILENT = frozenset((*_KEPT, b"PLTE", b"tRNS", b"sBIT", b"bKGD", b"hIST", b"sPLT"))


class Header(NamedTuple):
    """IHDR."""

    width: int
    height: int
    depth: int
    colour: int
    compression: int
    filtering: int
    interlaced: int

    @property
    def channels(self) -> int:
        """How many samples a pixel has."""
        return _CHANNELS[self.colour]

    def check(self) -> None:
        """Raise ValueError for what no PNG may be."""
        depths = {0: (1, 2, 4, 8, 16), 3: (1, 2, 4, 8)}.get(self.colour, (8, 16))
        if self.colour not in _CHANNELS or self.depth not in depths:
            raise ValueError("no such colour type")
        if self.compression or self.filtering or self.interlaced > 1:
            raise ValueError("no such compression, filter or interlacing")


class Control(NamedTuple):
    """fcTL, without its sequence number."""

    width: int
    height: int
    left: int
    top: int
    delay: int
    delay_unit: int
    disposal: int
    blending: int


@dataclass
class Frame:
    """One coded picture: the image itself or a frame of the animation."""

    header: Header
    control: Control | None = None
    coded: bytearray = field(default_factory=bytearray)


@dataclass
class Png:
    """A file, read to its end."""

    header: Header
    palette: bytes = b""
    transparency: bytes = b""
    kept: dict[bytes, bytes] = field(default_factory=dict)
    profile: bytes = b""
    plays: int | None = None  # 0: for ever; None: not animated
    announced: int = 0
    frames: list[Frame] = field(default_factory=list)
    metadata: Metadata = field(default_factory=Metadata)

    @property
    def hides_default(self) -> bool:
        """Whether viewers that know animations never show the first picture."""
        return self.plays is not None and self.frames[0].control is None

    @property
    def stills(self) -> int:
        """How many pictures are no frame of the animation: one or none."""
        return 1 if self.plays is None or self.hides_default else 0

    def end_before(self, index: int) -> None:
        """Drop this picture and all behind it."""
        if index < len(self.frames):
            self.metadata.saw(Finding.HIDDEN_IMAGE)
        stills = self.stills
        self.frames, self.announced = self.frames[:index], index - stills
        if not self.announced:
            self.plays = None


class _Chunk(NamedTuple):
    kind: bytes
    data: bytes
    intact: bool
    end: int


def read(data: View) -> Png:
    """Read a file's structure; pictures stay compressed.

    Raises:
        ValueError, struct.error: it is no PNG that could be shown.
        Rejected: `unreadable_image`.
    """
    chunks = _chunks(data)
    first = next(chunks, None)
    if not first or first.kind != b"IHDR" or not first.intact:
        raise ValueError("no header")
    header = Header(*struct.unpack(">IIBBBBB", first.data[:13]))
    header.check()
    reader, last = _Reader(Png(header)), first
    for last in chunks:
        if last.kind in _CRITICAL and not last.intact:
            raise ValueError("a damaged chunk")
        reader.take(last)
    reader.png.metadata.read_trailer(data, last.end)
    return reader.finished()


def _chunks(data: View) -> Iterator[_Chunk]:
    at = len(SIGNATURE)
    for _ in range(_MAX_CHUNKS):
        if at + 8 > len(data):
            return
        size, kind = struct.unpack(">I4s", data[at : at + 8])
        end = at + 12 + size
        payload = data[at + 8 : at + 8 + size]
        crc = data[at + 8 + size : end]
        intact = zlib.crc32(payload, zlib.crc32(kind)).to_bytes(4, "big") == crc
        yield _Chunk(kind, payload, intact, end)
        # A length that leads beyond the end may be what is damaged, not the picture.
        if kind == b"IEND" or end > len(data):
            return
        at = end
    raise Rejected("unreadable_image", "it has too many chunks")


class _Reader:
    """Takes chunks in their order."""

    def __init__(self, png: Png) -> None:
        self.png = png
        self._sequence = 0
        self._broken = False  # the animation: frames before that stand
        self._last = b""
        self._profiled = False

    def take(self, chunk: _Chunk) -> None:
        """Take one chunk."""
        match chunk.kind:
            case b"IEND":
                pass
            case b"IDAT":
                self._image(chunk.data)
            case b"fcTL" | b"fdAT" if self.png.plays is not None and not self._broken:
                self._animation(chunk)
            case _ if self.png.frames:
                self._ancillary(chunk)
            case _:
                self._heading(chunk)
        self._last = chunk.kind

    def finished(self) -> Png:
        """Return what was read, if it shows anything."""
        png = self.png
        coded = sum(1 for _ in takewhile(lambda frame: frame.coded, png.frames))
        if not coded:
            raise ValueError("no picture")
        png.end_before(min(coded, png.stills + png.announced))
        return png

    def _image(self, data: bytes) -> None:
        frames = self.png.frames
        if not frames:
            frames.append(Frame(self.png.header))
        if len(frames) == 1 and (not frames[0].coded or self._last == b"IDAT"):
            frames[0].coded += data
        else:
            self.png.metadata.saw(Finding.TRAILING_DATA)

    def _animation(self, chunk: _Chunk) -> None:
        (sequence,) = struct.unpack(">I", chunk.data[:4])
        frames = self.png.frames
        control = chunk.kind == b"fcTL"
        if sequence != self._sequence or not (control or len(frames) > 1):
            self._broken = True
            if not control and len(frames) > 1:
                frames.pop()
        elif control:
            self._control(chunk.data)
        else:
            frames[-1].coded += chunk.data[4:]
        self._sequence += 1

    def _control(self, data: bytes) -> None:
        control = Control(*struct.unpack(">IIIIHHBB", data[4:26]))
        header = self.png.header
        fills = control[:4] == (*header[:2], 0, 0)
        within = (
            control.left + control.width <= header.width
            and control.top + control.height <= header.height
        )
        # The first may be the picture that others show as a still.
        if not (within if self.png.frames else fills):
            self._broken = True
        else:
            size = {"width": control.width, "height": control.height}
            self.png.frames.append(Frame(header._replace(**size), control))

    def _heading(self, chunk: _Chunk) -> None:
        png, data = self.png, chunk.data
        kept = _KEPT | {b"sBIT": _SBIT_BYTES[png.header.colour]}
        match chunk.kind:
            case b"PLTE" if png.header.colour == 3:
                png.palette = data[: len(data) // 3 * 3][:768]
            case b"tRNS":
                png.transparency = data[: _TRNS_BYTES.get(png.header.colour, 0)]
            case b"acTL":
                announced, plays = struct.unpack(">II", data[:8])
                if 0 < announced < 1 << 31:
                    png.announced, png.plays = announced, plays
            case b"iCCP" if chunk.intact and not self._profiled:
                self._profiled = True  # others may be bombs
                png.profile = inflated(data.partition(b"\0")[2])
                png.metadata.saw(*([] if png.profile else [Finding.COLOUR_PROFILE]))
            case kind if chunk.intact and len(data) == kept.get(kind, -1):
                png.kept.setdefault(kind, data)
            case _:
                self._ancillary(chunk)

    def _ancillary(self, chunk: _Chunk) -> None:
        metadata = self.png.metadata
        match chunk.kind:
            case b"eXIf":
                metadata.read_exif(chunk.data)
            case b"tEXt" | b"zTXt" | b"iTXt":
                read_text(metadata, chunk.kind, chunk.data)
            case b"tIME":
                metadata.saw(Finding.TIMESTAMP)
            case b"caBX":
                metadata.saw(Finding.CONTENT_CREDENTIALS)
            case b"fdAT":
                metadata.saw(Finding.HIDDEN_IMAGE)
            case b"iCCP":
                metadata.saw(Finding.COLOUR_PROFILE)
            case kind if kind not in _SILENT:
                metadata.saw(Finding.APPLICATION_DATA)
