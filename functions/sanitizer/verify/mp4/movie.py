"""Names what the table of contents of an MP4 file carries besides its tracks."""

import re
from collections.abc import Callable, Iterator

from functions.sanitizer.verify.mp4.boxes import first, inside, integer, zero
from functions.sanitizer.verify.mp4.chunks import Chunks
from functions.sanitizer.verify.mp4.codings import descriptions

_TREE: dict[str, str] = {
    "moov": "mvhd trak mvex udta free",
    "mvex": "mehd trex free",
    "trak": "tkhd tapt edts mdia free",
    "tapt": "clef prof enof free",
    "edts": "elst free",
    "mdia": "mdhd hdlr minf free",
    "minf": "vmhd smhd hdlr dinf stbl free",
    "dinf": "dref free",
    "stbl": "stsd stts ctts cslg stsc stsz stz2 stco co64 stss stps stsh sdtp sgpd sbgp"
    " free",
}
_SEVERAL = ("trak", "trex", "free")
_ENTRIES = {"stts": 8, "ctts": 8, "stsc": 12, "stco": 4, "co64": 8}
_ENTRIES |= {"stss": 4, "stps": 4, "stsh": 8}
_NUMBERS = {"smhd": (6, 8), "vmhd": (12, 12), "trex": (24, 24)}
_NUMBERS |= {"clef": (12, 12), "prof": (12, 12), "enof": (12, 12)}
_GROUPS = {b"roll": 2, b"prol": 2, b"rap ": 1, b"sync": 1}
_TAGS = {
    b"iTunSMPB": re.compile(rb"( [0-9A-Fa-f]{8}){3} [0-9A-Fa-f]{16}( 0{8})*"),
    b"iTunNORM": re.compile(rb"( [0-9A-Fa-f]{8}){10}"),
}
_REPLAYGAIN = re.compile(rb"[+-]?[0-9]{1,3}([.][0-9]{1,8})?( dB)?")


class Movie:
    """A `moov` box.

    Args:
        content: its bytes without the header.
        handlers: the kinds of tracks that may be in it.
    """

    def __init__(self, content: memoryview, handlers: tuple[str, ...]) -> None:
        self._content, self._handlers = content, handlers

    def carriers(self, chunks: Chunks) -> Iterator[str]:
        """Yield the name of every carrier in it; note in *chunks* where samples lie."""
        yield from _children("moov", self._content)
        tracks = [box for kind, box in inside(self._content) if kind == "trak"]
        for track in tracks:
            handler = bytes(first(track, "mdia", "hdlr")[8:12]).decode("latin-1")
            if handler not in self._handlers:
                yield f"a track of kind {handler!r}"
            tables = first(track, "mdia", "minf", "stbl")
            yield from _dependencies(tables)
            chunks.add_track(tables, sound=handler == "soun")
        if not tracks:
            yield "no track"

    def extends(self) -> dict[int, int]:
        """Return the size of a sample in the fragments of each track that stays."""
        tracks = [box for kind, box in inside(self._content) if kind == "trak"]
        heads = [first(track, "tkhd") for track in tracks]
        stay = {integer(head, 20 if head[0] else 12) for head in heads}
        extends = inside(first(self._content, "mvex"))
        sizes = [(integer(b, 4), integer(b, 16)) for k, b in extends if k == "trex"]
        return {track: size for track, size in sizes if track in stay}


def _children(parent: str, content: memoryview) -> Iterator[str]:
    seen: set[str] = set()
    for kind, inner in inside(content):
        if kind not in _TREE[parent].split() or kind in seen:
            yield f"box {parent}/{kind!r}"
            continue
        seen |= set() if kind in _SEVERAL else {kind}
        if kind in _TREE:
            yield from _children(kind, inner)
        else:
            yield from (f"{kind}: {fault}" for fault in _leaf(kind, inner))


def _leaf(kind: str, content: memoryview) -> Iterator[str]:
    flags = {"tkhd": 0x0F, "vmhd": 1}.get(kind, 0)
    if kind not in ("free", "udta") and integer(content, 1, 3) & ~flags:
        yield "flags"
    if kind in _ENTRIES:
        yield from _table(content, _ENTRIES[kind])
    elif kind in _NUMBERS:
        used, most = _NUMBERS[kind]
        if len(content) < used or not zero(content[used:]):
            yield f"{len(content)} bytes instead of {most}"
    else:
        yield from _LEAVES[kind](content)


def _free(content: memoryview) -> Iterator[str]:
    if not zero(content):
        yield "not empty"


def _dated(length: int, *blank: slice) -> Callable[[memoryview], Iterator[str]]:
    """Return a check of a header with two times; *length* is that of version 0."""

    def check(content: memoryview) -> Iterator[str]:
        wide = content[0] == 1
        dates = content[4 : 20 if wide else 12]
        # Version 1 has three fields of 8 bytes instead of 4; ends are the same.
        whole = content[: length + (12 if wide else 0)]
        if content[0] > 1 or any(content[len(whole) :]) or any(dates):
            yield "times or leftovers"
        if any(any(whole[part]) for part in blank):
            yield "reserved fields"

    return check


def _track_head(content: memoryview) -> Iterator[str]:
    yield from _dated(84, slice(-60, -52), slice(-46, -44))(content)
    if integer(content, 24 if content[0] else 16):
        yield "reserved fields"


