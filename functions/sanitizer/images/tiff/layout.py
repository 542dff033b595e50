"""How the samples of a TIFF page lie: checked, and the same for writer and decoders."""

from dataclasses import dataclass, replace
from functools import cached_property

from functions.sanitizer.images.tiff.reader import (
    BITS,
    COMPRESSION,
    HEIGHT,
    JPEG_STREAM,
    PHOTOMETRIC,
    WIDTH,
    Directory,
)
from schemas.errors import Rejected

NONE, FAX, LZW, OLD_JPEG, JPEG, DEFLATE, PACK_BITS = (
    1,
    (2, 3, 4, 32771),
    5,
    6,
    7,
    8,
    32773,
)
LZMA, ZSTD, THUNDERSCAN = 34925, 50000, 32809
_DEFLATES = (8, 32946)
SUPPORTED = frozenset(
    (NONE, *FAX, LZW, OLD_JPEG, JPEG, *_DEFLATES, PACK_BITS, LZMA, ZSTD, THUNDERSCAN)
)
_PREDICTED = (LZW, DEFLATE, LZMA, ZSTD)
RGB, PALETTE, CMYK, YCBCR = 2, 3, 5, 6
# White and black is zero, RGB, palette, mask, CMYK, YCbCr, CIE, ICC and ITU L*a*b*.
_COLOURS = {0: 1, 1: 1, RGB: 3, PALETTE: 1, 4: 1, CMYK: 4, YCBCR: 3, 8: 3, 9: 3, 10: 3}
_PLAIN_BITS = (*range(1, 17), 24, 32, 64, 128)
_PREDICTED_BITS = {2: (8, 16, 32, 64), 3: (16, 24, 32, 64)}
_MAX_SAMPLES = 32
# Each of their rows is cut to the page on its own.
_MAX_FLOAT_ROWS = 1 << 18
# A gigapixel in tiles of 128 by 128; each takes some 20 microseconds.
MAX_SEGMENTS, MAX_ALL_SEGMENTS = 1 << 17, 1 << 18
# Fax code takes up to five bits for a pixel of one, and marks for each row.
_MAX_GROWTH, _MAX_EXTRA_BYTES = 8, 4096
# Some writers store equal tiles once.
_MAX_SHARED_BYTES = 64 << 20
_ROWS_PER_STRIP, _TILE_WIDTH, _TILE_HEIGHT = 278, 322, 323


