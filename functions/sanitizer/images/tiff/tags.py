"""The tags of a page that is written: what describes samples and colours, and no other.

Values are checked for type, number and range; what fails is left out, as readers do.
"""

from collections.abc import Iterator
from math import gcd
from typing import NamedTuple

from functions.sanitizer.images.tiff.layout import CMYK, PALETTE, RGB, YCBCR, Layout
from functions.sanitizer.images.tiff.reader import SUBFILE, Directory

BYTE, SHORT, LONG, RATIONAL, UNDEFINED = 1, 3, 4, 5, 7
ORIENTATION, PROFILE = 274, 34675
_PAGE_OR_MASK = 6
_RESOLUTIONS, _RESOLUTION_UNIT = (282, 283), 296
_WHITE_POINT, _PRIMARIES, _TRANSFER, _COLOUR_MAP = 318, 319, 301, 320
_INK_SET, _DOT_RANGE = 332, 336
_YCBCR_COEFFICIENTS, _SUBSAMPLING, _POSITIONING, _REFERENCE = 529, 530, 531, 532


class Tag(NamedTuple):
    """A tag as it will be written; a fraction is two values."""

    number: int
    kind: int
    values: tuple[int, ...]


def described(page: Directory, layout: Layout) -> list[Tag]:
    """Return the tags for a page whose samples lie as *layout* says, but for those
    that say where.

    Args:
        page: the directory that it comes from.
    """
    return sorted((*_samples(layout), *_display(page), *_colours(page, layout)))


def _samples(layout: Layout) -> Iterator[Tag]:
    yield Tag(256, LONG, (layout.width,))
    yield Tag(257, LONG, (layout.height,))
    yield Tag(258, SHORT, (layout.bits,) * layout.samples)
    yield Tag(259, SHORT, (layout.compression,))
    yield Tag(262, SHORT, (layout.photometric,))
    yield Tag(277, SHORT, (layout.samples,))
    yield Tag(284, SHORT, (2 if layout.planar else 1,))
    if layout.predictor != 1:
        yield Tag(317, SHORT, (layout.predictor,))
    if layout.tiled:
        yield Tag(322, LONG, (layout.across,))
        yield Tag(323, LONG, (layout.down,))
    else:
        yield Tag(278, LONG, (layout.down,))
    if layout.extra:
        yield Tag(338, SHORT, tuple(k if k in (1, 2) else 0 for k in layout.extra))
    if layout.sample_format != 1:
        yield Tag(339, SHORT, (layout.sample_format,) * layout.samples)


def _display(page: Directory) -> Iterator[Tag]:
    if kind := page.number(SUBFILE, 0) & _PAGE_OR_MASK:
        yield Tag(SUBFILE, LONG, (kind,))
    if 2 <= page.number(ORIENTATION, 1) <= 8:
        yield Tag(ORIENTATION, SHORT, (page.number(ORIENTATION, 1),))
    for number in _RESOLUTIONS:
        yield from _fractions(page, number, 1)
    if page.number(_RESOLUTION_UNIT, 0) in (1, 2, 3):
        yield Tag(_RESOLUTION_UNIT, SHORT, (page.number(_RESOLUTION_UNIT, 0),))


def _colours(page: Directory, layout: Layout) -> Iterator[Tag]:
    if layout.photometric in (RGB, PALETTE, YCBCR):
        yield from _fractions(page, _WHITE_POINT, 2)
        yield from _fractions(page, _PRIMARIES, 6)
    if layout.photometric in (0, 1, RGB):
        yield from _transfer(page, layout)
    if layout.photometric == CMYK:
        yield from _choice(page, _INK_SET, (2,))
        ranges = page.numbers(_DOT_RANGE, 2)
        if len(ranges) == 2 and ranges[0] < ranges[1] < 1 << layout.bits <= 1 << 16:
            yield Tag(_DOT_RANGE, SHORT, ranges)
    if layout.photometric == YCBCR:
        yield from _fractions(page, _YCBCR_COEFFICIENTS, 3)
        yield Tag(_SUBSAMPLING, SHORT, layout.subsampling)
        yield from _choice(page, _POSITIONING, (1, 2))
    if layout.photometric in (RGB, YCBCR):
        yield from _fractions(page, _REFERENCE, 6)


def colour_map(page: Directory, layout: Layout, used: set[int]) -> tuple[Tag, bool]:
    """Return the palette, and whether unused entries had colours.

    Raises:
        ValueError: it has none.
    """
    size = 1 << layout.bits
    values = page.numbers(_COLOUR_MAP, 3 * size)
    if len(values) != 3 * size:
        raise ValueError("no palette")
    kept = tuple(
        value if index % size in used else 0 for index, value in enumerate(values)
    )
    return Tag(
        _COLOUR_MAP, SHORT, tuple(value & 0xFFFF for value in kept)
    ), kept != values


def _fractions(page: Directory, number: int, count: int) -> Iterator[Tag]:
    values: list[int] = []
    for above, below in page.rationals(number, count):
        common = gcd(above, below)
        values += (above // common, below // common)
    if values:
        yield Tag(number, RATIONAL, tuple(values))


def _choice(page: Directory, number: int, allowed: tuple[int, ...]) -> Iterator[Tag]:
    value = page.number(number, -1)
    if value in allowed:
        yield Tag(number, SHORT, (value,))


def _transfer(page: Directory, layout: Layout) -> Iterator[Tag]:
    """Curves from sample to light; one that falls anywhere is none.

    Those of 16 bits are dropped: no reader applies them, and much fits into them.
    """
    if layout.bits > 8:
        return
    size = 1 << layout.bits
    values = page.numbers(_TRANSFER, 3 * size)
    if len(values) not in (size, 3 * size):
        return
    curves = [values[at : at + size] for at in range(0, len(values), size)]
    if all(list(curve) == sorted(curve) for curve in curves):
        yield Tag(_TRANSFER, SHORT, values)
