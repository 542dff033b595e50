"""JPEG in TIFF, old and new: decoded as every viewer does, and from then on samples.

Its coefficients are not kept: strips, tiles, planes and tables that are shared or lie
outside of any stream leave too many ways to hide something.
"""

from collections.abc import Iterator
from dataclasses import replace

from PIL import Image

from functions.sanitizer.images.tiff.layout import (
    CMYK,
    OLD_JPEG,
    RGB,
    Layout,
)
from functions.sanitizer.images.tiff.libtiff import behind, decode_file, own_file
from functions.sanitizer.images.tiff.reader import Directory
from functions.sanitizer.images.tiff.samples import predicted
from functions.sanitizer.images.tiff.segments import BLOCK_BYTES
from schemas.errors import Rejected

_MAX_TABLE_BYTES = 1 << 16
_MAX_OLD_BYTES = 256 << 20
_MODES = {
    "L": (1, 1),
    "RGB": (RGB, 3),
    "LA": (1, 2),
    "RGBA": (RGB, 4),
    "CMYK": (CMYK, 4),
    "LAB": (8, 3),
}
# Where old JPEG's stream and tables are, its restarts, and how chroma is sampled.
_OLD_TAGS = (512, 513, 514, 515, 519, 520, 521, 530)


class Pixels:
    """The segments of a page that had to be decoded as a picture."""

    slack = False

    def __init__(self, image: Image.Image, layout: Layout) -> None:
        """Take the picture that *layout* describes."""
        self._image = image
        self._layout = layout

    def blocks(self, index: int) -> Iterator[bytes]:
        """Yield the rows of a segment."""
        top = index * self._layout.down
        height = self._layout.rows(index)
        strip = self._image.crop((0, top, self._image.width, top + height))
        yield predicted(self._layout, strip.tobytes())

    def deflated(self, index: int) -> bytes | None:
        """Return nothing: no segment of it is stored yet."""


def pixels(page: Directory, layout: Layout) -> tuple[Pixels, Layout]:
    """Decode a page, and say how its samples lie now.

    Raises:
        Rejected: `unsupported_image`.
        OSError, SyntaxError, ValueError: it is damaged.
    """
    if layout.bits != 8:
        raise Rejected("unsupported_image", "JPEG of more than 8 bits")
    image = _old(page, layout) if layout.compression == OLD_JPEG else _new(page, layout)
    if image.mode not in _MODES or image.size != (layout.width, layout.height):
        raise ValueError("another picture than the directory says")
    photometric, samples = _MODES[image.mode]
    described = replace(
        layout,
        photometric=photometric,
        samples=samples,
        sample_format=1,
        predictor=2,
        reversed_bits=False,
        planar=False,
        extra=(2,) if image.mode in ("LA", "RGBA") else (),
        tiled=False,
        across=layout.width,
        down=min(layout.height, max(1, BLOCK_BYTES // (layout.width * samples))),
        segments=(),
    )
    return Pixels(image, described), described


def _tags(page: Directory, layout: Layout) -> dict[int, tuple[int, ...]]:
    tags = {
        256: (layout.width,),
        257: (layout.height,),
        258: (8,) * layout.samples,
        259: (layout.compression,),
        262: (layout.photometric,),
        277: (layout.samples,),
        266: (2 if layout.reversed_bits else 1,),
        284: (2 if layout.planar else 1,),
    }
    if layout.tiled:
        tags |= {322: (layout.across,), 323: (layout.down,)}
    else:
        tags |= {278: (layout.down,)}
    if layout.extra:
        tags |= {338: layout.extra}
    return tags


def _new(page: Directory, layout: Layout) -> Image.Image:
    tags = _tags(page, layout)
    if subsampling := page.numbers(530, 2):
        tags |= {530: subsampling}
    tables = b""
    if 347 in page.entries and page.entries[347].size <= _MAX_TABLE_BYTES:
        tables = page.value(347)
    coded = tuple(bytes(page.data[at : at + size]) for at, size in layout.segments)
    return decode_file(
        own_file(tags, coded, tiled=layout.tiled, order=layout.order, tables=tables)
    )


def _old(page: Directory, layout: Layout) -> Image.Image:
    if len(page.data) > _MAX_OLD_BYTES:
        raise Rejected("unsupported_image", "old JPEG in a file too large for it")
    tags = _tags(page, layout)
    tags |= {tag: values for tag in _OLD_TAGS if (values := page.numbers(tag, 4))}
    if layout.segments:
        offsets, sizes = zip(*layout.segments, strict=True)
        at_tag, size_tag = (324, 325) if layout.tiled else (273, 279)
        tags |= {at_tag: offsets, size_tag: sizes}
    return decode_file(behind(page.data, tags, layout.order))
