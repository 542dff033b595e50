"""What HEIC and AVIF files hold besides their picture (ISO/IEC 23008-12)."""

from dataclasses import dataclass, field

from tests.exam.judge.boxes import Box, Reader, boxes
from tests.exam.judge.coded import scan_av1, scan_hevc
from tests.exam.judge.film import scan_movie
from tests.exam.judge.scan import Scan, shown
from tests.exam.judge.tiff import harmless_exif

_META = frozenset(b"hdlr pitm iinf iref iprp iloc idat dinf grpl".split())
_CODED = frozenset(b"av01 hvc1 hev1 grid iovl iden jpeg j2k1 unci avc1".split())
_PROPERTIES = frozenset(
    b"ispe pixi colr irot imir clap pasp av1C hvcC auxC clli mdcv cclv amve".split()
    + b"a1op lsel a1lx rloc j2kH jpgC avcC cmpd uncC".split()
)
_ALPHA = (b"urn:mpeg:hevc:2015:auxid:1", b"urn:mpeg:mpegB:cicp:systems:auxiliary:alpha")
_WALKS = {b"av01": scan_av1, b"hvc1": scan_hevc, b"hev1": scan_hevc}
_NO_NAMES = frozenset((b"", b"Color", b"Alpha", b"Image", b"Exif"))


@dataclass
class _Meta:
    """What a `meta` box says."""

    kinds: dict[int, bytes] = field(default_factory=dict)
    names: dict[int, bytes] = field(default_factory=dict)
    references: list[tuple[bytes, int]] = field(default_factory=list)
    properties: list[Box] = field(default_factory=list)
    owned: dict[int, list[int]] = field(default_factory=dict)
    extents: dict[int, list[tuple[int, int]]] = field(default_factory=dict)
    inner: set[int] = field(default_factory=set)  # items that lie in `idat`
    idat: int = 0


def scan_heif(found: Scan) -> None:
    """Note every leak."""
    media: list[Box] = []
    meta, end, film = None, 0, False
    for box in boxes(found.data, 0, len(found.data)):
        end = box.end
        if box.kind == b"mdat":
            media.append(box)
        elif box.kind == b"meta":
            meta = _read(found, box)
        elif box.kind == b"moov":
            film = True
            scan_movie(found, box.start, box.end)
        elif box.kind in (b"free", b"skip"):
            _blank(found, "free space", box.start, box.end)
        elif box.kind != b"ftyp":
            kind = "motion_photo" if box.kind == b"mpvd" else "heif_box"
            found.leak(kind, f"box {shown(box.kind)}", box.start, box.end)
    found.tail(end)
    if meta is not None:
        _items(found, meta)
        if not film:
            _unused(found, meta, media)


def _blank(found: Scan, where: str, start: int, end: int) -> None:
    if found.data[start:end].strip(b"\0"):
        found.leak("slack", f"{end - start} bytes: {where}", start, end)


def _read(found: Scan, box: Box) -> _Meta:
    meta = _Meta()
    readers = {b"iinf": _kinds, b"iref": _references, b"iloc": _places}
    for inner in boxes(found.data, box.start + 4, box.end):
        if inner.kind in readers:
            readers[inner.kind](found.data, inner, meta)
        elif inner.kind == b"iprp":
            _properties(found.data, inner, meta)
        elif inner.kind == b"idat":
            meta.idat = inner.start
        elif inner.kind == b"hdlr":
            _blank(found, "a handler's name", inner.start + 12, inner.end)
        elif inner.kind not in _META:
            found.leak("heif_box", f"meta {inner.kind!r}", inner.start, inner.end)
    return meta


def _kinds(data: bytes, box: Box, meta: _Meta) -> None:
    at = box.start + (8 if data[box.start : box.start + 1] != b"\0" else 6)
    for entry in boxes(data, at, box.end):
        version = data[entry.start]
        reader = Reader(data, entry.start + 4)
        item = reader.take(2 if version < 3 else 4)
        reader.take(2)
        meta.kinds[item] = data[reader.at : reader.at + 4]
        name, _, rest = data[reader.at + 4 : entry.end].partition(b"\0")
        plain = meta.kinds[item] not in (b"mime", b"uri ")
        meta.names[item] = name + rest if plain else name


def _references(data: bytes, box: Box, meta: _Meta) -> None:
    wide = 2 if data[box.start] == 0 else 4
    for entry in boxes(data, box.start + 4, box.end):
        item = int.from_bytes(data[entry.start : entry.start + wide], "big")
        meta.references.append((entry.kind, item))


