"""Run-length encoded bitmaps, decoded to one byte per pixel (wingdi.h: BI_RLE4, 8).

Pixels that no run reaches get the first palette entry, as everywhere. What runs past
their row mean no one says: such a picture stays as Pillow shows it.
"""

import re
from collections.abc import Callable
from functools import lru_cache
from io import BytesIO

from PIL import Image
from PIL.BmpImagePlugin import BmpImageFile

from functions.sanitizer.images.pictures import View
from schemas.errors import Rejected

# As many take about five seconds; runs of one colour are quicker by far.
_MAX_STEPS, _RUNS_PER_STEP = 4_000_000, 16
# Runs of one colour that follow each other: no more than a megabyte of pixels at once.
_STRETCH = re.compile(rb"(?:[^\0].){1,4096}", re.DOTALL)
# Pillow decodes runs one by one as we do: in this size soon enough.
_MOST_SHOWN = 1 << 22
_HIGH = bytes(byte >> 4 for byte in range(256))
_LOW = bytes(byte & 15 for byte in range(256))
_END_OF_LINE, _END, _DELTA = 0, 1, 2


def decoded(
    data: View, at: int, size: tuple[int, int], *, nibbles: bool, top_down: bool
) -> tuple[bytearray, int]:
    """Return the pixels in the order of the file's rows, and where the code ends.

    Args:
        nibbles: a byte has two pixels (BI_RLE4).

    Raises:
        Rejected: `too_many_pixels`: too many runs.
        IndexError: it ends early.
    """
    runs = _Runs(data, at, size, nibbles)
    try:
        runs.decode()
    except IndexError:
        if not runs.filled:
            raise
    if runs.overran and (shown := _as_shown(data, size, top_down=top_down)):
        return shown, runs.end
    return runs.pixels, runs.end


def _as_shown(data: View, size: tuple[int, int], *, top_down: bool) -> bytearray | None:
    """Return what Pillow decodes, in the order of the file's rows, if it does."""
    if size[0] * size[1] > _MOST_SHOWN:
        return None
    try:
        image = BmpImageFile(BytesIO(bytes(data)))
        image.load()
    except (OSError, ValueError):
        return None
    if image.size != size or image.mode not in ("P", "L"):
        return None
    if top_down:
        return bytearray(image.tobytes())
    return bytearray(image.transpose(Image.Transpose.FLIP_TOP_BOTTOM).tobytes())


class _Runs:
    def __init__(
        self, data: View, at: int, size: tuple[int, int], nibbles: bool
    ) -> None:
        self._data = data
        self.end = at
        self._width, self._height = size
        self._nibbles = nibbles
        self._x = self._y = 0
        self.pixels = bytearray(self._width * self._height)
        self.overran = False

    @property
    def filled(self) -> bool:
        """Whether the last row is, so that a mark behind it may be missing."""
        return self._y == self._height - 1 and self._x >= self._width

    def decode(self) -> None:
        steps, more = 0, True
        while more and self._y < self._height:
            if steps >= _MAX_STEPS:
                raise Rejected("too_many_pixels", "too many runs")
            if runs := self._stretch():
                steps += 1 + runs // _RUNS_PER_STEP
            else:
                more = self._mark()
                steps += 1
        self._pass_end()

    def _pass_end(self) -> None:
        """Go behind the end of the bitmap that may follow the last row."""
        for mark in (b"\0\1", b"\0\0\0\1"):
            if self._data[self.end : self.end + len(mark)] == mark:
                self.end += len(mark)
                return

    def _stretch(self) -> int:
        """Decode runs of one colour as far as they go; return how many came."""
        found = _STRETCH.match(self._data, self.end)
        if not found:
            return 0
        coded, self.end = found.group(), found.end()
        self._put(b"".join(map(self._table(), coded[::2], coded[1::2])))
        return len(coded) // 2

    def _table(self) -> Callable[[int, int], bytes]:
        return _two_colours if self._nibbles else _one_colour

    def _mark(self) -> bool:
        """Decode what is no run of one colour; say whether more may follow."""
        value = self._data[self.end + 1]
        self.end += 2
        if value == _END_OF_LINE:
            self._x, self._y = 0, self._y + 1
        elif value == _DELTA:
            self._x += self._data[self.end]
            self._y += self._data[self.end + 1]
            self.end += 2
        elif value != _END:
            coded = -(-value // 2) if self._nibbles else value
            if self.end + coded > len(self._data):
                raise IndexError("it ends early")
            self._put(self._pixels(self.end, coded)[:value])
            self.end += coded + coded % 2
        return value != _END

    def _pixels(self, at: int, size: int) -> bytes:
        """Return pixels that are written out."""
        coded = bytes(self._data[at : at + size])
        if not self._nibbles:
            return coded
        expanded = bytearray(2 * size)
        expanded[::2], expanded[1::2] = coded.translate(_HIGH), coded.translate(_LOW)
        return bytes(expanded)

    def _put(self, pixels: bytes) -> None:
        """Put pixels where we are; what leaves the row is lost."""
        fitting = max(0, min(len(pixels), self._width - self._x))
        self.overran |= fitting < len(pixels)
        at = self._y * self._width + self._x
        self.pixels[at : at + fitting] = pixels[:fitting]
        self._x += len(pixels)


def _one_colour(count: int, value: int) -> bytes:
    return bytes((value,)) * count


@lru_cache(1 << 16)
def _two_colours(count: int, value: int) -> bytes:
    """Return what one byte of two pixels leads to."""
    return (bytes((value >> 4, value & 15)) * 128)[:count]
