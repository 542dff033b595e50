"""GIF: block by block (GIF89a), with every picture's indices coded anew.

Kept: the screen, colour tables as far as they are used, each picture with its place,
delay, disposal and transparency, the loop count, a colour profile. Coding the indices
again leaves no room behind the end code and between the codes.
"""

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO, NamedTuple

from PIL import Image

from functions.sanitizer.findings import Finding
from functions.sanitizer.images import icc
from functions.sanitizer.images.exif import Metadata
from functions.sanitizer.images.pictures import Rebuilt, View
from functions.sanitizer.limits import Limits
from schemas.errors import Rejected

_TRAILER, _EXTENSION, _IMAGE = 0x3B, 0x21, 0x2C
_INTRODUCER = re.compile(rb"[\x21\x2c\x3b]")
_LOOPS = (b"NETSCAPE2.0", b"ANIMEXTS1.0")
_PROFILE = b"ICCRGBG1012"


class _Control(NamedTuple):
    """A graphic control extension; *transparent* is an index or None."""

    disposal: int
    delay: int
    transparent: int | None


class _Place(NamedTuple):
    left: int
    top: int
    width: int
    height: int

    def within(self, screen: tuple[int, int]) -> tuple[int, int]:
        """Return the screen, wide enough to hold this place."""
        right, bottom = self.left + self.width, self.top + self.height
        return max(screen[0], right), max(screen[1], bottom)


@dataclass
class _Picture:
    place: _Place
    interlaced: bool
    colours: bytes  # its own table, or nothing
    code_size: int
    coded: bytes  # in sub-blocks, with their lengths
    control: _Control | None

    def decoded(self) -> Image.Image:
        """Return the indices; what the codes leave out is transparent."""
        transparent = self.control.transparent if self.control else None
        image = Image.new("P", self.place[2:], transparent or 0)
        image.frombytes(self.coded, "gif", self.code_size, self.interlaced, -1)
        return image


@dataclass
class _Gif:
    width: int
    height: int
    flags: int
    background: int
    aspect: int
    colours: bytes = b""
    pictures: list[_Picture] = field(default_factory=list)
    loop: int | None = None
    loop_before: int = 0  # the picture that the loop extension stands before
    profile: bytes = b""
    metadata: Metadata = field(default_factory=Metadata)


def rebuild(_source: BinaryIO, data: View, output: BinaryIO, limits: Limits) -> Rebuilt:
    """Write a GIF again without anything but its pictures.

    Raises:
        Rejected: `too_many_pixels`, `too_many_frames`; what else goes wrong is for
            `decoding` to name.
    """
    gif = _Reader(data).read()
    places = [picture.place for picture in gif.pictures]
    size = screen = (gif.width, gif.height)
    for index, place in enumerate(places):
        limits.admit(place.width, place.height)
        screen = place.within(screen)  # viewers widen it for what stands out
        limits.admit(*screen)
        size = size if index else screen
    limits.admit_frames([place.width * place.height for place in places])
    _write(gif, output)
    return Rebuilt(size, len(gif.pictures), gif.metadata.findings)


