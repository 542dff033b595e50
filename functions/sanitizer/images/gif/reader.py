"""What a GIF consists of (GIF89a, CompuServe 1990), block by block."""

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from PIL import Image

from functions.sanitizer.findings import Finding
from functions.sanitizer.images.exif import Metadata
from functions.sanitizer.images.pictures import View
from schemas.errors import Rejected

TRAILER, _EXTENSION, _IMAGE = 0x3B, 0x21, 0x2C
LOOPS = (b"NETSCAPE2.0", b"ANIMEXTS1.0")
PROFILE = b"ICCRGBG1012"
_INTRODUCER = re.compile(rb"[\x21\x2c\x3b]")
_ZEROS = re.compile(rb"\0*")
_UNTOUCHED = 255  # the index that pictures use least
_STRETCH = 4096  # sub-blocks that are looked at at once
_MAX_PARTS = 4_000_000  # headers and small sub-blocks: two seconds
_XMP_BLOCKS = 1 << 14  # of all packets: 4 MB, searched for many words


class Control(NamedTuple):
    """A graphic control extension; *transparent* is an index or None."""

    disposal: int
    delay: int
    transparent: int | None


class Place(NamedTuple):
    """Where on the screen a picture lies."""

    left: int
    top: int
    width: int
    height: int

    def within(self, screen: tuple[int, int]) -> tuple[int, int]:
        """Return the screen, wide enough to hold this place."""
        right, bottom = self.left + self.width, self.top + self.height
        return max(screen[0], right), max(screen[1], bottom)


@dataclass
class Picture:
    """An image block with the control block before it."""

    place: Place
    interlaced: bool
    colours: bytes  # its own table, or nothing
    code_size: int
    coded: memoryview  # in sub-blocks, with their lengths
    control: Control | None

    def decoded(self) -> Image.Image:
        """Return the indices; what the codes leave out is transparent.

        Raises:
            ValueError: the codes are broken or end early.
        """
        transparent = self.control.transparent if self.control else None
        image = Image.new("P", self.place[2:], transparent or 0)
        image.frombytes(self.coded, "gif", self.code_size, self.interlaced, -1)
        return image

    def exact(self) -> Image.Image | None:
        """Return the indices in coded order, if no code leads beyond them.

        One row more than there is takes up what comes too much: that row has to stay as
        it is. `Image.frombytes` does not say whether it was the end or an error.

        Raises:
            ValueError: the codes end early.
        """
        if bytes(self.coded[-1:]) != b"\0":
            return None
        width, height = self.place[2:]
        image = Image.new("P", (width, height + 1), _UNTOUCHED)
        decoder = Image._getdecoder("P", "gif", (self.code_size, 0, -1))
        decoder.setimage(image.im, (0, 0, *image.size))
        consumed, error = decoder.decode(self.coded)
        if consumed < 0 or error:
            return None
        if image.getpixel((width - 1, height - 1)) == _UNTOUCHED:
            self.decoded()  # was it drawn, or is it missing?
        below = image.crop((0, height, *image.size)).getextrema()
        if below != (_UNTOUCHED, _UNTOUCHED):
            return None
        return image.crop((0, 0, width, height))


@dataclass
class Gif:
    """A file, read to its end."""

    width: int
    height: int
    flags: int
    background: int
    aspect: int
    colours: bytes = b""
    pictures: list[Picture] = field(default_factory=list)
    loop: int | None = None
    loop_name: bytes = LOOPS[0]
    loop_before: int = 0  # the picture that the loop extension stands before
    profile: bytes = b""
    metadata: Metadata = field(default_factory=Metadata)

    def end_before(self, index: int) -> None:
        """Drop the pictures from *index* on: viewers stop where they can't go on."""
        del self.pictures[index:]
        self.metadata.saw(Finding.TRAILING_DATA)


def read(data: View) -> Gif:
    """Read a file's structure; pictures stay coded.

    What is cut off behind the first picture is left out.

    Raises:
        ValueError: it shows nothing.
        Rejected: `unreadable_image`.
    """
    return _Reader(data).read()


