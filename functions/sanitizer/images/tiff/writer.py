"""A TIFF of one order: header, then for each page its segments, directory and values.

Nothing lies between these but a zero byte where a directory would begin at an odd one.
"""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from functions.sanitizer.images.tiff.layout import (
    DEFLATE,
    LZW,
    NONE,
    PACK_BITS,
    Layout,
)
from functions.sanitizer.images.tiff.samples import Source, predicted, uncovered, within
from functions.sanitizer.images.tiff.tags import LONG, RATIONAL, Tag
from schemas.errors import Rejected

_LETTERS = {1: "B", 3: "H", LONG: "I", RATIONAL: "I", 7: "B"}
_MAX_BYTES = (1 << 32) - 1
# Compressing thoroughly what is large would take most of a minute.
_LARGE_BYTES, _FAST, _THOROUGH = 4 << 20, 1, 6
# Deflate at its fastest makes less of samples than these do.
_WEAK = (LZW, PACK_BITS)
# Differences that LZW made no smaller than this are those of a photograph: its grain
# repeats nothing, and looking for it takes twice the time and makes longer files.
_GRAINY = 0.4


@dataclass
class Page:
    """Samples to be written; *hid* turns true where anything was beside them.

    Args:
        layout: how samples lie in *source*.
        written: the same with the compression and predictor that they get.
        cleared: colours under full transparency go.
    """

    layout: Layout
    written: Layout
    source: Source
    cleared: bool
    hid: bool = False

    def rows(self, index: int) -> Iterator[bytes]:
        """Yield the rows of a segment as they may be written, many at a time."""
        if self.cleared:
            yield from _uncovered(self.layout, index, self.source)
            return
        for block, stored in within(self.layout, index, self.source):
            self.hid |= block != stored
            yield block

    def stored(self, index: int) -> bytes | None:
        """Return a deflated segment that may stay as it is."""
        if self.cleared or self.layout.compression != DEFLATE:
            return None
        seen = within(self.layout, index, self.source)
        hid = sum(block != stored for block, stored in seen)
        stored = self.source.deflated(index)
        return None if hid else stored


class Writer:
    """Writes pages one after the other."""

    def __init__(self, output: BinaryIO, order: str) -> None:
        """Write the header."""
        self._output = output
        self._order = order
        self._at = 0
        self._link_at = 4
        self._put(struct.pack(f"{order}2sHI", b"II" if order == "<" else b"MM", 42, 0))

    def page(self, page: Page, tags: list[Tag]) -> None:
        """Write a page.

        Args:
            tags: of the page as it is written, but for those that say where.

        Raises:
            Rejected: `unsupported_image`: the file gets too large for its offsets.
        """
        places = []
        for index in range(page.layout.count):
            start = self._at
            self._segment(page, index)
            places.append((start, self._at - start))
        offsets, sizes = zip(*places, strict=True)
        at_tag, size_tag = (324, 325) if page.layout.tiled else (273, 279)
        located = [*tags, Tag(at_tag, LONG, offsets), Tag(size_tag, LONG, sizes)]
        self._directory(sorted(located))

    def _segment(self, page: Page, index: int) -> None:
        if page.written.compression == NONE:
            for block in page.rows(index):
                self._put(block)
            return
        stored = page.stored(index)
        if stored is not None:
            self._put(stored)
            return
        for piece in _deflated(page, index):
            self._put(piece)

    def _directory(self, tags: list[Tag]) -> None:
        if self._at % 2:
            self._put(b"\0")
        at = self._at
        outside, outside_at = bytearray(), at + 6 + 12 * len(tags)
        table = bytearray(struct.pack(f"{self._order}H", len(tags)))
        for number, kind, values in tags:
            form = f"{self._order}{len(values)}{_LETTERS[kind]}"
            packed = struct.pack(form, *values)
            count = len(values) // 2 if kind == RATIONAL else len(values)
            table += struct.pack(f"{self._order}HHI", number, kind, count)
            if len(packed) <= 4:
                table += packed.ljust(4, b"\0")
            else:
                table += struct.pack(f"{self._order}I", outside_at + len(outside))
                outside += packed
                outside += bytes(len(outside) % 2)
        self._put(bytes(table + bytes(4) + outside))
        self._link(at, at + len(table))

    def _link(self, at: int, following: int) -> None:
        self._output.seek(self._link_at)
        self._output.write(struct.pack(f"{self._order}I", at))
        self._output.seek(self._at)
        self._link_at = following

    def _put(self, data: bytes) -> None:
        self._at += len(data)
        if self._at > _MAX_BYTES:
            raise Rejected("unsupported_image", "more than four gigabytes of samples")
        self._output.write(data)


def _uncovered(layout: Layout, index: int, source: Source) -> Iterator[bytes]:
    """Yield cleared rows; those of 8 bits with the predictor that they had."""
    again = layout.bits == 8 and layout.predictor == 2
    for block, _ in uncovered(layout, index, source):
        yield predicted(layout, block) if again else block


def _deflated(page: Page, index: int) -> Iterator[bytes]:
    level, strategy = _THOROUGH, zlib.Z_DEFAULT_STRATEGY
    if page.layout.compression in _WEAK or page.layout.total_bytes > _LARGE_BYTES:
        level = _FAST
    if _grainy(page):
        strategy = zlib.Z_RLE
    deflater = zlib.compressobj(level, strategy=strategy)
    yield from map(deflater.compress, page.rows(index))
    yield deflater.flush()


def _grainy(page: Page) -> bool:
    layout = page.layout
    if layout.compression != LZW or (page.written.predictor, layout.bits) != (2, 8):
        return False
    return layout.coded_bytes >= _GRAINY * layout.total_bytes
