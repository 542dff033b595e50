"""What `moov` of an animated AVIF or a HEIF sequence may say."""

import struct
from collections.abc import Iterator

from functions.sanitizer.verify.heif import av1, hevc
from functions.sanitizer.verify.heif.boxes import Part, parts
from functions.sanitizer.verify.heif.properties import property_carriers

_UPRIGHT = struct.pack(">9i", 65536, 0, 0, 0, 65536, 0, 0, 0, 1 << 30)
_NAMELESS = bytes(13)
_HERE = bytes.fromhex("00000000000000010000000c75726c2000000001")
_CHILDREN: dict[bytes, tuple[bytes, ...]] = {
    b"trak": (b"tkhd", b"edts", b"tref", b"mdia"),
    b"edts": (b"elst",),
    b"mdia": (b"mdhd", b"hdlr", b"minf"),
    b"minf": (b"vmhd", b"dinf", b"stbl"),
    b"dinf": (b"dref",),
    b"stbl": (b"stsd", b"stts", b"ctts", b"stss", b"stsc", b"stsz", b"stco"),
}
_ENTRY_HEAD = bytes(6) + b"\0\1" + bytes(16)
_ENTRY_TAIL = struct.pack(">IIIH32xHh", 72 << 16, 72 << 16, 0, 1, 24, -1)


