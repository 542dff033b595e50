"""GIF: block by block (GIF89a), with every picture's indices coded anew.

Kept: the screen, colour tables as far as they are used, each picture with its place,
delay, disposal and transparency, the loop count, a colour profile. Coding the indices
again leaves no room behind the end code and between the codes.

An animation ends before its first broken picture, as it does in viewers: one without
an area, with codes that mean nothing, or cut off. Nothing is shown of a file whose very
first picture is broken.
"""

import struct
from collections.abc import Iterator
from typing import BinaryIO

from PIL import Image

from functions.sanitizer.findings import Finding
from functions.sanitizer.images import icc
from functions.sanitizer.images.gif.reader import (
    PROFILE,
    TRAILER,
    Gif,
    Picture,
    read,
)
from functions.sanitizer.images.pictures import Rebuilt, View
from functions.sanitizer.limits import Limits
from schemas.errors import Rejected

_TO_BACKGROUND = 2
_HEAD_BYTES = 13
# What a picture of noise takes is less; ten seconds of decoding and coding are not.
_CODED_TO_PIXELS = 2


def rebuild(_source: BinaryIO, data: View, output: BinaryIO, limits: Limits) -> Rebuilt:
    """Write a GIF again without anything but its pictures.

    Raises:
        Rejected: `too_many_pixels`, `too_many_frames`; what else goes wrong is for
            `decoding` to name.
    """
    return _rewritten(read(data), output, limits, keep=False)


def strip(_source: BinaryIO, data: View, output: BinaryIO, limits: Limits) -> Rebuilt:
    """Write a GIF again around its coded pictures, which keep every bit.

    One with codes beyond its last pixel is coded again.

    Raises:
        Rejected: as `rebuild` does.
    """
    return _rewritten(read(data), output, limits, keep=True)


def _rewritten(gif: Gif, output: BinaryIO, limits: Limits, *, keep: bool) -> Rebuilt:
    size, admitted = _admitted(gif, limits)
    writer = _Writer(gif, output)
    for index, picture in enumerate(gif.pictures):
        if index == admitted:
            raise Rejected("too_many_pixels", f"more than {limits.max_pixels}")
        try:
            exact = picture.exact() if keep else None
            image = exact or picture.decoded()
        except ValueError:
            if not index:
                raise
            gif.end_before(index)
            break
        writer.write(picture, image, kept=exact is not None)
    writer.finish()
    return Rebuilt(size, len(gif.pictures), gif.metadata.findings)


def _admitted(gif: Gif, limits: Limits) -> tuple[tuple[int, int], int]:
    """Return the size of what is shown first, and how many pictures may be decoded.

    One that is too large may be what is left of a file where another broke before.
    """
    empty = (i for i, picture in enumerate(gif.pictures) if 0 in picture.place[2:])
    if first := next(empty, None):
        gif.end_before(first)
    screens = list(_screens(gif, limits))
    admitted = gif.pictures[: len(screens)]
    limits.admit_frames([p.place.width * p.place.height for p in admitted])
    coded = sum(len(picture.coded) for picture in admitted)
    if coded > _CODED_TO_PIXELS * limits.max_pixels:
        raise Rejected("too_many_pixels", f"they are coded in {coded} bytes")
    return screens[0], len(screens)


def _screens(gif: Gif, limits: Limits) -> Iterator[tuple[int, int]]:
    """Yield the screen of each picture up to the first one that is too large.

    Raises:
        Rejected: the first one has no area, or is too large.
    """
    screen = (gif.width, gif.height)
    for index, picture in enumerate(gif.pictures):
        screen = picture.place.within(screen)  # viewers widen it for what stands out
        try:
            limits.admit(picture.place.width, picture.place.height)
            limits.admit(*screen)
        except Rejected:
            if not index:
                raise
            return
        yield screen


class _Writer:
    """Writes a file: each picture as it comes, the table that they share at last.

    Colours that no picture uses are cleared from the tables.
    """

    def __init__(self, gif: Gif, output: BinaryIO) -> None:
        self._gif = gif
        self._output = output
        self._written = 0
        self._used = {gif.background}  # of the shared table
        self._restored = set[int]()
        screen = (gif.width, gif.height, gif.flags & 0xF7, gif.background, gif.aspect)
        output.write(b"GIF89a" + struct.pack("<HHBBB", *screen))
        output.write(bytes(len(gif.colours)))
        _write_profile(gif, output)

    def write(self, picture: Picture, image: Image.Image, *, kept: bool) -> None:
        """Write a picture, its codes *kept* as they are or new ones of *image*."""
        gif = self._gif
        highest = self._use(picture, image)
        if gif.loop is not None and self._written == gif.loop_before:
            loop = struct.pack("<BBH", 3, 1, gif.loop)
            self._output.write(b"\x21\xff\x0b" + gif.loop_name + loop + b"\0")
        self._written += 1
        if kept:
            _write_place(picture, self._output)
            self._output.write(bytes([picture.code_size]))
            self._output.write(picture.coded)
            return
        picture.interlaced = False
        _write_place(picture, self._output)
        _write_codes(image, highest, self._output)

    def finish(self) -> None:
        """Write the end, and the table, now that all its users are known."""
        self._output.write(bytes([TRAILER]))
        self._output.seek(_HEAD_BYTES)
        self._output.write(_cleared(self._gif, self._gif.colours, self._used))

    def _use(self, picture: Picture, image: Image.Image) -> int:
        """Note a picture's colours; return the highest index in it."""
        indices = {index for index, n in enumerate(image.histogram()) if n}
        seen = indices - {picture.control.transparent if picture.control else None}
        if picture.control and picture.control.disposal == _TO_BACKGROUND:
            # Some viewers look its colour up in the picture's own table.
            self._restored = {self._gif.background}
        if picture.colours:
            own = seen | self._restored
            picture.colours = _cleared(self._gif, picture.colours, own)
        else:
            self._used |= seen
        return max(indices)


def _cleared(gif: Gif, colours: bytes, used: set[int]) -> bytes:
    cleared = b"".join(
        colours[at : at + 3] if at // 3 in used else bytes(3)
        for at in range(0, len(colours), 3)
    )
    if cleared != colours:
        gif.metadata.saw(Finding.HIDDEN_COLOURS)
    return cleared


def _write_codes(image: Image.Image, highest: int, output: BinaryIO) -> None:
    bits = max(2, highest.bit_length())
    output.write(bytes([bits]))
    output.write(image.tobytes("gif", "P", bits, 0))
    output.write(b"\0")


def _write_place(picture: Picture, output: BinaryIO) -> None:
    if control := picture.control:
        flags = control.disposal << 2 | (control.transparent is not None)
        index = control.transparent or 0
        output.write(b"\x21\xf9\x04")
        output.write(struct.pack("<BHBB", flags, control.delay, index, 0))
    entries = len(picture.colours) // 3
    flags = 0x80 | entries.bit_length() - 2 if entries else 0
    flags |= 0x40 * picture.interlaced
    output.write(b"\x2c" + struct.pack("<HHHHB", *picture.place, flags))
    output.write(picture.colours)


def _write_profile(gif: Gif, output: BinaryIO) -> None:
    if not gif.profile:
        return
    profile = icc.neutral(gif.profile)
    if profile is None or profile.identifying:
        gif.metadata.saw(Finding.COLOUR_PROFILE)
    if profile:
        output.write(b"\x21\xff\x0b" + PROFILE)
        for at in range(0, len(profile.data), 255):
            block = profile.data[at : at + 255]
            output.write(bytes([len(block)]) + block)
        output.write(b"\0")
