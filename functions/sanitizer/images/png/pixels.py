"""The coded pictures of a PNG: checked to their last byte, and changed where they hide
something or stand on their side.

A stream that inflates to exactly its rows and ends there is carried over as it is: its
samples stay exact at every depth, and it stays as small. Pillow has no mode for colour
of 16 bits. But PNG filters work byte by byte, so the high bytes of all samples are a
filtered 8-bit picture and so are the low bytes: two pictures that Pillow can decode.
"""

import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from PIL import Image, ImageChops

from functions.sanitizer.images.inflating import Inflater
from functions.sanitizer.images.pictures import (
    clear_hidden_colours,
    hides_colours,
    invisible,
    turned,
)
from functions.sanitizer.images.png.reader import Header

_BLOCK = 1 << 20
_MAX_FILTER = 4
_ADAM7 = (
    (0, 0, 8, 8),
    (4, 0, 8, 8),
    (0, 4, 4, 8),
    (2, 0, 4, 4),
    (0, 2, 2, 4),
    (1, 0, 2, 2),
    (0, 1, 1, 2),
)
# Compressing what had to be changed in a large picture would take half a minute.
_LARGE_PIXELS, _FAST = 8_000_000, 1
_MODES = {2: "RGB", 4: "LA", 6: "RGBA"}  # by colour type, at 8 and 16 bits


@dataclass(frozen=True)
class Coded:
    """One zlib stream and the picture that it holds."""

    header: Header
    stream: bytes | bytearray
    level: int = -1  # of compression, should the picture have to be changed


