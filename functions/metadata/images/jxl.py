"""JPEG XL: sizes are written in as few bits as they need.

Source: ISO/IEC 18181-1, annexes D and E; 18181-2 for the boxes.
"""

from functions.metadata.blocks import Blocks
from functions.metadata.boxes import boxes, content
from functions.metadata.errors import damaged_image
from functions.metadata.images.facts import ImageFacts

_RATIOS = {
    1: (1, 1),
    2: (12, 10),
    3: (4, 3),
    4: (3, 2),
    5: (16, 9),
    6: (5, 4),
    7: (2, 1),
}
_SIZE_BITS = (9, 13, 18, 30)
_HEADER = 512  # bytes: image metadata without an embedded profile is far shorter
_GREY, _ALPHA = 1, 0
_MOST_CHANNELS = 64
_MOST_BITS_OF_NAME = 1072 * 8


class _Bits:
    """Takes numbers from bytes, their lowest bits first."""

    def __init__(self, data: bytes) -> None:
        self._value = int.from_bytes(data, "little")
        self._left = 8 * len(data)

    def take(self, count: int) -> int:
        if count > self._left:
            raise damaged_image()
        taken = self._value & ((1 << count) - 1)
        self._value >>= count
        self._left -= count
        return taken

    def choose(self, *choices: tuple[int, int]) -> int:
        """Return U32: two bits choose an offset and how many bits follow."""
        offset, count = choices[self.take(2)]
        return offset + self.take(count)

    def enum(self) -> int:
        return self.choose((0, 0), (1, 0), (2, 4), (18, 6))


def describe_jxl(blocks: Blocks) -> ImageFacts:
    """Return the facts of a JPEG XL file; frames of an animation are not counted.

    Raises:
        Rejected: it holds no picture's header.
    """
    data = _codestream(blocks)
    if data[:2] != b"\xff\x0a":
        raise damaged_image()
    bits = _Bits(data[2:])
    width, height = _size(bits)
    orientation, animated, mode = _metadata(bits)
    facts = ImageFacts(
        width=width, height=height, mode=mode, frames=None if animated else 1
    )
    return facts.turned(orientation)


def _codestream(blocks: Blocks) -> bytes:
    if blocks.read_at(0, 2) == b"\xff\x0a":
        return blocks.read_at(0, _HEADER)
    for box in boxes(blocks, 0, blocks.size_bytes):
        if box.kind == b"jxlc":
            return content(blocks, box, _HEADER)
        if box.kind == b"jxlp":
            return content(blocks, box, _HEADER + 4)[4:]
    raise damaged_image()


def _size(bits: _Bits) -> tuple[int, int]:
    small = bits.take(1)
    height = _length(bits, small=small)
    ratio = bits.take(3)
    if ratio:
        across, down = _RATIOS[ratio]
        return height * across // down, height
    return _length(bits, small=small), height


def _length(bits: _Bits, *, small: int) -> int:
    if small:
        return (bits.take(5) + 1) * 8
    return 1 + bits.take(_SIZE_BITS[bits.take(2)])


def _metadata(bits: _Bits) -> tuple[int, bool, str]:
    """Return orientation, whether it is animated, and the mode."""
    if bits.take(1):  # all of it is as usual
        return 1, False, "RGB"
    orientation, animated = 1, False
    if bits.take(1):
        orientation = bits.take(3) + 1
        if bits.take(1):
            _size(bits)
        if bits.take(1):
            _preview(bits)
        animated = bool(bits.take(1))
        if animated:
            _animation(bits)
    _depth(bits)
    bits.take(1)
    count = bits.choose((0, 0), (1, 0), (2, 4), (1, 12))
    alpha = any(_channel(bits) == _ALPHA for _ in range(min(count, _MOST_CHANNELS)))
    bits.take(1)
    return orientation, animated, _colours(bits) + ("A" if alpha else "")


def _preview(bits: _Bits) -> None:
    div8 = bits.take(1)
    wide = (
        ((16, 0), (32, 0), (1, 5), (33, 9))
        if div8
        else ((1, 6), (65, 8), (321, 10), (1345, 12))
    )
    bits.choose(*wide)
    if not bits.take(3):
        bits.choose(*wide)


def _animation(bits: _Bits) -> None:
    bits.choose((100, 0), (1000, 0), (1, 10), (1, 30))
    bits.choose((1, 0), (1001, 0), (1, 8), (1, 10))
    bits.choose((0, 0), (0, 3), (0, 16), (0, 32))
    bits.take(1)


def _depth(bits: _Bits) -> None:
    if bits.take(1):
        bits.choose((32, 0), (16, 0), (24, 0), (1, 6))
        bits.take(4)
    else:
        bits.choose((8, 0), (10, 0), (12, 0), (1, 6))


def _channel(bits: _Bits) -> int:
    """Return what an extra channel is."""
    if bits.take(1):
        return _ALPHA
    kind = bits.enum()
    _depth(bits)
    bits.choose((0, 0), (3, 0), (4, 0), (1, 3))
    bits.take(8 * bits.choose((0, 0), (0, 4), (16, 5), (48, 10)))
    if kind == _ALPHA:
        bits.take(1)
    if kind == 2:  # spot colour
        bits.take(64)
    if kind == 5:  # colour filter array
        bits.choose((1, 0), (0, 2), (3, 4), (19, 8))
    return kind


def _colours(bits: _Bits) -> str:
    if bits.take(1):
        return "RGB"
    bits.take(1)  # a profile is embedded
    return "L" if bits.enum() == _GREY else "RGB"
