"""TIFF and BigTIFF: written anew around the samples, which stay exact at every depth.

Kept: pages, samples, their layout in strips or tiles, their predictor, and the tags
that say how they become colours. Bare samples stay bare, as do those that their
compression makes no smaller; all else becomes deflate, whose end can be proved. Pages
of a lower resolution and everything else are dropped.
"""

from dataclasses import replace
from typing import BinaryIO

from PIL.TiffImagePlugin import TiffImageFile

from functions.sanitizer.findings import Finding
from functions.sanitizer.images import icc
from functions.sanitizer.images.exif import Metadata
from functions.sanitizer.images.pictures import Rebuilt, View, turned_size
from functions.sanitizer.images.tiff.findings import camera_raw, found
from functions.sanitizer.images.tiff.jpeg import pixels
from functions.sanitizer.images.tiff.layout import (
    DEFLATE,
    JPEG,
    MAX_ALL_SEGMENTS,
    MAX_SEGMENTS,
    NONE,
    OLD_JPEG,
    PALETTE,
    Layout,
    located,
    read_layout,
)
from functions.sanitizer.images.tiff.reader import (
    JPEG_STREAM,
    OLD_SUBFILE,
    SUBFILE,
    WIDTH,
    Directory,
    Tiff,
    read,
    unreferenced,
)
from functions.sanitizer.images.tiff.samples import (
    Source,
    clearable,
    uncovered,
    used_entries,
)
from functions.sanitizer.images.tiff.segments import Segments
from functions.sanitizer.images.tiff.tags import (
    ORIENTATION,
    PROFILE,
    UNDEFINED,
    Tag,
    colour_map,
    described,
)
from functions.sanitizer.images.tiff.writer import Page, Writer
from functions.sanitizer.limits import Limits
from schemas.errors import Rejected

_REDUCED = 1
_FAX_OPTIONS = (292, 293)
# Bits, segments, palette, JPEG tables, profile: without them it would look different.
_ESSENTIAL = (258, 273, 279, 320, 324, 325, 347, PROFILE)
# Of all pages, per pixel that may be admitted.
_BYTES_PER_PIXEL = 4
_MAX_OLD_JPEG_BYTES = 512 << 20


class TiffOfAnyKind(TiffImageFile):
    """Pillow's reader, which also opens what Pillow has no mode for."""

    def _setup(self) -> None:
        try:
            super()._setup()  # type: ignore[no-untyped-call, unused-ignore]
        except SyntaxError:
            self._mode = "L"


def rebuild(_source: BinaryIO, data: View, output: BinaryIO, limits: Limits) -> Rebuilt:
    """Write a TIFF again without anything but its pages.

    Raises:
        Rejected: `unsupported_image`: a camera's RAW, or samples that nobody decodes;
            `too_many_pixels`, `too_many_frames`.
    """
    tiff = read(data, limits.max_frames)
    if reason := camera_raw(tiff):
        raise Rejected("unsupported_image", reason)
    shown = [
        page for nth, page in enumerate(tiff.pages) if nth == 0 or not _thumb(page)
    ]
    layouts = _admitted(shown, len(tiff.pages), data, limits)
    metadata = found(tiff)
    if len(shown) < len(tiff.pages):
        metadata.saw(Finding.THUMBNAIL)
    if unreferenced(tiff, _coded(tiff)):
        metadata.saw(Finding.TRAILING_DATA)
    writer = Writer(output, tiff.order)
    for page, layout in zip(shown, layouts, strict=True):
        _write(writer, page, layout, metadata)
    turn = shown[0].number(ORIENTATION, 1)
    size = turned_size((layouts[0].width, layouts[0].height), turn if turn <= 8 else 1)
    return Rebuilt(size, len(shown), metadata.findings)


def _thumb(page: Directory) -> bool:
    # Cameras add their thumbnail as in EXIF: a JPEG of unsaid size.
    jpeg = JPEG_STREAM in page.entries and WIDTH not in page.entries
    reduced = page.number(SUBFILE, 0) & _REDUCED > 0 or page.number(OLD_SUBFILE, 1) == 2
    return jpeg or reduced


