"""Small TIFFs of our own making for libtiff to decode: it never sees a stranger's tags.

Old JPEG-in-TIFF is the exception: its tables are found by offsets all over the file,
so the file stays as it is and gets a directory of ours behind its end.
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from io import BytesIO

from PIL import Image
from PIL.TiffImagePlugin import TiffImageFile

from functions.sanitizer.images.pictures import View

Tags = Mapping[int, tuple[int, ...]]
# Tags that Pillow wants as SHORT; all others are LONG, which is as good to libtiff.
_SHORT = (258, 259, 262, 266, 274, 277, 284, 317, 338, 339, 512, 530)
_JPEG_TABLES, _UNDEFINED = 347, 7


@dataclass(frozen=True)
class Strips:
    """Coded strips, all *rows* high, of grey samples of one size."""

    width: int
    rows: int
    bits: int
    compression: int
    coded: tuple[bytes | memoryview, ...]
    options: Mapping[int, int] = field(default_factory=dict)
    order: str = "<"


def decode(strips: Strips) -> Image.Image:
    """Return the strips one below the other.

    Raises:
        OSError, SyntaxError, ValueError: they are damaged.
    """
    tags = {
        256: (strips.width,),
        257: (strips.rows * len(strips.coded),),
        258: (strips.bits,),
        259: (strips.compression,),
        262: (1,),
        277: (1,),
        278: (strips.rows,),
        **{tag: (value,) for tag, value in strips.options.items()},
    }
    return decode_file(own_file(tags, strips.coded, order=strips.order))


def decode_file(data: bytes) -> Image.Image:
    """Return the picture of a file of ours.

    Raises:
        OSError, SyntaxError, ValueError: it can't be decoded.
    """
    image = TiffImageFile(BytesIO(data))
    image.load()
    return image


def own_file(
    tags: Tags,
    coded: tuple[bytes | memoryview, ...],
    *,
    tiled: bool = False,
    order: str = "<",
    tables: bytes = b"",
) -> bytes:
    """Return a file with one page that has these segments."""
    at, offsets = 8, []
    for piece in coded:
        offsets.append(at)
        at += len(piece)
    places = (324, 325) if tiled else (273, 279)
    sizes = tuple(len(piece) for piece in coded)
    located = {**tags, places[0]: tuple(offsets), places[1]: sizes}
    head = struct.pack(f"{order}2sHI", b"II" if order == "<" else b"MM", 42, at)
    return b"".join((head, *coded, directory(located, at, order, tables)))


def behind(data: View, tags: Tags, order: str) -> bytes:
    """Return *data*, a TIFF, as one page with these tags and its own offsets."""
    head = struct.pack(f"{order}2sHI", b"II" if order == "<" else b"MM", 42, len(data))
    return b"".join((head, data[8:], directory(tags, len(data), order)))


def directory(tags: Tags, at: int, order: str, tables: bytes = b"") -> bytes:
    """Return the only directory of a file, for offset *at*, with its values."""
    values = {tag: _packed(tag, numbers, order) for tag, numbers in tags.items()}
    if tables:
        values[_JPEG_TABLES] = (_UNDEFINED, len(tables), tables)
    head = struct.pack(f"{order}H", len(values))
    outside, outside_at = b"", at + 6 + 12 * len(values)
    for tag, (kind, count, value) in sorted(values.items()):
        head += struct.pack(f"{order}HHI", tag, kind, count)
        if len(value) <= 4:
            head += value.ljust(4, b"\0")
            continue
        head += struct.pack(f"{order}I", outside_at + len(outside))
        outside += value
    return head + bytes(4) + outside


def _packed(tag: int, numbers: tuple[int, ...], order: str) -> tuple[int, int, bytes]:
    kind, letter = (3, "H") if tag in _SHORT else (4, "I")
    packed = struct.pack(f"{order}{len(numbers)}{letter}", *numbers)
    return kind, len(numbers), packed
