"""A TIFF of one order: header, then for each page its segments, directory and values.

Nothing lies between these but a zero byte where a directory would begin at an odd one.
"""

import struct
import zlib
from collections import deque
from collections.abc import Iterable, Iterator
from typing import BinaryIO

from functions.sanitizer.images.tiff.layout import NONE, Layout
from functions.sanitizer.images.tiff.samples import Source, predicted, uncovered, within
from functions.sanitizer.images.tiff.tags import LONG, RATIONAL, Tag
from schemas.errors import Rejected

_LETTERS = {1: "B", 3: "H", LONG: "I", RATIONAL: "I", 7: "B"}
_MAX_BYTES = (1 << 32) - 1
# Compressing thoroughly what is large would take most of a minute.
_LARGE_BYTES, _FAST, _THOROUGH = 4 << 20, 1, 6


class Writer:
    """Writes pages one after the other."""

    def __init__(self, output: BinaryIO, order: str) -> None:
        """Write the header."""
        self._output = output
        self._order = order
        self._at = 0
        self._link_at = 4
        self._put(struct.pack(f"{order}2sHI", b"II" if order == "<" else b"MM", 42, 0))

    def page(
        self, layout: Layout, source: Source, tags: list[Tag], *, cleared: bool
    ) -> bool:
        """Write a page; return whether anything was beside its pixels.

        Args:
            layout: how samples lie in *source*.
            tags: of the page as it is written, but for those that say where.
            cleared: colours under full transparency go.

        Raises:
            Rejected: `unsupported_image`: the file gets too large for its offsets.
        """
        places, hid = [], False
        for index in range(layout.count):
            start = self._at
            hid |= self._segment(layout, index, source, cleared)
            places.append((start, self._at - start))
        offsets, sizes = zip(*places, strict=True)
        at_tag, size_tag = (324, 325) if layout.tiled else (273, 279)
        located = [*tags, Tag(at_tag, LONG, offsets), Tag(size_tag, LONG, sizes)]
        self._directory(sorted(located))
        return hid

    def _segment(
        self, layout: Layout, index: int, source: Source, cleared: bool
    ) -> bool:
        hid = False

        def rows() -> Iterator[bytes]:
            nonlocal hid
            if cleared:
                yield from _uncovered(layout, index, source)
                return
            seen = within(layout, index, source)
            for block, all_of_it in zip(seen, source.blocks(index), strict=True):
                hid |= block != all_of_it
                yield block

        if layout.compression == NONE:
            for block in rows():
                self._put(block)
            return hid
        stored = None if cleared else source.deflated(index)
        if stored is not None:
            deque(rows(), maxlen=0)
        if stored is not None and not hid:
            self._put(stored)
            return False
        level = _FAST if layout.total_bytes > _LARGE_BYTES else _THOROUGH
        for piece in _deflated(rows(), level):
            self._put(piece)
        return hid

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


def _deflated(blocks: Iterable[bytes], level: int) -> Iterator[bytes]:
    deflater = zlib.compressobj(level)
    yield from map(deflater.compress, blocks)
    yield deflater.flush()
