"""The directories of a TIFF or BigTIFF (TIFF 6.0; libtiff's BigTIFF design), bounded.

Offsets are followed once each; what does not lie inside the file does not exist. Two
directories may claim the same bytes: nothing here costs more than their number.
"""

import struct
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property

from functions.sanitizer.images.pictures import View

SUBFILE, OLD_SUBFILE, WIDTH, HEIGHT, BITS, COMPRESSION = 254, 255, 256, 257, 258, 259
PHOTOMETRIC, SUB_IFDS, EXIF_IFD, GPS_IFD = 262, 330, 34665, 34853
JPEG_STREAM, JPEG_STREAM_BYTES = 513, 514
_NUMBERS = {1: "B", 3: "H", 4: "I", 6: "b", 8: "h", 9: "i", 13: "I", 16: "Q", 18: "Q"}
_TYPE_BYTES = {
    **{kind: struct.calcsize(letter) for kind, letter in _NUMBERS.items()},
    **dict.fromkeys((2, 7), 1),
    **dict.fromkeys((5, 10, 12, 17), 8),
    11: 4,
}
# libtiff refuses larger directories too.
_MAX_ENTRIES = 4096
_MAX_ALL_ENTRIES = 100_000
_MAX_SUB_DIRECTORIES = 64


@dataclass(frozen=True)
class Entry:
    """One tag: *count* values of type *kind*, their bytes at *at*."""

    kind: int
    count: int
    at: int

    @property
    def size(self) -> int:
        """How many bytes the values take."""
        return self.count * _TYPE_BYTES.get(self.kind, 1)


@dataclass(frozen=True)
class Directory:
    """One IFD; *end* is where its last byte ends."""

    data: View
    order: str  # as struct writes it
    at: int
    end: int
    entries: dict[int, Entry]

    def numbers(self, tag: int, most: int = 64) -> tuple[int, ...]:
        """Return the integers of *tag*; none if it is absent, of another type, longer
        than *most* or not inside the file.
        """
        entry = self.entries.get(tag)
        return self.first(tag, most) if entry and entry.count <= most else ()

    def first(self, tag: int, count: int) -> tuple[int, ...]:
        """Return at most *count* integers of *tag*, which may have more."""
        entry = self.entries.get(tag)
        letter = _NUMBERS.get(entry.kind) if entry else None
        if entry is None or letter is None or not entry.count:
            return ()
        if entry.at + entry.size > len(self.data):
            return ()
        form = f"{self.order}{min(entry.count, count)}{letter}"
        return struct.unpack_from(form, self.data, entry.at)

    def number(self, tag: int, default: int) -> int:
        """Return the first integer of *tag*."""
        values = self.first(tag, 1)
        return values[0] if values else default

    def rationals(self, tag: int, count: int) -> tuple[tuple[int, int], ...]:
        """Return *count* fractions with a denominator; else none."""
        entry = self.entries.get(tag)
        if entry is None or entry.kind != 5 or entry.count != count:
            return ()
        if entry.at + entry.size > len(self.data):
            return ()
        flat = struct.unpack_from(f"{self.order}{2 * count}I", self.data, entry.at)
        pairs = tuple(zip(flat[::2], flat[1::2], strict=True))
        return pairs if all(below for _, below in pairs) else ()

    def misses(self, tags: Iterable[int]) -> bool:
        """Say whether values of one of *tags* are not all inside the file."""
        entries = [self.entries[tag] for tag in tags if tag in self.entries]
        return any(entry.at + entry.size > len(self.data) for entry in entries)

    def value(self, tag: int) -> bytes:
        """Return the bytes of *tag*, as far as the file has them."""
        entry = self.entries[tag]
        return bytes(self.data[entry.at : entry.at + entry.size])


@dataclass
class Tiff:
    """A file: its pages in the order of the chain, and what hangs below them."""

    data: View
    order: str
    big: bool
    pages: list[Directory] = field(default_factory=list)
    below: dict[int, list[Directory]] = field(default_factory=dict)  # by page
    exif: list[Directory] = field(default_factory=list)

    @cached_property
    def header_bytes(self) -> int:
        """How long the header is."""
        return 16 if self.big else 8