def _handler(content: memoryview) -> Iterator[str]:
    component, kind = bytes(content[4:8]), bytes(content[8:12])
    known = kind in (b"soun", b"vide") and component in (bytes(4), b"mhlr")
    data = kind in (b"url ", b"alis", b"rsrc", bytes(4))
    if not known and not (data and component in (bytes(4), b"dhlr")):
        yield f"handler {kind!r}"
    if any(content[12:]):
        yield "a name"


def _language(content: memoryview) -> Iterator[str]:
    yield from _dated(24)(content)
    language, quality = content[32 if content[0] else 20 :][:2], content[-2:]
    code = int.from_bytes(language, "big")
    letters = {code >> 10, code >> 5 & 31, code & 31}
    if not (letters <= set(range(1, 27)) or code < 152 or code == 0x7FFF):
        yield "a language"
    if any(quality):
        yield "quality"


def _references(content: memoryview) -> Iterator[str]:
    for kind, entry in inside(content[8:]):
        itself = bytes(entry[:4]) == b"\0\0\0\1"
        if kind not in ("url ", "alis", "rsrc") or not itself or any(entry[4:]):
            yield f"reference {kind!r}"


def _table(content: memoryview, entry: int, head: int = 8) -> Iterator[str]:
    end = head + integer(content, head - 4) * entry
    if end > len(content) or not zero(content[end:]):
        yield "entries and length differ"


def _edits(content: memoryview) -> Iterator[str]:
    yield from _table(content, 20 if content[0] == 1 else 12)


def _shifts(content: memoryview) -> Iterator[str]:
    yield from _free(content[44 if content[0] else 24 :])


def _sizes(content: memoryview) -> Iterator[str]:
    yield from _table(content, 0 if integer(content, 4) else 4, 12)


def _compact_sizes(content: memoryview) -> Iterator[str]:
    end = 12 + (integer(content, 8) * content[7] + 7) // 8
    if any(content[4:7]) or end > len(content) or not zero(content[end:]):
        yield "entries and length differ"


def _dependencies(tables: memoryview) -> Iterator[str]:
    boxes = dict(inside(tables))
    if "sdtp" in boxes:
        sizes = boxes["stsz"] if "stsz" in boxes else boxes.get("stz2")
        samples = integer(sizes, 8) if sizes else 0
        yield from (f"sdtp: {f}" for f in _free(boxes["sdtp"][4 + samples :]))


def groups(content: memoryview) -> Iterator[str]:
    """Check `sbgp`: which samples belong to which group."""
    if content[0] != 0 or bytes(content[4:8]) not in _GROUPS:
        yield "groups of samples"
    yield from _table(content, 8, 12)


def group_kinds(content: memoryview) -> Iterator[str]:
    """Check `sgpd`: what groups there are."""
    size = _GROUPS.get(bytes(content[4:8]), -1)
    if content[0] != 1 or integer(content, 8) != size:
        yield "groups of samples"
    else:
        yield from _table(content, size, 16)


def _tags(content: memoryview) -> Iterator[str]:
    """Accept numbers for gapless playing and gain, and only those."""
    for kind, meta in inside(content):
        if kind == "meta" and not any(meta[:4]):
            yield from _list_of_tags(meta[4:])
        elif kind != "free" or any(meta):
            yield f"box {kind!r}"


def _list_of_tags(content: memoryview) -> Iterator[str]:
    for kind, box in inside(content):
        if kind == "hdlr":
            named = bytes(box[:8]) + bytes(box[12:])
            if any(named) or bytes(box[8:12]) != b"mdir":
                yield "the handler of the tags"
        elif kind == "ilst":
            yield from (f"tag {k!r}" for k, tag in inside(box) if not _is_tag(k, tag))
        elif kind != "free" or any(box):
            yield f"box {kind!r}"


def _is_tag(kind: str, content: memoryview) -> bool:
    if kind == "free":
        return zero(content)
    parts = list(inside(content))
    if kind != "----" or [name for name, _ in parts] != ["mean", "name", "data"]:
        return False
    mean, name, data = (bytes(part) for _, part in parts)
    gain = re.fullmatch(rb"replaygain_(track|album)_(gain|peak)", name[4:])
    pattern = _REPLAYGAIN if gain else _TAGS.get(name[4:])
    heads = mean[:4] + name[:4] + data[:8] == bytes(8) + b"\0\0\0\1" + bytes(4)
    known = heads and mean[4:] == b"com.apple.iTunes"
    return known and pattern is not None and bool(pattern.fullmatch(data[8:]))


_LEAVES: dict[str, Callable[[memoryview], Iterator[str]]] = {
    "free": _free,
    "udta": _tags,
    "mvhd": _dated(100, slice(-74, -64), slice(-28, -4)),
    "tkhd": _track_head,
    "mdhd": _language,
    "hdlr": _handler,
    "dref": _references,
    "elst": _edits,
    "mehd": lambda content: _free(content[12:]),
    "cslg": _shifts,
    "stsd": descriptions,
    "stsz": _sizes,
    "stz2": _compact_sizes,
    "sdtp": lambda content: iter(()),
    "sbgp": groups,
    "sgpd": group_kinds,
}
