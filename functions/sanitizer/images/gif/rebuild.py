"""GIF: block by block (GIF89a), with every picture's indices coded anew.

Kept: the screen, colour tables as far as they are used, each picture with its place,
delay, disposal and transparency, the loop count, a colour profile. Coding the indices
again leaves no room behind the end code and between the codes.

An animation ends before its first broken picture, as it does in viewers: one without
an area, with codes that mean nothing, or cut off. Nothing is shown of a file whose very
first picture is broken.
"""

import struct
from collections.abc import Callable, Iterator
from typing import BinaryIO, TypeVar

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

_TO_BACKGROUND = 2
_Decoded = TypeVar("_Decoded", Image.Image, Image.Image | None)


def rebuild(_source: BinaryIO, data: View, output: BinaryIO, limits: Limits) -> Rebuilt:
    """Write a GIF again without anything but its pictures.

    Raises:
        Rejected: `too_many_pixels`, `too_many_frames`; what else goes wrong is for
            `decoding` to name.
    """
    gif = read(data)
    size = _admitted(gif, limits)
    used = _Used(gif)
    coded = []
    for picture, image in _shown(gif, Picture.decoded):
        highest = used.take(picture, image)
        picture.interlaced = False
        coded.append(_recoded(image, highest))
    _write(gif, coded, used.by_all, output)
    return Rebuilt(size, len(gif.pictures), gif.metadata.findings)


def strip(source: BinaryIO, data: View, output: BinaryIO, limits: Limits) -> Rebuilt:
    """Write a GIF again around its coded pictures, which keep every bit.

    One with codes beyond its last pixel is rebuilt.

    Raises:
        Rejected: as `rebuild` does.
    """
    gif = read(data)
    size = _admitted(gif, limits)
    used = _Used(gif)
    for picture, image in _shown(gif, Picture.decoded_if_exact):
        if image is None:
            return rebuild(source, data, output, limits)
        used.take(picture, image)
    coded = [bytes([p.code_size]) + p.coded for p in gif.pictures]
    _write(gif, coded, used.by_all, output)
    return Rebuilt(size, len(gif.pictures), gif.metadata.findings)


def _shown(
    gif: Gif, decoded: Callable[[Picture], _Decoded]
) -> Iterator[tuple[Picture, _Decoded]]:
    """Yield the pictures and their indices, and drop what is broken.

    Raises:
        ValueError: the first one is.
    """
    for index, picture in enumerate(gif.pictures):
        try:
            image = decoded(picture)
        except ValueError:
            if not index:
                raise
            gif.end_before(index)
            return
        yield picture, image


def _admitted(gif: Gif, limits: Limits) -> tuple[int, int]:
    """Return the size of what is shown first, if all is within the limits."""
    empty = (i for i, picture in enumerate(gif.pictures) if 0 in picture.place[2:])
    if first := next(empty, None):
        gif.end_before(first)
    places = [picture.place for picture in gif.pictures]
    size = screen = (gif.width, gif.height)
    for index, place in enumerate(places):
        limits.admit(place.width, place.height)
        screen = place.within(screen)  # viewers widen it for what stands out
        limits.admit(*screen)
        size = size if index else screen
    limits.admit_frames([place.width * place.height for place in places])
    return size


class _Used:
    """Which colours are; others are cleared from the tables."""

    def __init__(self, gif: Gif) -> None:
        self._gif = gif
        self.by_all = {gif.background}  # of the table that pictures share
        self._restored = set[int]()

    def take(self, picture: Picture, image: Image.Image) -> int:
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
            self.by_all |= seen
        return max(indices)


def _write(gif: Gif, coded: list[bytes], used: set[int], output: BinaryIO) -> None:
    screen = (gif.width, gif.height, gif.flags & 0xF7, gif.background, gif.aspect)
    output.write(b"GIF89a" + struct.pack("<HHBBB", *screen))
    output.write(_cleared(gif, gif.colours, used))
    _write_profile(gif, output)
    for index, (picture, data) in enumerate(zip(gif.pictures, coded, strict=True)):
        if gif.loop is not None and index == gif.loop_before:
            loop = struct.pack("<BBH", 3, 1, gif.loop)
            output.write(b"\x21\xff\x0b" + gif.loop_name + loop + b"\0")
        _write_picture(picture, data, output)
    output.write(bytes([TRAILER]))


def _cleared(gif: Gif, colours: bytes, used: set[int]) -> bytes:
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


def _write_picture(picture: Picture, coded: bytes, output: BinaryIO) -> None:
    if control := picture.control:
        flags = control.disposal << 2 | (control.transparent is not None)
        index = control.transparent or 0
        output.write(b"\x21\xf9\x04")
        output.write(struct.pack("<BHBB", flags, control.delay, index, 0))
    entries = len(picture.colours) // 3
    flags = 0x80 | entries.bit_length() - 2 if entries else 0
    flags |= 0x40 * picture.interlaced
    output.write(b"\x2c" + struct.pack("<HHHHB", *picture.place, flags))
    output.write(picture.colours + coded)


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
