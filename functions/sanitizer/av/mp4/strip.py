"""MP4, M4A, QuickTime and 3GP: every box by a list, every offset where it was.

A box that is not on the list becomes a `free` box of the same size full of zeros, so
no offset in the sample tables changes and the samples stream through untouched. Bytes
of `mdat` that belong to no kept track (subtitles, covers, places) become zeros too.

Source: ISO/IEC 14496-12 (ISO base media file format), 14496-14 (MP4), Apple's
QuickTime File Format, 3GPP TS 26.244.
"""

import struct
from collections.abc import Iterator
from itertools import repeat
from typing import BinaryIO

from functions.sanitizer.av.mp4.boxes import Box, blank, boxes_in
from functions.sanitizer.av.mp4.dropped import dropped
from functions.sanitizer.av.mp4.extents import Extents
from functions.sanitizer.av.mp4.fragments import (
    Sizes,
    scrub_fragment,
    sizes_of,
)
from functions.sanitizer.av.mp4.index import scrub_index
from functions.sanitizer.av.mp4.layout import Part, layout, movie_of, read_part
from functions.sanitizer.av.mp4.movie import scrub_movie
from functions.sanitizer.av.mp4.tracks import holds_pictures
from functions.sanitizer.av.scan import holds_bytes, read_at, size_of, unreadable
from functions.sanitizer.findings import Finding
from schemas.errors import Rejected

_MAX_BRANDS = 64
_BRANDS = frozenset(
    b"M4A |M4B |M4P |M4V |M4VH|M4VP|mp21|mp41|mp42|mp71|isom|iso2|iso3|iso4|iso5|iso6|"
    b"iso7|iso8|iso9|avc1|hvc1|hev1|av01|vp09|3gp1|3gp2|3gp3|3gp4|3gp5|3gp6|3gp7|3gp8|"
    b"3gp9|3gr6|3gs6|3ge6|3gg6|3g2a|3g2b|3g2c|dash|msdh|msix|cmfc|cmf2|isoa|dby1|"
    b"qt  |MSNV|NDAS|F4A |F4V |f4v |\0\0\0\0".split(b"|")
)
_SCAN = 1 << 20
_BLOCK = 1 << 18


def strip_mp4(source: BinaryIO, output: BinaryIO) -> set[Finding]:
    """Write the file in its layout with nothing in it but sound and pictures."""
    size = size_of(source)
    parts = layout(source)
    writer = _Writer(source, output, parts)
    for part in parts:
        writer.write(part)
    end = parts[-1].end
    if end < size and holds_bytes(source, end, size):
        writer.findings.add(Finding.TRAILING_DATA)
    return writer.findings


def kind_of(source: BinaryIO, media_type: str) -> str:
    """Return `audio/mp4` for a file without moving pictures, else what it is.

    A file that can't be followed stays what it looks like: it is refused later.
    """
    try:
        movie, part = movie_of(source, layout(source))
        pictures = holds_pictures(movie, part.inside())
    except (Rejected, struct.error):
        return media_type
    if not pictures:
        return "audio/mp4"
    return media_type if media_type.startswith("video/") else "video/mp4"


class _Writer:
    """Writes the boxes of a file, clean, in their order."""

    def __init__(self, source: BinaryIO, output: BinaryIO, parts: list[Part]) -> None:
        self._source, self._output = source, output
        self._movie, self._movie_part = movie_of(source, parts)
        self._extents = Extents()
        whole = self._movie_part.inside()
        self.findings = scrub_movie(self._movie, whole, self._extents)
        self._sizes = _fragmented(self._movie, whole)
        self._brands = next((part for part in parts if part.kind == b"ftyp"), None)
        for part in parts:
            if part.kind == b"moof":
                self._fragment(part, self._extents)
        self._extents.settle()

    def write(self, part: Part) -> None:
        """Write a box, or free space in its place."""
        if part == self._movie_part:
            self._output.write(self._movie)
        elif part == self._brands:
            self._write_brands(part)
        elif part.kind == b"mdat":
            self._output.write(read_at(self._source, part.start, part.header))
            self._write_samples(part)
        elif part.kind == b"moof":
            self._output.write(self._fragment(part, Extents()))
        elif part.kind in (b"sidx", b"mfra") and self._sizes:
            data = read_part(self._source, part)
            self.findings |= scrub_index(data, part.inside())
            self._output.write(data)
        else:
            self._write_space(part)

    def _fragment(self, part: Part, extents: Extents) -> bytearray:
        moof = read_part(self._source, part)
        if not self._sizes:
            raise unreadable("the file has fragments of tracks that it does not name")
        self.findings |= scrub_fragment(
            moof, part.inside(), part.start, self._sizes, extents
        )
        return moof

    def _write_brands(self, part: Part) -> None:
        size = part.end - part.start
        content = read_at(self._source, part.start + 8, min(size, _SCAN) - 8)
        if size > 16 + 4 * _MAX_BRANDS or size < 16 or size % 4 or part.header != 8:
            raise unreadable("the file's type box is broken")
        brands = [content[at : at + 4] for at in range(0, len(content), 4)]
        clean = [brand if brand in _BRANDS else b"isom" for brand in brands]
        clean[1] = bytes(4)  # the version of the brand: some programs write a date
        self._output.write(struct.pack(">I4s", size, b"ftyp") + b"".join(clean))
        if not _BRANDS.issuperset((brands[0], *brands[2:])):
            self.findings.add(Finding.APPLICATION_DATA)

    def _write_space(self, part: Part) -> None:
        head = read_at(self._source, part.start, part.header)
        self._output.write(head[:4] + b"free" + head[8:])
        at = part.start + part.header
        content = read_at(self._source, at, min(_SCAN, part.end - at))
        self.findings |= dropped(part.kind, content)
        whole, rest = divmod(part.end - at, _BLOCK)
        self._output.writelines(repeat(bytes(_BLOCK), whole))
        self._output.write(bytes(rest))

    def _write_samples(self, part: Part) -> None:
        self._output.writelines(self._samples(part.start + part.header, part.end))

    def _samples(self, start: int, end: int) -> Iterator[bytearray]:
        """Return what the kept tracks refer to, with zeros for the rest."""
        for at in range(start, end, _BLOCK):
            stop = min(at + _BLOCK, end)
            block = bytearray(read_at(self._source, at, stop - at))
            for first, last in self._extents.gaps(at, stop):
                if blank(block, first - at, last - at):
                    self.findings.add(Finding.PADDING)
            yield block


def _fragmented(movie: bytearray, whole: Box) -> Sizes:
    inside = boxes_in(movie, whole.start, whole.end)
    return sizes_of(movie, [box for box in inside if box.kind == b"trak"], whole)