def _properties(data: bytes, box: Box, meta: _Meta) -> None:
    for inner in boxes(data, box.start, box.end):
        if inner.kind == b"ipco":
            meta.properties += boxes(data, inner.start, inner.end)
            continue
        if inner.kind != b"ipma":
            meta.properties.append(inner)
            continue
        version, wide = data[inner.start], data[inner.start + 3] & 1
        reader = Reader(data, inner.start + 4)
        for _ in range(reader.take(4)):
            if reader.at >= inner.end:
                break
            item = reader.take(2 if version < 1 else 4)
            for _ in range(reader.take(1)):
                index = reader.take(1 + wide) & (0x7FFF if wide else 0x7F)
                meta.owned.setdefault(item, []).append(index)


def _places(data: bytes, box: Box, meta: _Meta) -> None:
    version, reader = data[box.start], Reader(data, box.start + 4)
    sizes = reader.take(2)
    offset, length, base = sizes >> 12, sizes >> 8 & 15, sizes >> 4 & 15
    index = sizes & 15 if version else 0
    for _ in range(reader.take(2 if version < 2 else 4)):
        if reader.at >= box.end:
            break
        item = reader.take(2 if version < 2 else 4)
        if version and reader.take(2) & 15 == 1:
            meta.inner.add(item)
        reader.take(2)
        origin = reader.take(base)
        extents = meta.extents.setdefault(item, [])
        for _ in range(min(reader.take(2), 4_096)):
            reader.take(index)
            start = origin + reader.take(offset)
            extents.append((start, start + reader.take(length)))


def _items(found: Scan, meta: _Meta) -> None:
    for relation, item in meta.references:
        if relation == b"thmb":
            found.leak("thumbnail", f"item {item}", *_first(meta, item))
        elif relation == b"auxl" and not _is_alpha(found, meta, item):
            found.leak("aux_image", f"item {item}", *_first(meta, item))
    for item, kind in meta.kinds.items():
        _item(found, meta, item, kind)
    for box in meta.properties:
        if box.kind not in _PROPERTIES:
            found.leak("heif_box", f"property {box.kind!r}", box.start, box.end)
        _facts(found, box)


def _item(found: Scan, meta: _Meta, item: int, kind: bytes) -> None:
    start, end = _first(meta, item)
    if kind not in _CODED and not _turns(found, kind, start, end):
        name = {b"Exif": "exif", b"mime": "xmp"}.get(kind, "heif_item")
        found.leak(name, f"item {item} {shown(kind)}", start, end)
    if kind in _WALKS:
        for extent in meta.extents.get(item, []):
            _WALKS[kind](found, *extent)
    if meta.names.get(item, b"") not in _NO_NAMES:
        found.leak("comment", f"an item called {shown(meta.names[item])}")


def _turns(found: Scan, kind: bytes, start: int, end: int) -> bool:
    block = found.data[start + 4 : end].removeprefix(b"Exif\0\0")
    return kind == b"Exif" and harmless_exif(block)


def _first(meta: _Meta, item: int) -> tuple[int, int]:
    start, end = next(iter(meta.extents.get(item, [])), (0, 0))
    moved = meta.idat if item in meta.inner else 0
    return start + moved, end + moved


def _is_alpha(found: Scan, meta: _Meta, item: int) -> bool:
    for index in meta.owned.get(item, []):
        if 0 < index <= len(meta.properties):
            box = meta.properties[index - 1]
            name = found.data[box.start + 4 : box.end].split(b"\0")[0]
            if box.kind == b"auxC" and name in _ALPHA:
                return True
    return False


def _facts(found: Scan, box: Box) -> None:
    body = found.data[box.start : box.end]
    if box.kind == b"colr" and body[:4] in (b"prof", b"rICC"):
        found.icc = body[4:]
    elif box.kind == b"pixi" and len(body) > 5:
        found.bits = max(found.bits, body[5])
    elif box.kind == b"av1C" and len(body) > 2 and body[2] & 0x40:
        found.bits = 12 if body[2] & 0x20 else 10
    elif box.kind == b"hvcC" and len(body) > 17:
        found.bits = max(found.bits, (body[17] & 7) + 8)


def _unused(found: Scan, meta: _Meta, media: list[Box]) -> None:
    """Note bytes of `mdat` that no item is made of."""
    extents = sorted(
        extent
        for item, each in meta.extents.items()
        if item not in meta.inner
        for extent in each
    )
    for box in media:
        at = box.start
        for start, end in extents:
            if end > at and start < box.end:
                _blank(found, "no item's", at, max(at, start))
                at = max(at, end)
        _blank(found, "no item's", at, max(at, box.end))