class _Reader:
    def __init__(self, data: View) -> None:
        self._data = data
        self._at = 0
        self._control: _Control | None = None
        screen = self._take(13)
        width, height, flags, background, aspect = struct.unpack("<HHBBB", screen[6:])
        self._gif = _Gif(width, height, flags, background, aspect)
        if flags & 0x80:
            self._gif.colours = self._take(3 << (flags & 7) + 1)

    def read(self) -> _Gif:
        while self._at < len(self._data):
            introducer = self._take(1)[0]
            if introducer == _TRAILER:
                break
            if introducer == _IMAGE:
                self._picture()
            elif introducer == _EXTENSION and not self._extended():
                break
            elif introducer != _EXTENSION:
                self._skip(introducer)
        self._gif.metadata.read_trailer(self._data, self._at)
        if not self._gif.pictures:
            raise ValueError("no picture")
        return self._gif

    def _skip(self, introducer: int) -> None:
        """Go on where a block could start: viewers do so too."""
        found = _INTRODUCER.search(self._data, self._at)
        start, self._at = self._at, found.start() if found else len(self._data)
        if introducer or any(self._data[start : self._at]):
            self._gif.metadata.saw(Finding.TRAILING_DATA)

    def _take(self, size: int) -> bytes:
        taken = self._data[self._at : self._at + size]
        if len(taken) < size:
            raise Rejected("unreadable_image", "it is truncated")
        self._at += size
        return taken

    def _sub_blocks(self) -> Iterator[bytes]:
        while size := self._take(1)[0]:
            yield self._take(size)

    def _picture(self) -> None:
        *place, flags = struct.unpack("<HHHHB", self._take(9))
        colours = self._take(3 << (flags & 7) + 1) if flags & 0x80 else b""
        code_size = self._take(1)[0]
        start = self._at
        try:
            for _ in self._sub_blocks():
                pass
        except Rejected:  # cut off: the decoder knows whether a pixel is missing
            self._at = len(self._data)
        self._gif.pictures.append(
            _Picture(
                place=_Place(*place),
                interlaced=flags & 0x40 > 0,
                colours=colours,
                code_size=code_size,
                coded=self._data[start : self._at],
                control=self._control,
            )
        )
        self._control = None

    def _extended(self) -> bool:
        """Read an extension; False if the file ends in it behind the last picture."""
        try:
            self._extension()
        except Rejected:
            if not self._gif.pictures:
                raise
            self._gif.metadata.saw(Finding.TRAILING_DATA)
            return False
        return True

    def _extension(self) -> None:
        label = self._take(1)[0]
        blocks = list(self._sub_blocks())
        first = blocks[0] if blocks else b""
        match label:
            case 0xF9 if len(first) >= 4:  # graphic control
                flags, delay, index = struct.unpack("<BHB", first[:4])
                transparent = index if flags & 1 else None
                self._control = _Control(min(flags >> 2 & 7, 3), delay, transparent)
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
        if name in _LOOPS and gif.loop is None:
            counts = [block for block in blocks if len(block) == 3 and block[0] == 1]
            if counts:
                gif.loop = int.from_bytes(counts[0][1:], "little")
                gif.loop_before = len(gif.pictures)
            if len(blocks) != 1:
                gif.metadata.saw(Finding.APPLICATION_DATA)
        elif name == _PROFILE:
            gif.profile = b"".join(blocks)
        elif name.startswith(b"XMP Data"):
            gif.metadata.read_xmp(b"".join(bytes([len(b)]) + b for b in blocks))
        else:
            gif.metadata.saw(Finding.APPLICATION_DATA)


def _write(gif: _Gif, output: BinaryIO) -> None:
    """Write pictures as they are decoded, then the tables before them."""
    coded = []
    used: set[int] = set()
    for picture in gif.pictures:
        image = picture.decoded()
        indices = {index for index, n in enumerate(image.histogram()) if n}
        seen = indices - {picture.control.transparent if picture.control else None}
        if picture.colours:
            picture.colours = _cleared(gif, picture.colours, seen)
        else:
            used |= seen
        coded.append(_recoded(image, max(indices)))
    used.add(gif.background)
    screen = (gif.width, gif.height, gif.flags & 0xF7, gif.background, gif.aspect)
    output.write(b"GIF89a" + struct.pack("<HHBBB", *screen))
    output.write(_cleared(gif, gif.colours, used))
    _write_profile(gif, output)
    for index, (picture, data) in enumerate(zip(gif.pictures, coded, strict=True)):
        if gif.loop is not None and index == gif.loop_before:
            loop = struct.pack("<BBH", 3, 1, gif.loop)
            output.write(b"\x21\xff\x0b" + _LOOPS[0] + loop + b"\0")
        _write_picture(picture, data, output)
    output.write(bytes([_TRAILER]))


def _cleared(gif: _Gif, colours: bytes, used: set[int]) -> bytes:
    cleared = b"".join(
        colours[at : at + 3] if at // 3 in used else bytes(3)
        for at in range(0, len(colours), 3)
    )
    if cleared != colours:
        gif.metadata.saw(Finding.HIDDEN_COLOURS)
    return cleared


def _recoded(image: Image.Image, highest: int) -> bytes:
    bits = max(2, highest.bit_length())
    return bytes([bits]) + image.tobytes("gif", "P", bits, 0) + b"\0"


def _write_picture(picture: _Picture, coded: bytes, output: BinaryIO) -> None:
    if control := picture.control:
        flags = control.disposal << 2 | (control.transparent is not None)
        index = control.transparent or 0
        output.write(b"\x21\xf9\x04")
        output.write(struct.pack("<BHBB", flags, control.delay, index, 0))
    entries = len(picture.colours) // 3
    table = 0x80 | entries.bit_length() - 2 if entries else 0
    output.write(b"\x2c" + struct.pack("<HHHHB", *picture.place, table))
    output.write(picture.colours + coded)


def _write_profile(gif: _Gif, output: BinaryIO) -> None:
    if not gif.profile:
        return
    profile = icc.neutral(gif.profile)
    if profile is None or profile.identifying:
        gif.metadata.saw(Finding.COLOUR_PROFILE)
    if profile:
        output.write(b"\x21\xff\x0b" + _PROFILE)
        for at in range(0, len(profile.data), 255):
            block = profile.data[at : at + 255]
            output.write(bytes([len(block)]) + block)
        output.write(b"\0")
