"""Run-length encoded bitmaps, decoded to one byte per pixel (wingdi.h: BI_RLE4, 8).

Pixels that no run reaches get the first palette entry, as everywhere. What runs past
their row mean no one says: such a picture stays as Pillow shows it.
"""

from io import BytesIO

from PIL import Image
from PIL.BmpImagePlugin import BmpImageFile

from functions.sanitizer.images.pictures import View
from schemas.errors import Rejected

# As many take about five seconds.
_MAX_RUNS = 16_000_000
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
    pixels, end = runs.decode()
    if runs.overran and (shown := _as_shown(data, size, top_down=top_down)):
        return shown, end
    return pixels, end


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
        self._at = at
        self._width, self._height = size
        self._nibbles = nibbles
        self._x = self._y = 0
        self._out = bytearray(self._width * self._height)
        self.overran = False

    def decode(self) -> tuple[bytearray, int]:
        for _ in range(_MAX_RUNS):
            if self._y >= self._height or not self._run():
                return self._out, self._finished()
        raise Rejected("too_many_pixels", "too many runs")

    def _finished(self) -> int:
        """Where the code ends, with the end of the bitmap that may follow."""
        marks = (b"\0\1", b"\0\0\0\1")
        for mark in marks:
            if self._data[self._at : self._at + len(mark)] == mark:
                return self._at + len(mark)
        return self._at

    def _run(self) -> bool:
        """Decode one run; say whether more may follow."""
        count, value = self._data[self._at], self._data[self._at + 1]
        self._at += 2
        if count:
            self._put(bytes((value,)) * count, count)
        elif value == _END_OF_LINE:
            self._x, self._y = 0, self._y + 1
        elif value == _DELTA:
            self._x += self._data[self._at]
            self._y += self._data[self._at + 1]
            self._at += 2
        elif value != _END:
            coded = -(-value // 2) if self._nibbles else value
            if self._at + coded > len(self._data):
                raise IndexError("it ends early")
            self._put(bytes(self._data[self._at : self._at + coded]), value)
            self._at += coded + coded % 2
        return (count, value) != (0, _END)

    def _put(self, coded: bytes, count: int) -> None:
        """Put *count* pixels where we are; what leaves the row is lost."""
        if self._nibbles:
            expanded = bytearray(2 * len(coded))
            expanded[::2], expanded[1::2] = (
                coded.translate(_HIGH),
                coded.translate(_LOW),
            )
            coded = bytes(expanded)
        fitting = max(0, min(count, self._width - self._x))
        self.overran |= fitting < count
        at = self._y * self._width + self._x
        self._out[at : at + fitting] = coded[:fitting]
        self._x += count