def read(data: View, most_pages: int) -> Tiff:
    """Read the directories of a file: at most one page more than *most_pages*.

    Raises:
        ValueError, struct.error: there is no first page, or directories are absurd.
    """
    order = {b"II": "<", b"MM": ">"}[bytes(data[:2])]
    big = struct.unpack_from(f"{order}H", data, 2) == (43,)
    tiff = Tiff(data, order, big)
    reader = _Reader(tiff)
    offset = _first(tiff)
    while offset and len(tiff.pages) <= most_pages:
        page, offset = reader.directory(offset)
        if page is None:  # the chain bites its tail
            break
        tiff.pages.append(page)
    if not tiff.pages:
        raise ValueError("no directory")
    for index, page in enumerate(tiff.pages):
        tiff.below[index] = reader.beneath(page, SUB_IFDS)
        tiff.exif += reader.beneath(page, EXIF_IFD) + reader.beneath(page, GPS_IFD)
    return tiff


def _first(tiff: Tiff) -> int:
    if not tiff.big:
        return int(struct.unpack_from(f"{tiff.order}I", tiff.data, 4)[0])
    size, zero, first = struct.unpack_from(f"{tiff.order}HHQ", tiff.data, 4)
    if (size, zero) != (8, 0):
        raise ValueError("offsets of another size")
    return int(first)


class _Reader:
    """Reads directories, each once."""

    def __init__(self, tiff: Tiff) -> None:
        self._tiff = tiff
        self._seen: set[int] = set()
        self._entries = 0
        count, size, offset = ("Q", 20, "Q") if tiff.big else ("H", 12, "I")
        self._count = struct.Struct(tiff.order + count)
        self._offset = struct.Struct(tiff.order + offset)
        self._entry = struct.Struct(f"{tiff.order}HH{offset}{size - 4 - self._wide}x")

    @property
    def _wide(self) -> int:
        """Bytes of a count, an offset, and a value that stands in its entry."""
        return 8 if self._tiff.big else 4

    def directory(self, at: int) -> tuple[Directory | None, int]:
        """Return the directory at *at* and where the next one is; 0: nowhere."""
        data, first = self._tiff.data, at + self._count.size
        if at in self._seen:
            return None, 0
        if at < 8 or first > len(data):
            raise ValueError("a directory outside the file")
        self._seen.add(at)
        (count,) = self._count.unpack_from(data, at)
        self._entries += count
        if count > _MAX_ENTRIES or self._entries > _MAX_ALL_ENTRIES:
            raise ValueError("an absurd number of tags")
        end = first + count * self._entry.size
        if end > len(data):
            raise ValueError("a directory that ends early")
        entries = dict(self._each(data[first:end], first))
        following = 0
        if end + self._wide <= len(data):
            (following,) = self._offset.unpack_from(data, end)
            end += self._wide
        return Directory(data, self._tiff.order, at, end, entries), following

    def _each(self, table: bytes, at: int) -> list[tuple[int, Entry]]:
        entries = []
        for tag, kind, count in self._entry.iter_unpack(table):
            at += self._entry.size
            value_at = at - self._wide
            if count * _TYPE_BYTES.get(kind, 1) > self._wide:
                (value_at,) = self._offset.unpack_from(self._tiff.data, value_at)
            entries.append((tag, Entry(kind, count, value_at)))
        return entries

    def beneath(self, page: Directory, tag: int) -> list[Directory]:
        """Return the directories that *tag* of *page* points to."""
        found = []
        for offset in page.numbers(tag, _MAX_SUB_DIRECTORIES):
            try:
                directory, _ = self.directory(offset)
            except ValueError:
                continue
            if directory:
                found.append(directory)
        return found


def unreferenced(tiff: Tiff, pictures: list[tuple[int, int]]) -> bool:
    """Say whether bytes that nothing points to are other than zero.

    Args:
        pictures: start and end of every coded strip and tile.
    """
    spans = [(0, tiff.header_bytes), *pictures]
    below = [directory for each in tiff.below.values() for directory in each]
    for directory in (*tiff.pages, *below, *tiff.exif):
        spans.append((directory.at, directory.end))
        entries = directory.entries.values()
        spans += [(entry.at, entry.at + entry.size) for entry in entries]
    at = 0
    for start, end in sorted(spans):
        if start > at and tiff.data[at : min(start, len(tiff.data))].strip(b"\0"):
            return True
        at = max(at, end)
    return bool(tiff.data[at:].strip(b"\0"))