class Film:
    """Where the samples of all tracks lie; known after `film_carriers`."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.extents: list[tuple[int, int]] = []


def film_carriers(film: Film, movie: Part) -> Iterator[str]:
    """Name what is in `moov` beside pictures and their times."""
    header, *tracks = parts(movie.content)
    yield from _movie_header(header, len(tracks))
    if not 1 <= len(tracks) <= 2:
        yield "more tracks than a film and its alpha"
    for number, track in enumerate(tracks, 1):
        if track.kind != b"trak":
            yield f"box {track.kind!r} beside the tracks"
        boxes: dict[bytes, Part] = {}
        yield from _collect(track, boxes)
        yield from _track(boxes, number)
        yield from _samples(film, boxes)


def _collect(parent: Part, boxes: dict[bytes, Part]) -> Iterator[str]:
    for part in parts(parent.content):
        if part.kind not in _CHILDREN[parent.kind] or part.kind in boxes:
            yield f"box {part.kind!r} in {parent.kind!r}"
        boxes[part.kind] = part
        if part.kind in _CHILDREN:
            yield from _collect(part, boxes)


def _wide(content: bytes, lengths: tuple[int, int]) -> int:
    """Return the version of a header; its times have to be zero.

    Raises:
        ValueError: it is longer or dated.
    """
    version = content[0]
    times = content[4 : 20 if version else 12]
    if version > 1 or len(content) != lengths[version] or any(times):
        raise ValueError("a header with a date")
    return version


def _movie_header(part: Part, tracks: int) -> Iterator[str]:
    content = part.content
    _wide(content, (100, 112))
    rest = struct.pack(">IH10x", 65536, 256) + _UPRIGHT + bytes(24)
    if content[-80:] != rest + struct.pack(">I", tracks + 1) or any(content[1:4]):
        yield "a film's header with more in it"


def _track(boxes: dict[bytes, Part], number: int) -> Iterator[str]:
    header = boxes[b"tkhd"].content
    wide = _wide(header, (84, 96))
    ident = header[20:28] if wide else header[12:20]
    if ident != struct.pack(">II", number, 0) or any(header[-60:-52]):
        yield "a track's header with more in it"
    if any(header[1:3]) or header[3] > 15 or any(header[-48:-44]):
        yield "a track's header with more in it"
    media = boxes[b"mdhd"].content
    _wide(media, (24, 36))
    if media[-4:] != b"\x55\xc4\0\0" or any(media[1:4]):
        yield "a track with a language"
    handler = boxes[b"hdlr"].content
    kind = handler[8:12]
    if handler != bytes(8) + kind + _NAMELESS or kind not in _handlers(number):
        yield "a track with a name"
    if boxes[b"vmhd"].content != b"\0\0\0\1" + bytes(8):
        yield "a track with colours of its own"
    if boxes[b"dref"].content != _HERE:
        yield "a track in another file"
    yield from _optional(boxes, number)


def _handlers(number: int) -> tuple[bytes, ...]:
    return (b"auxv",) if number == 2 else (b"pict", b"vide")


def _optional(boxes: dict[bytes, Part], number: int) -> Iterator[str]:
    expected = {1: (b"prem", 2), 2: (b"auxl", 1)}[number]
    if b"tref" in boxes:
        for part in parts(boxes[b"tref"].content):
            if (part.kind, part.content) != (
                expected[0],
                struct.pack(">I", expected[1]),
            ):
                yield "a reference to no track"
    if b"elst" in boxes:
        content = boxes[b"elst"].content
        (count,) = struct.unpack_from(">I", content, 4)
        size = 20 if content[0] else 12
        if len(content) != 8 + size * count or count > 64 or content[1:3] != b"\0\0":
            yield "a list of edits with more in it"


def _samples(film: Film, boxes: dict[bytes, Part]) -> Iterator[str]:
    sizes = boxes[b"stsz"].content
    same, count = struct.unpack_from(">II", sizes, 4)
    lengths = struct.unpack(f">{count}I", sizes[12:])
    (start,) = struct.unpack(">I", boxes[b"stco"].content[8:])
    row = struct.pack(">IIIII", 0, 1, 1, count, 1)
    if boxes[b"stsc"].content != row or same or any(sizes[:4]):
        yield "samples that lie in several places"
    if boxes[b"stco"].content[:8] != struct.pack(">II", 0, 1):
        yield "samples that lie in several places"
    yield from _tables(boxes, count)
    kind, record, found = _entry(boxes[b"stsd"].content)
    yield from found
    walker = av1 if kind == b"av01" else hevc
    for length in lengths:
        film.extents.append((start, start + length))
        stored = film.data[start : start + length]
        yield from walker.picture_carriers(stored, record)
        start += length


def _tables(boxes: dict[bytes, Part], count: int) -> Iterator[str]:
    for kind in (b"stts", b"ctts"):
        if kind in boxes:
            content = boxes[kind].content
            runs = list(struct.iter_unpack(">II", content[8:]))
            listed = int.from_bytes(content[4:8], "big")
            counted = sum(run[0] for run in runs)
            if (listed, counted) != (len(runs), count) or any(content[1:4]):
                yield "times of no picture"
    if b"stss" in boxes:
        content = boxes[b"stss"].content
        numbers = [n for (n,) in struct.iter_unpack(">I", content[8:])]
        rising = numbers == sorted(set(numbers)) and all(
            0 < n <= count for n in numbers
        )
        if int.from_bytes(content[:8], "big") != len(numbers) or not rising:
            yield "a table of pictures that are none"


def _entry(content: bytes) -> tuple[bytes, bytes, list[str]]:
    """Return coding and configuration, and what else is in the sample description."""
    (entry,) = parts(content[8:])
    found: list[str] = []
    head, tail = entry.content[:24], entry.content[28:78]
    if content[:8] != struct.pack(">II", 0, 1) or head != _ENTRY_HEAD:
        found.append("a sample description with more in it")
    if tail != _ENTRY_TAIL or entry.kind not in (b"av01", b"hvc1"):
        found.append("a sample description with a name")
    record = b""
    for part in parts(entry.content[78:]):
        if part.kind in (b"av1C", b"hvcC"):
            record = part.content
        if part.kind == b"ccst":
            if len(part.content) != 8 or any(part.content[:4] + part.content[5:]):
                found.append("constraints with more in them")
        else:
            found += property_carriers(part)
    return entry.kind, record, found
