"""Names what the table of contents of an MP4 file carries besides its sound."""

import struct
from collections.abc import Callable, Iterator
from itertools import chain, repeat

_TREE: dict[str, str] = {
    "moov": "mvhd trak free",
    "trak": "tkhd edts mdia free",
    "edts": "elst free",
    "mdia": "mdhd hdlr minf free",
    "minf": "smhd dinf stbl free",
    "dinf": "dref free",
    "stbl": "stsd stts ctts stsc stsz stco co64 sgpd sbgp free",
    "wave": "frma mp4a alac esds enda free",
}
_CODINGS = ("mp4a", "alac", "Opus", "fLaC", "ac-3", "ec-3", ".mp3", "samr", "sawb")
_SET_UPS = {"alac": 52, "dOps": 21, "dfLa": 42, "dac3": 3, "dec3": 32, "damr": 9}
_SET_UPS |= {"btrt": 12, "frma": 4, "enda": 2, "mp4a": 4}
_ENTRIES = {"stts": 8, "ctts": 8, "stsc": 12, "stco": 4, "co64": 8}

Item = tuple[str, bytes]


def _inside(content: bytes) -> Iterator[Item]:
    """Return the boxes of *content*; zeros at its end are no box."""
    at = 0
    while at < len(content):
        head = content[at : at + 8]
        end = at + int.from_bytes(head[:4], "big")
        if not any(head) and not any(content[at:]):
            return
        if len(head) < 8 or not at + 8 <= end <= len(content):
            yield "", content[at:]
            return
        yield head[4:].decode("latin-1"), content[at + 8 : end]
        at = end


class Movie:
    """A `moov` box.

    Args:
        content: its bytes without the header.
    """

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._tracks: list[dict[str, bytes]] = []

    def carriers(self) -> Iterator[str]:
        """Yield the name of every carrier in it."""
        yield from self._children("moov", self._content)
        if not self._tracks:
            yield "no track"

    def chunks(self) -> Iterator[tuple[int, int]]:
        """Yield where each chunk of sound starts and ends. Call carriers first."""
        for tables in self._tracks:
            yield from _chunks(tables)

    def _children(self, parent: str, content: bytes) -> Iterator[str]:
        seen: list[str] = []
        for kind, inner in _inside(content):
            if kind not in _TREE[parent].split() or kind in seen:
                yield f"box {parent}/{kind!r}"
                continue
            seen += [kind] if kind not in ("trak", "free") else []
            if kind in _TREE:
                yield from self._children(kind, inner)
            else:
                yield from (f"{kind}: {fault}" for fault in _LEAVES[kind](inner))
        if parent == "stbl":
            self._tracks.append(dict(_inside(content)))


def _free(content: bytes) -> Iterator[str]:
    if any(content):
        yield "not empty"


def _dated(length: int, blank: tuple[slice, ...]) -> Callable[[bytes], Iterator[str]]:
    """Return a check of a header with two times; *length* is that of version 0."""

    def check(content: bytes) -> Iterator[str]:
        wide = content[0] == 1
        dates = content[4 : 20 if wide else 12]
        # Version 1 has three fields of 8 bytes instead of 4; ends are the same.
        whole = content[: length + (12 if wide else 0)]
        if content[0] > 1 or any(content[len(whole) :]) or any(dates):
            yield "times or leftovers"
        if any(any(whole[part]) for part in blank):
            yield "reserved fields"

    return check


def _handler(content: bytes) -> Iterator[str]:
    if content[8:12] != b"soun" or content[4:8] not in (b"\0\0\0\0", b"mhlr"):
        yield f"handler {content[8:12]!r}"
    if any(content[12:]):
        yield "a name"


def _language(content: bytes) -> Iterator[str]:
    yield from _dated(24, ())(content)
    if content[32 if content[0] else 20 :][:4] != b"\x55\xc4\0\0":
        yield "a language"


def _balance(content: bytes) -> Iterator[str]:
    yield from _free(content[6:])


def _references(content: bytes) -> Iterator[str]:
    for kind, entry in _inside(content[8:]):
        if kind not in ("url ", "alis", "rsrc") or not entry[3] & 1 or any(entry[4:]):
            yield f"reference {kind!r}"


def _table(entry: int, head: int = 8) -> Callable[[bytes], Iterator[str]]:
    def check(content: bytes) -> Iterator[str]:
        (count,) = struct.unpack_from(">I", content, head - 4)
        if head + count * entry > len(content) or any(content[head + count * entry :]):
            yield "entries and length differ"

    return check


