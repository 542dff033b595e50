"""What a rebuilt HEIF or AVIF may consist of: brands, items, samples, their data."""

import struct
from collections.abc import Iterator

from functions.sanitizer.verify.heif import av1, hevc
from functions.sanitizer.verify.heif.boxes import Part, parts
from functions.sanitizer.verify.heif.movie import Film, film_carriers
from functions.sanitizer.verify.heif.properties import property_carriers

_BRANDS = frozenset(
    b"mif1 mif2 msf1 miaf heic heix heim heis hevc hevx hevm hevs avif avis MA1A MA1B"
    b" av01 iso4 iso5 iso6 iso7 iso8 iso9".split()
)
_CODED = (b"av01", b"hvc1")
_HANDLER = bytes(8) + b"pict" + bytes(13)


def heif_carriers(data: bytes) -> Iterator[str]:
    """Name every box and byte that is not picture."""
    top = parts(data)
    kinds = tuple(part.kind for part in top)
    if kinds not in (
        (b"ftyp", b"meta", b"mdat"),
        (b"ftyp", b"moov", b"mdat"),
        (b"ftyp", b"meta", b"moov", b"mdat"),
    ):
        yield f"boxes {kinds}"
        return
    boxes = dict(zip(kinds, top, strict=True))
    yield from _brand_carriers(boxes[b"ftyp"].content)
    used: list[tuple[int, int]] = []
    if b"meta" in boxes:
        items = Items(data, boxes[b"meta"])
        yield from items.carriers()
        used += items.extents.values()
    if b"moov" in boxes:
        film = Film(data)
        yield from film_carriers(film, boxes[b"moov"])
        used += film.extents
    yield from _gaps(boxes[b"mdat"], used)


def _brand_carriers(content: bytes) -> Iterator[str]:
    brands = [content[at : at + 4] for at in range(0, len(content), 4)]
    if any(brands.pop(1)) or not _BRANDS.issuperset(brands):
        yield "a brand that is none"


def _gaps(media: Part, used: list[tuple[int, int]]) -> Iterator[str]:
    at = media.at
    for start, end in sorted(used):
        if start > at:
            yield "bytes that belong to no picture"
        at = max(at, end)
    if at != media.at + len(media.content):
        yield "bytes that belong to no picture"