def rows(header: Header) -> Iterator[tuple[int, int]]:
    """Yield length in bytes, with the filter byte, and number of each pass's rows."""
    bits = header.channels * header.depth
    for width, height in _passes(header):
        yield 1 + -(-width * bits // 8), height


def _passes(header: Header) -> Iterator[tuple[int, int]]:
    """Yield width and height of each pass that has pixels."""
    passes = _ADAM7 if header.interlaced else ((0, 0, 1, 1),)
    for left, top, across, down in passes:
        width = -(-(header.width - left) // across)
        height = -(-(header.height - top) // down)
        if width > 0 and height > 0:
            yield width, height


def level_for(headers: list[Header]) -> int:
    """Return how hard to compress what has to be changed in these pictures."""
    pixels = sum(header.width * header.height for header in headers)
    return _FAST if pixels > _LARGE_PIXELS else -1


def settled(coded: Coded) -> Coded:
    """Return the picture without a byte in its stream that is not picture.

    Raises:
        ValueError, zlib.error: it is damaged or ends early.
    """
    inflater = Inflater(coded.stream)
    for stride, block in _blocks(coded.header, inflater):
        if max(block[::stride]) > _MAX_FILTER:
            raise ValueError("no such filter")
    end = inflater.end()
    if end == len(coded.stream):
        return coded
    if end is not None:
        return replace(coded, stream=coded.stream[:end])
    again = (block for _, block in _blocks(coded.header, Inflater(coded.stream)))
    return replace(coded, stream=_deflated(again, coded.level))


def whole_bytes(coded: Coded) -> Coded:
    """Return the picture with zeros behind the last pixel of each row, in its byte."""
    if fills_bytes(coded.header):
        return coded
    return _encoded(coded, _decoded(coded))


def fills_bytes(header: Header) -> bool:
    """Say whether no bit is left over behind the last pixel of any row."""
    bits = header.channels * header.depth
    return all(width * bits % 8 == 0 for width, _ in _passes(header))


def blank(header: Header) -> Coded:
    """Return a picture of zeros."""
    zeros = (bytes(stride) for stride, count in rows(header) for _ in range(count))
    return Coded(header, _deflated(zeros))


def indices(coded: Coded) -> set[int]:
    """Return the palette entries in use."""
    counts = _decoded(coded)[0].histogram()
    return {index for index, count in enumerate(counts) if count}


def remapped(coded: Coded, table: list[int]) -> Coded:
    """Return the picture with other palette indices."""
    return _encoded(coded, [_decoded(coded)[0].point(table)])


def uncovered(coded: Coded) -> Coded:
    """Return the picture with black where it is fully transparent."""
    if coded.header.depth == 16:
        size = (coded.header.width, coded.header.height)
        glance = _frombytes("RGBA", size, coded, f"{_MODES[coded.header.colour]};16B")
        if not glance.getchannel("A").histogram()[0]:
            return coded
    images = _decoded(coded)
    mask = invisible(images[0].getchannel("A"))
    for image in images[1:]:
        mask = ImageChops.multiply(mask, invisible(image.getchannel("A")))
    if not any(hides_colours(image, mask) for image in images):
        return coded
    for image in images:
        clear_hidden_colours(image, mask)
    return _encoded(coded, images)


def upright(coded: Coded, orientation: int) -> Coded:
    """Return the picture as it is meant to be seen."""
    return _encoded(coded, [turned(i, orientation) for i in _decoded(coded)])


def _blocks(header: Header, inflater: Inflater) -> Iterator[tuple[int, bytes]]:
    """Yield all rows, many at a time, with the length of one."""
    for stride, height in rows(header):
        at_once = max(1, _BLOCK // stride)
        for first in range(0, height, at_once):
            count = min(at_once, height - first)
            yield stride, inflater.read(stride * count)


def _deflated(blocks: Iterable[bytes], level: int = -1) -> bytes:
    deflater = zlib.compressobj(level)
    return b"".join(map(deflater.compress, blocks)) + deflater.flush()


def _rawmode(header: Header) -> tuple[str, str]:
    """Pillow's mode and raw mode for 8 bits and less; greys below 8 bits stay raw."""
    if header.colour in _MODES:
        mode = _MODES[header.colour]
        return mode, mode
    if header.depth == 8:
        return ("P", "P") if header.colour == 3 else ("L", "L")
    return "P", f"P;{header.depth}"


def _frombytes(
    mode: str, size: tuple[int, int], coded: Coded, rawmode: str
) -> Image.Image:
    interlaced = coded.header.interlaced
    return Image.frombytes(mode, size, coded.stream, "zip", rawmode, interlaced)


def _decoded(coded: Coded) -> list[Image.Image]:
    """One picture, or that of the high bytes and that of the low bytes."""
    header = coded.header
    size = (header.width, header.height)
    if header.depth < 16:
        mode, rawmode = _rawmode(header)
        return [_frombytes(mode, size, coded, rawmode)]
    mode = _MODES.get(header.colour, "L")
    return [
        _frombytes(mode, size, replace(coded, stream=_deflated(lane, 0)), mode)
        for lane in (_lane(coded, 1), _lane(coded, 2))
    ]


def _lane(coded: Coded, first: int) -> Iterator[bytes]:
    for stride, block in _blocks(coded.header, Inflater(coded.stream)):
        for start in range(0, len(block), stride):
            row = block[start : start + stride]
            yield row[:1] + row[first::2]


def _encoded(coded: Coded, images: list[Image.Image]) -> Coded:
    """Return the picture with other samples, and perhaps of another size."""
    width, height = images[0].size
    header = coded.header._replace(width=width, height=height, interlaced=0)
    if len(images) == 1:
        rawmode = _rawmode(header)[1]
        stream = images[0].tobytes("zip", rawmode, False, coded.level, -1, b"")
        return replace(coded, header=header, stream=stream)
    samples = bytearray(2 * len(images[0].tobytes()))
    samples[0::2], samples[1::2] = (image.tobytes() for image in images)
    stride = 2 * header.width * header.channels
    unfiltered = (
        b"\0" + samples[at : at + stride] for at in range(0, len(samples), stride)
    )
    stream = _deflated(unfiltered, coded.level)
    return replace(coded, header=header, stream=stream)
