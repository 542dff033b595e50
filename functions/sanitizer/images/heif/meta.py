"""The `meta` box of HEIF and AVIF: which items there are, and what belongs to them.

Source: ISO/IEC 14496-12, 8.11; ISO/IEC 23008-12 (HEIF), 6 and 9.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from functions.sanitizer.images.isobmff import Box, Reader, boxes
from functions.sanitizer.images.pictures import View

_MAX_ITEMS = 20_000
_MAX_EXTENTS = 100_000
_KNOWN = frozenset(b"hdlr pitm iinf iref iprp iloc idat dinf".split())


@dataclass
class Item:
    """An item: a coded picture, one derived from others, or metadata."""

    number: int
    kind: bytes = b""
    content_type: bytes = b""
    extents: list[tuple[int, int]] = field(default_factory=list)  # start, end
    elsewhere: bool = False  # in another file, or made of other items' bytes
    properties: list[tuple[int, bool]] = field(default_factory=list)  # index, essential


@dataclass
class Meta:
    """What a `meta` box says."""

    primary: int = 0
    items: dict[int, Item] = field(default_factory=dict)
    properties: list[Box] = field(default_factory=list)
    others: list[Box] = field(default_factory=list)
    # By kind and item: the items it refers to, in order, and those that refer to it.
    targets: dict[tuple[bytes, int], list[int]] = field(default_factory=dict)
    sources: dict[tuple[bytes, int], list[int]] = field(default_factory=dict)

    def properties_of(self, item: Item) -> Iterator[tuple[Box, bool]]:
        """Yield an item's properties in order, and whether each is essential."""
        for index, essential in item.properties:
            if 1 <= index <= len(self.properties):
                yield self.properties[index - 1], essential


def read_meta(data: View, box: Box) -> Meta:
    """Read a `meta` box.

    Raises:
        ValueError: it is broken, or too large to be meant.
    """
    meta = Meta()
    inside: dict[bytes, Box] = {}
    for child in boxes(data, box.start + 4, box.end):
        if child.kind in _KNOWN and child.kind not in inside:
            inside[child.kind] = child
        else:
            meta.others.append(child)
    if b"iinf" in inside:
        _read_items(meta, data, inside[b"iinf"])
    if b"pitm" in inside:
        reader = Reader(inside[b"pitm"].of(data))
        version, _ = reader.head()
        meta.primary = reader.number(4 if version else 2)
    if b"iref" in inside:
        _read_references(meta, data, inside[b"iref"])
    if b"iprp" in inside:
        _read_properties(meta, data, inside[b"iprp"])
    if b"iloc" in inside:
        outside = _files_outside(data, inside.get(b"dinf"))
        places = _Places(meta, inside.get(b"idat"), len(data), outside)
        places.read(Reader(inside[b"iloc"].of(data)))
    return meta


def _read_items(meta: Meta, data: View, box: Box) -> None:
    reader = Reader(data[box.start : box.start + 8])
    version, _ = reader.head()
    start = box.start + (8 if version else 6)
    for entry in boxes(data, start, box.end):
        if entry.kind != b"infe":
            continue
        reader = Reader(entry.of(data))
        version, _ = reader.head()
        number = reader.number(4 if version >= 3 else 2)
        reader.take(2)  # protection
        item = Item(number)
        if version >= 2:
            item.kind = reader.take(4)
        name_and_type = reader.text(), reader.text()
        item.content_type = name_and_type[1]
        meta.items.setdefault(number, item)
        if len(meta.items) > _MAX_ITEMS:
            raise ValueError("too many items")


def _read_references(meta: Meta, data: View, box: Box) -> None:
    version = data[box.start]
    width = 4 if version else 2
    total = 0
    for entry in boxes(data, box.start + 4, box.end):
        reader = Reader(entry.of(data))
        source, count = reader.number(width), reader.number(2)
        total += count
        if total > _MAX_EXTENTS:
            raise ValueError("too many references")
        targets = [reader.number(width) for _ in range(count)]
        meta.targets.setdefault((entry.kind, source), targets)
        for target in targets:
            meta.sources.setdefault((entry.kind, target), []).append(source)


def _read_properties(meta: Meta, data: View, box: Box) -> None:
    for child in boxes(data, box.start, box.end):
        if child.kind == b"ipco":
            meta.properties += boxes(data, child.start, child.end)
        elif child.kind == b"ipma":
            _read_associations(meta, Reader(child.of(data)))


def _read_associations(meta: Meta, reader: Reader) -> None:
    version, flags = reader.head()
    width, high = (2, 0x8000) if flags & 1 else (1, 0x80)
    for _ in range(reader.number(4)):
        item = meta.items.get(reader.number(4 if version else 2))
        numbers = [reader.number(width) for _ in range(reader.number(1))]
        if item and not item.properties:
            item.properties = [(n & high - 1, bool(n & high)) for n in numbers]


def _files_outside(data: View, box: Box | None) -> set[int]:
    """Return the data references, counted from one, that name another file."""
    tables = boxes(data, box.start, box.end) if box else iter(())
    table = next((child for child in tables if child.kind == b"dref"), None)
    entries = boxes(data, table.start + 8, table.end) if table else iter(())
    return {
        index
        for index, entry in enumerate(entries, 1)
        if entry.end - entry.start < 4 or not data[entry.start + 3] & 1
    }


@dataclass
class _Places:
    """Finds out where the bytes of items lie."""

    meta: Meta
    idat: Box | None
    file_bytes: int
    outside: set[int]
    extents: int = 0

    def read(self, reader: Reader) -> None:
        version, _ = reader.head()
        sizes = reader.number(2)
        widths = [sizes >> shift & 15 for shift in (12, 8, 4, 0)]
        if version == 0:
            widths[3] = 0
        if not {0, 4, 8}.issuperset(widths):
            raise ValueError("numbers of odd length")
        number_bytes = 4 if version >= 2 else 2
        for _ in range(reader.number(number_bytes)):
            number = reader.number(number_bytes)
            method = reader.number(2) & 15 if version else 0
            reference = reader.number(2)
            base = reader.number(widths[2])
            extents = self._extents(reader, widths)
            item = self.meta.items.get(number)
            if item and not item.extents:
                item.elsewhere = method > 1 or reference in self.outside
                item.extents = [self._place(method, base, extent) for extent in extents]

    def _extents(self, reader: Reader, widths: list[int]) -> list[tuple[int, int]]:
        count = reader.number(2)
        self.extents += count
        if self.extents > _MAX_EXTENTS:
            raise ValueError("too many pieces")
        extents = []
        for _ in range(count):
            reader.take(widths[3])
            extents.append((reader.number(widths[0]), reader.number(widths[1])))
        return extents

    def _place(
        self, method: int, base: int, extent: tuple[int, int]
    ) -> tuple[int, int]:
        start, size = base + extent[0], extent[1]
        end = self.file_bytes
        if method == 1:
            if self.idat is None:
                raise ValueError("no such data")
            start, end = start + self.idat.start, self.idat.end
        # A length of zero stands for all that follows.
        return start, start + size if size else max(start, end)