class Items:
    """The items of a `meta` box; *extents* by number is known after `carriers`."""

    def __init__(self, data: bytes, meta: Part) -> None:
        self.extents: dict[int, tuple[int, int]] = {}
        self._data = data
        self._meta = meta
        self._kinds: list[bytes] = []
        self._properties: list[Part] = []
        self._owned: dict[int, list[Part]] = {}
        self._inputs: dict[int, int] = {}

    def carriers(self) -> Iterator[str]:
        """Name what is not on the list."""
        content = self._meta.content
        inside = parts(content[4:], self._meta.at + 4)
        order = [part.kind for part in inside]
        expected = [b"hdlr", b"pitm", b"iloc", b"iinf", b"iref", b"iprp"]
        if any(content[:4]) or [k for k in expected if k in order] != order:
            yield "other boxes in the table of items"
            return
        boxes = {part.kind: part for part in inside}
        if boxes[b"hdlr"].content != _HANDLER:
            yield "a handler with a name"
        if boxes[b"pitm"].content != bytes(5) + b"\1":
            yield "another primary item"
        yield from self._entries(boxes[b"iinf"].content)
        yield from self._references(boxes.get(b"iref"))
        yield from self._property_tables(boxes[b"iprp"])
        yield from self._places(boxes[b"iloc"].content)
        for number, kind in enumerate(self._kinds, 1):
            yield from self._item(number, kind)

    def _entries(self, content: bytes) -> Iterator[str]:
        for number, part in enumerate(parts(content[6:]), 1):
            expected = struct.pack(">HH", number, 0)
            entry = part.content
            named = len(entry) != 13 or entry[12]
            if part.kind != b"infe" or entry[4:8] != expected or named:
                yield "an item with a name"
            if entry[:4] not in (b"\2\0\0\0", b"\2\0\0\1"):
                yield "an item with other flags"
            if entry[8:12] not in (*_CODED, b"grid", b"iovl", b"iden"):
                yield f"an item of kind {entry[8:12]!r}"
            self._kinds.append(entry[8:12])
        if content[:6] != struct.pack(">IH", 0, len(self._kinds)):
            yield "another number of items"

    def _references(self, part: Part | None) -> Iterator[str]:
        linked = {1}
        for entry in parts(part.content[4:]) if part else []:
            source, count = struct.unpack_from(">HH", entry.content)
            targets = struct.unpack(f">{count}H", entry.content[4:])
            if entry.kind == b"dimg":
                linked.update(targets)
                self._inputs[source] = count
            elif entry.kind == b"auxl":
                linked.add(source)
            elif entry.kind != b"prem":
                yield f"a reference {entry.kind!r}"
        if linked != set(range(1, len(self._kinds) + 1)):
            yield "an item that is no part of the picture"

    def _property_tables(self, part: Part) -> Iterator[str]:
        container, table = parts(part.content, part.at)
        if (container.kind, table.kind) != (b"ipco", b"ipma"):
            yield "other tables of properties"
        self._properties = parts(container.content)
        for entry in self._properties:
            yield from property_carriers(entry)
        used = self._associations(table.content)
        if used != set(range(1, len(self._properties) + 1)):
            yield "a property of no item"

    def _associations(self, content: bytes) -> set[int]:
        wide = content[3] & 1
        (count,) = struct.unpack_from(">I", content, 4)
        at, used = 8, set[int]()
        for _ in range(count):
            number, length = struct.unpack_from(">HB", content, at)
            form = f">{length}H" if wide else f">{length}B"
            indices = [
                index & (0x7FFF if wide else 0x7F)
                for index in struct.unpack_from(form, content, at + 3)
            ]
            at += 3 + struct.calcsize(form)
            self._owned[number] = [self._properties[index - 1] for index in indices]
            used.update(indices)
        if at != len(content) or any(content[:3]) or content[3] > 1:
            raise ValueError("bytes behind a table")
        return used

    def _places(self, content: bytes) -> Iterator[str]:
        head, count = content[:6], int.from_bytes(content[6:8], "big")
        if head != b"\0\0\0\0\x44\0" or len(content) != 8 + 14 * count:
            yield "a table of places with more in it"
        for number, file, pieces, start, size in struct.iter_unpack(
            ">HHHII", content[8:]
        ):
            if (file, pieces) != (0, 1) or number in self.extents:
                yield "an item in pieces"
            self.extents[number] = (start, start + size)

    def _item(self, number: int, kind: bytes) -> Iterator[str]:
        start, end = self.extents.get(number, (0, 0))
        stored = self._data[start:end]
        wanted = {b"av01": b"av1C", b"hvc1": b"hvcC"}.get(kind)
        records = [part for part in self._owned[number] if part.kind == wanted]
        if kind in _CODED and records:
            walker = av1 if kind == b"av01" else hevc
            yield from walker.picture_carriers(stored, records[0].content)
        elif kind == b"grid":
            if (
                len(stored) not in (8, 12)
                or stored[0]
                or stored[1] != len(stored) // 12
            ):
                yield "a grid with more in it"
            elif self._inputs.get(number) != (stored[2] + 1) * (stored[3] + 1):
                yield "a grid with more tiles"
        elif kind == b"iovl":
            width = 4 if stored[1] else 2
            size = 10 + 2 * width * (1 + self._inputs.get(number, 0))
            if stored[0] or stored[1] > 1 or len(stored) != size:
                yield "an overlay with more in it"
        elif stored or kind in _CODED:
            yield "data that nothing decodes"
