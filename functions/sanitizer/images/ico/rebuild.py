"""Icons and cursors: a directory written anew, its PNGs and bitmaps rebuilt each.

All sizes are kept, in their order, and a cursor's hot spots.
"""

import struct
from dataclasses import dataclass
from io import BytesIO
from typing import BinaryIO

from PIL.IcoImagePlugin import IcoImageFile

from functions.sanitizer.findings import Finding
from functions.sanitizer.images.exif import Metadata
from functions.sanitizer.images.ico import dib as ico_dib
from functions.sanitizer.images.pictures import Rebuilt, View
from functions.sanitizer.images.png import rebuild as png
from functions.sanitizer.limits import Limits
from schemas.errors import Rejected

_ICON, _CURSOR = 1, 2
_HEADER, _ENTRY = struct.Struct("<HHH"), struct.Struct("<BBBBHHII")
_PNG = b"\x89PNG\r\n\x1a\n"
_BITS = (0, 1, 4, 8, 16, 24, 32)
# Windows shows 256 by 256 at most.
_MAX_SIDE = 256
# Bitmaps of all entries: far more than the largest that are shown need.
_MOST_BITMAP_PIXELS = 16_000_000


class IconOrCursor(IcoImageFile):
    """Pillow's reader of icons, which reads cursors as well."""

    def _open(self) -> None:
        assert self.fp is not None
        data = bytearray(self.fp.read())
        count = int.from_bytes(data[4:6], "little")
        if data[2] == _CURSOR:
            data[2] = _ICON
            for at in range(10, 10 + 16 * count, 16):
                data[at : at + 4] = bytes(4)  # hot spots, where icons have depths
        self.fp = BytesIO(data)
        super()._open()


@dataclass(frozen=True)
class _Image:
    """One entry, written anew."""

    size: tuple[int, int]
    colours: int
    first: int  # planes or the hot spot's x
    second: int  # bits or its y
    data: bytes

    @property
    def shown_first(self) -> tuple[int, int]:
        """Sorts as Pillow and others choose: the largest, of few colours."""
        depth = self.second or {2: 1, 16: 4}.get(self.colours, 256)
        width, height = (min(side, _MAX_SIDE) for side in self.size)
        return -width * height, depth


def rebuild(_source: BinaryIO, data: View, output: BinaryIO, limits: Limits) -> Rebuilt:
    """Write an icon or cursor again without anything but its pictures.

    Raises:
        Rejected: `too_many_frames`, `too_many_pixels`, `unsupported_image`.
    """
    _, kind, count = _HEADER.unpack_from(data)
    limits.admit_frames([1] * count)
    metadata, images, end = Metadata(), [], _HEADER.size + 16 * count
    areas = _Areas(limits)
    for index in range(count):
        fields = _ENTRY.unpack_from(data, _HEADER.size + 16 * index)
        size, at = fields[6:]
        coded = bytes(data[at : at + size])
        if at < _HEADER.size + 16 * count or len(coded) != size:
            raise ValueError("an image outside the file")
        areas.admit(coded)
        images.append(_image(coded, kind, fields[4:6], metadata, limits))
        end = max(end, at + size)
    metadata.read_trailer(data, end)
    _write(output, kind, images)
    shown = images if kind == _ICON else [_depthless(image) for image in images]
    return Rebuilt(min(shown, key=lambda i: i.shown_first).size, 1, metadata.findings)


def _depthless(image: _Image) -> _Image:
    return _Image(image.size, image.colours, 0, 0, image.data)


class _Areas:
    """Counts the pixels of all entries, which may be one and the same image."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._all = self._bitmaps = 0

    def admit(self, coded: bytes) -> None:
        """Let an entry pass.

        Raises:
            Rejected: `too_many_pixels`, in it or in all so far.
        """
        bitmap = not coded.startswith(_PNG)
        if bitmap:
            width, height = struct.unpack_from("<ii", coded, 4)
            height //= 2
        else:
            width, height = struct.unpack_from(">II", coded, 16)
        self._limits.admit(width, height)
        self._all += width * height
        self._bitmaps += bitmap * width * height
        most = min(self._limits.max_pixels, self._limits.max_total_pixels)
        if self._all > most or self._bitmaps > _MOST_BITMAP_PIXELS:
            raise Rejected("too_many_pixels", "in all entries")


def _image(
    coded: bytes,
    kind: int,
    fields: tuple[int, int],
    metadata: Metadata,
    limits: Limits,
) -> _Image:
    first, second = fields
    if coded.startswith(_PNG):
        output = BytesIO()
        rebuilt = png.rebuild(BytesIO(coded), coded, output, limits)
        metadata.saw(*rebuilt.findings)
        size, bits, written = rebuilt.size, 32, output.getvalue()
    else:
        bitmap = ico_dib.rebuilt(coded, inverts=kind == _CURSOR)
        metadata.saw(*([Finding.HIDDEN_COLOURS] if bitmap.hid else []))
        size, bits, written = bitmap.size, bitmap.bits, bitmap.data
    if kind == _ICON:
        # Readers look here whether there is alpha; else any number was good enough.
        told = second in _BITS and (second == 32) == (bits == 32)
        first, second = 1, second if told else bits
    return _Image(size, 1 << bits if bits < 8 else 0, first, second, written)


def _write(output: BinaryIO, kind: int, images: list[_Image]) -> None:
    output.write(_HEADER.pack(0, kind, len(images)))
    at = _HEADER.size + _ENTRY.size * len(images)
    if at + sum(len(image.data) for image in images) >= 1 << 32:
        raise Rejected("unsupported_image", "more than four gigabytes")
    for image in images:
        width, height = (side % 256 if side < 256 else 0 for side in image.size)
        size = len(image.data)
        numbers = (image.colours, 0, image.first, image.second, size, at)
        output.write(_ENTRY.pack(width, height, *numbers))
        at += size
    for image in images:
        output.write(image.data)