def _admitted(
    pages: list[Directory], read_pages: int, data: View, limits: Limits
) -> list[Layout]:
    """Return how the pages' samples lie, if they are not too many."""
    if any(page.misses(_ESSENTIAL) for page in pages):
        raise ValueError("values outside the file")
    layouts = [read_layout(page) for page in pages]
    areas = [layout.width * layout.height for layout in layouts]
    for layout in layouts:
        limits.admit(layout.width, layout.height)
    limits.admit_frames(areas if read_pages <= limits.max_frames else [1] * read_pages)
    layouts = [
        located(page, layout, len(data))
        for page, layout in zip(pages, layouts, strict=True)
    ]
    if sum(layout.total_bytes for layout in layouts) > (
        _BYTES_PER_PIXEL * limits.max_total_pixels
    ):
        raise Rejected("too_many_pixels", "more bytes of samples than those have")
    if sum(layout.count for layout in layouts) > MAX_ALL_SEGMENTS:
        raise Rejected("unsupported_image", "too many strips and tiles")
    old = sum(layout.compression == OLD_JPEG for layout in layouts)
    if old * len(data) > _MAX_OLD_JPEG_BYTES:
        raise Rejected("unsupported_image", "too much old JPEG")
    return layouts


def _coded(tiff: Tiff) -> list[tuple[int, int]]:
    """Return where the segments of all directories lie, dropped ones too."""
    spans = []
    below = [directory for each in tiff.below.values() for directory in each]
    for page in (*tiff.pages, *below):
        for at_tag, size_tag in ((273, 279), (324, 325), (513, 514)):
            offsets = page.numbers(at_tag, MAX_SEGMENTS)
            sizes = page.numbers(size_tag, MAX_SEGMENTS)
            spans += [(at, at + size) for at, size in zip(offsets, sizes, strict=False)]
    return spans


def _write(writer: Writer, page: Directory, layout: Layout, metadata: Metadata) -> None:
    source: Source
    if layout.compression in (JPEG, OLD_JPEG):
        source, layout = pixels(page, layout)
    else:
        options = {tag: page.number(tag, 0) for tag in _FAX_OPTIONS}
        source = Segments(page.data, layout, options)
    cleared = clearable(layout) and any(
        hid
        for index in range(layout.count)
        for _, hid in uncovered(layout, index, source)
    )
    written = _as_written(layout, cleared=cleared)
    tags = described(page, written)
    if layout.photometric == PALETTE:
        palette, cleared_entries = colour_map(
            page, layout, used_entries(layout, source)
        )
        tags.append(palette)
        metadata.saw(*([Finding.HIDDEN_COLOURS] if cleared_entries else []))
    tags += _profile(page, metadata)
    if cleared:
        metadata.saw(Finding.HIDDEN_COLOURS)
    samples = Page(layout, written, source, cleared)
    writer.page(samples, tags)
    if samples.hid:
        metadata.saw(Finding.PADDING)
    if source.slack:
        metadata.saw(Finding.TRAILING_DATA)


def _profile(page: Directory, metadata: Metadata) -> list[Tag]:
    if PROFILE not in page.entries:
        return []
    profile = icc.neutral(page.value(PROFILE))
    if profile is None or profile.identifying:
        metadata.saw(Finding.COLOUR_PROFILE)
    return [Tag(PROFILE, UNDEFINED, tuple(profile.data))] if profile else []


def _as_written(layout: Layout, *, cleared: bool) -> Layout:
    return replace(
        layout,
        compression=NONE if _bare(layout) else DEFLATE,
        predictor=1 if cleared and layout.bits != 8 else layout.predictor,
    )


def _bare(layout: Layout) -> bool:
    """Say whether samples are bare, or might as well be: what LZW makes of photographs
    is larger than they are, and deflate gains little there in much time.
    """
    if layout.compression in (NONE, DEFLATE):
        return layout.compression == NONE
    plain = layout.predictor == 1 and layout.subsampling == (1, 1)
    return plain and layout.coded_bytes >= layout.total_bytes