class _Reader:
    def __init__(self, data: View) -> None:
        self._data = data
        self._at = 0
        self._view = memoryview(data)
        self._parts = 0
        self._xmp_blocks = _XMP_BLOCKS
        self._control: Control | None = None
        screen = self._take(13)
        width, height, flags, background, aspect = struct.unpack("<HHBBB", screen[6:])
        self._gif = Gif(width, height, flags, background, aspect)
        if flags & 0x80:
            self._gif.colours = self._take(3 << (flags & 7) + 1)

    def read(self) -> Gif:
        try:
            self._blocks()
        except Rejected:  # it ends within a block
            if not self._gif.pictures:
                raise
            self._gif.metadata.saw(Finding.TRAILING_DATA)
        self._gif.metadata.read_trailer(self._data, self._at)
        if not self._gif.pictures:
            raise ValueError("no picture")
        return self._gif

    def _blocks(self) -> None:
        while self._at < len(self._data):
            introducer = self._take(1)[0]
            if introducer == TRAILER:
                return
            if introducer == _IMAGE:
                self._picture()
            elif introducer == _EXTENSION:
                self._extension()
            else:
                self._skip(introducer)

    def _skip(self, introducer: int) -> None:
        """Go on where a block could start: viewers do so too."""
        found = _INTRODUCER.search(self._data, self._at)
        start, self._at = self._at, found.start() if found else len(self._data)
        zeros = _ZEROS.match(self._data, start, self._at)
        if introducer or (zeros and zeros.end() < self._at):
            self._gif.metadata.saw(Finding.TRAILING_DATA)

    def _take(self, size: int) -> bytes:
        taken = self._data[self._at : self._at + size]
        self._parts += 1
        if len(taken) < size or self._parts > _MAX_PARTS:
            raise Rejected("unreadable_image", "it is truncated, or in too many parts")
        self._at += size
        return taken

    def _sub_blocks(self) -> Iterator[bytes]:
        while size := self._take(1)[0]:
            yield self._take(size)

    def _pass_sub_blocks(self) -> None:
        """Go behind them; encoders make all but the last as large as can be."""
        run = _STRETCH
        while run == _STRETCH:
            sizes = self._data[self._at : self._at + 256 * _STRETCH : 256]
            run = len(sizes) - len(sizes.lstrip(b"\xff"))
            run = min(run, (len(self._data) - self._at) // 256)
            self._at += 256 * run
        for _ in self._sub_blocks():
            pass

    def _picture(self) -> None:
        *place, flags = struct.unpack("<HHHHB", self._take(9))
        colours = self._take(3 << (flags & 7) + 1) if flags & 0x80 else b""
        code_size = self._take(1)[0]
        start = self._at
        try:
            self._pass_sub_blocks()
        except Rejected:
            if self._parts > _MAX_PARTS:
                raise
            # Cut off: the decoder knows whether a pixel is missing.
            self._at = len(self._data)
        self._gif.pictures.append(
            Picture(
                place=Place(*place),
                interlaced=flags & 0x40 > 0,
                colours=colours,
                code_size=code_size,
                coded=self._view[start : self._at],
                control=self._control,
            )
        )
        self._control = None

    def _extension(self) -> None:
        label = self._take(1)[0]
        blocks = list(self._sub_blocks())
        first = blocks[0] if blocks else b""
        match label:
            case 0xF9 if len(first) >= 4:  # graphic control
                flags, delay, index = struct.unpack("<BHB", first[:4])
                # Of several before one picture the last counts, but what one of
                # them made transparent stays so.
                earlier = self._control.transparent if self._control else None
                transparent = index if flags & 1 else earlier
                self._control = Control(min(flags >> 2 & 7, 3), delay, transparent)
            case 0xFE:  # comment
                self._gif.metadata.saw(Finding.COMMENT)
            case 0x01:  # plain text: no viewer draws it
                self._gif.metadata.saw(Finding.TEXT)
            case 0xFF:  # application
                self._application(first, blocks[1:])
            case _:
                self._gif.metadata.saw(Finding.APPLICATION_DATA)

    def _application(self, name: bytes, blocks: list[bytes]) -> None:
        gif = self._gif
        if name in LOOPS and (gif.loop is None or not gif.pictures):
            counts = [block for block in blocks if len(block) == 3 and block[0] == 1]
            if counts:
                gif.loop = int.from_bytes(counts[0][1:], "little")
                gif.loop_name = name
                gif.loop_before = len(gif.pictures)
            if len(blocks) != 1:
                gif.metadata.saw(Finding.APPLICATION_DATA)
        elif name == PROFILE:
            gif.profile = b"".join(blocks)
        elif name.startswith(b"XMP Data"):
            first = blocks[: self._xmp_blocks]
            self._xmp_blocks -= len(first)
            gif.metadata.read_xmp(b"".join(bytes([len(b)]) + b for b in first))
        else:
            gif.metadata.saw(Finding.APPLICATION_DATA)
