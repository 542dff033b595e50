"""What a TIFF holds besides its pages (TIFF 6.0, BigTIFF), and EXIF blocks."""

import struct
from dataclasses import dataclass

from tests.exam.judge.scan import Scan, shown

# What says how pixels lie and what colours they are; everything else is a leak.
_NEEDED = frozenset(
    {*range(254, 260), 262, 263, 266, 273, 274, *range(277, 285), *range(290, 294)}
    | {296, 297, 301, *range(317, 326), 332, 334, 336, *range(338, 342), 347}
    | {*range(512, 516), *range(519, 522), *range(529, 533), 34675, 37439}
)
_POINTERS = {330: "subifd", 34665: "exif", 34853: "gps"}
_KINDS = _POINTERS | {
    700: "xmp",
    33723: "iptc",
    34377: "photoshop_irb",
    269: "name",
    270: "description",
    306: "date",
    315: "artist",
    37500: "makernote",
}
_SIZES = {3: 2, 4: 4, 5: 8, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
_NUMBERS = {1: "B", 3: "H", 4: "I", 13: "I", 16: "Q", 18: "Q"}
_DATA = ((273, 279), (324, 325), (513, 514))
_MOST_PAGES = 2_000
_MOST_VALUES = 1_000_000


@dataclass(frozen=True)
class _Entry:
    kind: int
    count: int
    at: int
    size: int
    inline: bool


@dataclass(frozen=True)
class _Layout:
    """How numbers stand in the file."""

    order: str
    big: bool

    @property
    def offset(self) -> str:
        return self.order + ("Q" if self.big else "I")

    @property
    def count(self) -> str:
        return self.order + ("Q" if self.big else "H")


def scan_tiff(found: Scan) -> None:
    """Note every tag that is not needed, and every byte that no tag points to."""
    walk = _Walk(found)
    try:
        walk.run()
    except (struct.error, OverflowError):  # a place beyond what can be addressed
        found.leak("garbage", "a directory that is no directory")
    walk.gaps()


class _Walk:
    def __init__(self, found: Scan) -> None:
        self.found, self.data = found, found.data
        order = "<" if self.data[:2] == b"II" else ">"
        big = self.data[2:4] in (b"+\0", b"\0+")
        self.layout = _Layout(order, big)
        self.used = [(0, 16 if big else 8)]
        self.seen: set[int] = set()

    def run(self) -> None:
        first = 8 if self.layout.big else 4
        (at,) = struct.unpack_from(self.layout.offset, self.data, first)
        page = 0
        while at and at not in self.seen and page < _MOST_PAGES:
            at = self._directory(at, page)
            page += 1

    def _directory(self, at: int, page: int) -> int:
        self.seen.add(at)
        entries, end, following = _entries(self.data, at, self.layout)
        self.used.append((at, end))
        for tag, entry in entries.items():
            self._tag(tag, entry)
        for offsets, lengths in _DATA:
            self._strips(entries.get(offsets), entries.get(lengths))
        self._facts(entries, page)
        return following

    def _tag(self, tag: int, entry: _Entry) -> None:
        if not entry.inline:
            self.used.append((entry.at, entry.at + entry.size))
        if tag == 34675:
            self.found.icc = self.data[entry.at : entry.at + entry.size]
        elif tag not in _NEEDED:
            value = self.data[entry.at : entry.at + entry.size]
            end = entry.at + len(value)
            kind = _KINDS.get(tag, "tiff_tag")
            self.found.leak(kind, f"tag {tag} {shown(value)}", entry.at, end)
        for below in self._values(entry)[:64] if tag in _POINTERS else ():
            if below not in self.seen:
                self._below(below)

    def _below(self, at: int) -> None:
        self.seen.add(at)
        try:
            entries, end, _ = _entries(self.data, at, self.layout)
        except struct.error:
            return
        self.used.append((at, end))
        for entry in entries.values():
            size = min(entry.size, 1 << 20)
            self.found.leak("exif", "a value below", entry.at, entry.at + size)

    def _facts(self, entries: dict[int, _Entry], page: int) -> None:
        if page == 0 and 258 in entries:
            self.found.bits = max(self._values(entries[258]), default=1)
        kinds = self._values(entries[254]) if 254 in entries else []
        if kinds and kinds[0] & 1:
            self.found.hidden_pages += 1
            self.found.leak("thumbnail", "a page of less resolution")

    def _strips(self, offsets: _Entry | None, lengths: _Entry | None) -> None:
        if offsets is None:
            return
        starts = self._values(offsets)
        sizes = self._values(lengths) if lengths else [len(self.data)]
        self.used += [(s, s + n) for s, n in zip(starts, sizes, strict=False)]

    def _values(self, entry: _Entry) -> list[int]:
        code = _NUMBERS.get(entry.kind)
        if code is None or entry.count > _MOST_VALUES:
            return []
        form = f"{self.layout.order}{entry.count}{code}"
        return list(struct.unpack_from(form, self.data, entry.at))

    def gaps(self) -> None:
        """Note bytes that nothing points to; padding is zero."""
        at = 0
        for start, end in [*sorted(self.used), (len(self.data), len(self.data))]:
            gap = self.data[at:start] if start > at else b""
            if gap.strip(b"\0"):
                where = f"{len(gap)} bytes no tag points to"
                self.found.leak("slack", where, at, start)
            at = max(at, end)


def _entries(
    data: bytes, at: int, layout: _Layout
) -> tuple[dict[int, _Entry], int, int]:
    """Return a directory's entries, where it ends, and where the next one is."""
    (count,) = struct.unpack_from(layout.count, data, at)
    at += struct.calcsize(layout.count)
    room = struct.calcsize(layout.offset)
    entries = {}
    for _ in range(min(count, 4_096)):
        form = f"{layout.order}HH{layout.offset[1]}"
        tag, kind, number = struct.unpack_from(form, data, at)
        value_at = at + struct.calcsize(form)
        size = number * _SIZES.get(kind, 1)
        inline = size <= room
        if not inline:
            (value_at,) = struct.unpack_from(layout.offset, data, value_at)
        entries[tag] = _Entry(kind, number, value_at, size, inline)
        at += struct.calcsize(form) + room
    following = struct.unpack_from(layout.offset, data, at)[0] if count else 0
    return entries, at + room, following


def harmless_exif(block: bytes) -> bool:
    """Say whether an EXIF block says how to turn the picture, and nothing else."""
    layout = _Layout("<" if block[:2] == b"II" else ">", big=False)
    try:
        (at,) = struct.unpack_from(layout.offset, block, 4)
        entries, end, following = _entries(block, at, layout)
    except struct.error:
        return False
    return not following and set(entries) == {0x112} and at == 8 and end == len(block)