@dataclass(frozen=True)
class Layout:
    """Where a page's samples are: in strips, or in tiles of *across* by *down*."""

    order: str
    width: int
    height: int
    bits: int
    samples: int
    sample_format: int
    compression: int
    photometric: int
    predictor: int
    reversed_bits: bool
    planar: bool
    extra: tuple[int, ...]
    tiled: bool
    across: int
    down: int
    subsampling: tuple[int, int] = (1, 1)  # of chroma, where samples stand in blocks
    segments: tuple[tuple[int, int], ...] = ()

    @cached_property
    def columns(self) -> int:
        """How many segments stand side by side."""
        return -(-self.width // self.across)

    @cached_property
    def planes(self) -> int:
        """How many times the page is covered with segments."""
        return self.samples if self.planar else 1

    @cached_property
    def count(self) -> int:
        """How many segments there are."""
        return self.columns * -(-self.height // self.down) * self.planes

    @cached_property
    def channels(self) -> int:
        """How many samples a pixel has within one segment."""
        return 1 if self.planar else self.samples

    @cached_property
    def stride(self) -> int:
        """How many bytes a row of a segment takes; of blocks, if subsampled."""
        across, down = self.subsampling
        if self.subsampling != (1, 1):
            return -(-self.across // across) * (across * down + 2)
        return -(-self.across * self.channels * self.bits // 8)

    def shown(self, index: int) -> tuple[int, int]:
        """Return width and height of the part of a segment that lies on the page."""
        row, column = divmod(index % (self.count // self.planes), self.columns)
        return (
            min(self.across, self.width - column * self.across),
            min(self.down, self.height - row * self.down),
        )

    def rows(self, index: int) -> int:
        """Return how many rows a segment stores."""
        height = self.down if self.tiled else self.shown(index)[1]
        return -(-height // self.subsampling[1])

    @cached_property
    def total_bytes(self) -> int:
        """How much all segments are when decoded."""
        whole = self.stride * -(-self.down // self.subsampling[1])
        if self.tiled or not self.height % self.down:
            return whole * self.count
        per_plane = self.count // self.planes
        last = self.stride * self.rows(per_plane - 1)
        return self.planes * (whole * (per_plane - 1) + last)

    @cached_property
    def coded_bytes(self) -> int:
        """How much all segments are as they are stored."""
        return sum(size for _, size in self.segments)

    @cached_property
    def alpha(self) -> int | None:
        """Which sample of a pixel is alpha."""
        found = [index for index, kind in enumerate(self.extra) if kind in (1, 2)]
        return self.samples - len(self.extra) + found[0] if found else None


def read_layout(page: Directory) -> Layout:
    """Read where a page's samples are, without its segments.

    Raises:
        Rejected: `unsupported_image`: nothing here or in Pillow decodes it.
        ValueError: it contradicts itself.
    """
    photometric, compression = _kind(page)
    samples = page.number(277, 3 if compression == OLD_JPEG else 1)
    if not 0 < samples <= _MAX_SAMPLES:
        raise Rejected("unsupported_image", "more samples than anybody decodes")
    width, height = page.number(WIDTH, 0), page.number(HEIGHT, 0)
    across, down = _segment_size(page, width, height)
    layout = Layout(
        order=page.order,
        width=width,
        height=height,
        bits=_bits(page, samples),
        samples=samples,
        sample_format=_uniform(page.first(339, samples) or (1,)),
        compression=DEFLATE if compression in _DEFLATES else compression,
        photometric=photometric,
        predictor=page.number(317, 1),
        reversed_bits=page.number(266, 1) == 2,
        planar=page.number(284, 1) == 2 and samples > 1,
        extra=_extra(page, samples, photometric),
        tiled=_TILE_WIDTH in page.entries,
        across=across,
        down=down,
    )
    _check(layout)
    return layout


def _kind(page: Directory) -> tuple[int, int]:
    photometric = page.number(PHOTOMETRIC, 0)
    compression = page.number(COMPRESSION, NONE)
    if compression == OLD_JPEG:
        photometric = YCBCR
    if compression not in SUPPORTED or photometric not in _COLOURS:
        raise Rejected("unsupported_image", f"{compression=} {photometric=}")
    if page.number(32997, 1) > 1:
        raise Rejected("unsupported_image", "it has a third dimension")
    return photometric, compression


def _bits(page: Directory, samples: int) -> int:
    values = page.first(BITS, samples)
    if BITS in page.entries and not values:
        raise ValueError("a depth that is no number")
    return _uniform(values or (1,))


def _uniform(values: tuple[int, ...]) -> int:
    if len(set(values)) > 1:
        raise Rejected("unsupported_image", "its samples are of several kinds")
    return values[0]


def _extra(page: Directory, samples: int, photometric: int) -> tuple[int, ...]:
    """What the samples beyond the colours are; 0: unspecified."""
    count = samples - _COLOURS[photometric]
    kinds = page.first(338, count) if count > 0 else ()
    return (*kinds, *[0] * (count - len(kinds))) if kinds else ()


def _segment_size(page: Directory, width: int, height: int) -> tuple[int, int]:
    if _TILE_WIDTH in page.entries:
        across, down = page.number(_TILE_WIDTH, 0), page.number(_TILE_HEIGHT, 0)
    else:
        across, down = width, min(page.number(_ROWS_PER_STRIP, height), height)
    return across, down or height


def _check(layout: Layout) -> None:
    wanted = _COLOURS[layout.photometric]
    if layout.bits not in _PLAIN_BITS or layout.samples < wanted:
        raise Rejected("unsupported_image", "bits or samples that nobody decodes")
    if not all((layout.width, layout.height, layout.across, layout.down)):
        raise ValueError("no area")
    if layout.sample_format not in range(1, 7):
        raise ValueError("no such format of samples")
    if layout.predictor == 3 and layout.tiled and layout.height > _MAX_FLOAT_ROWS:
        raise Rejected("unsupported_image", "too many rows of floats in tiles")
    if layout.photometric == PALETTE and layout.bits > 16:
        raise ValueError("no such palette")


def located(page: Directory, layout: Layout, end: int) -> Layout:
    """Return the layout with its segments, how samples stand in them, the predictor.

    Args:
        end: of the file; no segment reaches beyond it.

    Raises:
        ValueError: segments are missing, or too many.
    """
    if layout.count > MAX_SEGMENTS:
        raise ValueError("too many strips or tiles")
    if layout.compression == OLD_JPEG and JPEG_STREAM in page.entries:
        return layout
    offsets, sizes = _places(page, layout)
    layout = _arranged(page, layout, sum(sizes))
    if len(offsets) != layout.count or max(offsets) >= end or min(offsets) < 8:
        raise ValueError("a strip or tile outside the file")
    if layout.compression == NONE:
        sizes = tuple(layout.stride * layout.rows(i) for i in range(layout.count))
    elif not sizes and layout.count == 1:
        sizes = (end - offsets[0],)
    if len(sizes) != layout.count:
        raise ValueError("strips or tiles without sizes")
    if any(at + size > end for at, size in zip(offsets, sizes, strict=True)):
        raise ValueError("a strip or tile ends early")
    if layout.compression != NONE:
        sizes = _believable(layout, sizes)
        if sum(sizes) > end + _MAX_SHARED_BYTES:
            raise ValueError("strips or tiles that overlap")
    return replace(layout, segments=tuple(zip(offsets, sizes, strict=True)))


def _believable(layout: Layout, sizes: tuple[int, ...]) -> tuple[int, ...]:
    """Return coded sizes, none larger than what the worst of encoders would need.

    Each is read on its own: thousands that claim all of a large file take minutes.
    """
    if layout.compression in (JPEG, OLD_JPEG):
        return sizes
    return tuple(
        min(size, _MAX_GROWTH * layout.stride * layout.rows(index) + _MAX_EXTRA_BYTES)
        for index, size in enumerate(sizes)
    )


def _places(page: Directory, layout: Layout) -> tuple[tuple[int, ...], tuple[int, ...]]:
    at_tag, size_tag = (324, 325) if layout.tiled else (273, 279)
    if at_tag not in page.entries:  # seen in the wild, and Pillow takes either
        at_tag, size_tag = (273, 279) if layout.tiled else (324, 325)
    offsets = page.numbers(at_tag, MAX_SEGMENTS)[: layout.count]
    sizes = page.numbers(size_tag, MAX_SEGMENTS)[: layout.count]
    return offsets, sizes


def _arranged(page: Directory, layout: Layout, coded_bytes: int) -> Layout:
    predictor = layout.predictor
    if layout.compression not in _PREDICTED or predictor not in (2, 3):
        predictor = 1
    elif layout.bits not in _PREDICTED_BITS[predictor]:
        raise ValueError("a predictor for other samples")
    subsampling = (1, 1)
    if layout.photometric == YCBCR and layout.compression not in (JPEG, OLD_JPEG):
        subsampling = _subsampling(page, layout, coded_bytes)
    return replace(layout, predictor=predictor, subsampling=subsampling)


def _subsampling(page: Directory, layout: Layout, coded_bytes: int) -> tuple[int, int]:
    across, down = (*page.numbers(530), 2, 2)[:2]
    whole = layout.stride * layout.height
    if layout.compression == NONE and coded_bytes >= whole and not layout.tiled:
        return 1, 1  # as its size says: who forgets the tag means this
    if (across, down) == (1, 1):
        return 1, 1
    if not {across, down} <= {1, 2, 4} or layout.planar or layout.predictor != 1:
        raise Rejected("unsupported_image", "YCbCr in blocks that nobody decodes")
    if layout.bits != 8 or layout.samples != 3:
        raise Rejected("unsupported_image", "YCbCr in blocks that nobody decodes")
    return across, down