def _edits(content: bytes) -> Iterator[str]:
    return _table(20 if content[0] == 1 else 12)(content)


def _sizes(content: bytes) -> Iterator[str]:
    return _table(0 if any(content[4:8]) else 4, 12)(content)


def _groups(content: bytes) -> Iterator[str]:
    if content[:1] + content[4:8] not in (b"\0roll", b"\0prol"):
        yield "groups of samples"
    yield from _table(8, 12)(content)


def _group_kinds(content: bytes) -> Iterator[str]:
    if content[:1] + content[4:8] not in (b"\1roll", b"\1prol"):
        yield "groups of samples"
    if content[8:12] != b"\0\0\0\2":
        yield "long descriptions of groups"
    yield from _table(2, 16)(content)


def _descriptions(content: bytes) -> Iterator[str]:
    for coding, entry in _inside(content[8:]):
        version = int.from_bytes(entry[8:10], "big")
        if coding not in _CODINGS or any(entry[:6]) or any(entry[10:16]):
            yield f"coding {coding!r} or its vendor"
            return
        yield from _set_up(entry[28 + {1: 16, 2: 36}.get(version, 0) :])


def _set_up(content: bytes) -> Iterator[str]:
    for kind, inner in _inside(content):
        if kind == "wave":
            yield from _set_up(inner)
        elif kind == "esds":
            yield from _stream(inner)
        elif kind == "free":
            yield from _free(inner)
        elif len(inner) > _SET_UPS.get(kind, -1):
            yield f"set-up {kind!r}"
        if kind == "damr" and any(inner[:4]):
            yield "vendor"


def _stream(content: bytes) -> Iterator[str]:
    """Flatten the descriptors: 3, 4, perhaps 5, perhaps 6, with known lengths."""
    rest, tags = content[4:], ""
    end = len(rest)
    while rest:
        tag, at, size = rest[0], 1, 0
        while at < 5:
            size, at = size << 7 | rest[at] & 0x7F, at + 1
            if not rest[at - 1] & 0x80:
                break
        if not tags:
            end = at + size
            yield from _free(rest[end:])
            rest = rest[:end]
        if size > {3: 1 << 12, 4: 96, 5: 64, 6: 16}.get(tag, -1):
            yield f"descriptor {tag} of {size} bytes"
            return
        tags += str(tag)
        # Those that contain others are left behind their own fields.
        rest = rest[at + {3: 3, 4: 13}.get(tag, size) :]
    if tags not in ("345", "3456", "34", "346"):
        yield f"descriptors {tags}"


def _chunks(tables: dict[str, bytes]) -> Iterator[tuple[int, int]]:
    wide = "co64" in tables and "stco" not in tables
    offsets = _rows(tables["co64" if wide else "stco"], ">Q" if wide else ">I")
    same, count = struct.unpack_from(">II", tables["stsz"], 4)
    sizes = (
        list(struct.unpack_from(f">{count}I", tables["stsz"], 12)) if not same else []
    )
    runs = _rows(tables["stsc"], ">III")
    following = [*(run[0] for run in runs[1:]), None]
    samples = chain.from_iterable(
        repeat(run[1], end - run[0]) if end is not None else repeat(run[1])
        for run, end in zip(runs, following, strict=False)
    )
    first = 0
    for (offset,), number in zip(offsets, samples, strict=False):
        length = same * number if same else sum(sizes[first : first + number])
        first += number
        yield offset, offset + length


def _rows(table: bytes, layout: str) -> list[tuple[int, ...]]:
    (count,) = struct.unpack_from(">I", table, 4)
    return list(
        struct.iter_unpack(layout, table[8 : 8 + count * struct.calcsize(layout)])
    )


_LEAVES: dict[str, Callable[[bytes], Iterator[str]]] = {
    "free": _free,
    "mvhd": _dated(100, (slice(-74, -64), slice(-28, -4))),
    "tkhd": _dated(84, ()),
    "mdhd": _language,
    "hdlr": _handler,
    "smhd": _balance,
    "dref": _references,
    "elst": _edits,
    "stsd": _descriptions,
    "stsz": _sizes,
    "sbgp": _groups,
    "sgpd": _group_kinds,
    **{kind: _table(entry) for kind, entry in _ENTRIES.items()},
}
