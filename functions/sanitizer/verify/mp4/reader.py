"""Names what an MP4 file carries besides sound and pictures: the file and its boxes."""

import os
import struct
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from functions.sanitizer.verify.mp4.chunks import Chunks
from functions.sanitizer.verify.mp4.fragments import Fragments
from functions.sanitizer.verify.mp4.index import access, segments
from functions.sanitizer.verify.mp4.movie import Movie

_PIECE = 1 << 18
_MAX_TABLES = 1 << 27
_INDEXES = {b"sidx": segments, b"mfra": access}
_BRANDS = frozenset(
    b"M4A |M4B |M4P |M4V |M4VH|M4VP|mp21|mp41|mp42|mp71|isom|iso2|iso3|iso4|iso5|iso6|"
    b"iso7|iso8|iso9|avc1|hvc1|hev1|av01|vp09|3gp1|3gp2|3gp3|3gp4|3gp5|3gp6|3gp7|3gp8|"
    b"3gp9|3gr6|3gs6|3ge6|3gg6|3g2a|3g2b|3g2c|dash|msdh|msix|cmfc|cmf2|isoa|dby1|"
    b"qt  |MSNV|NDAS|F4A |F4V |f4v |\0\0\0\0".split(b"|")
)


class _Part(NamedTuple):
    kind: bytes
    at: int
    content: int
    end: int


def sound_carriers(stream: BinaryIO) -> Iterator[str]:
    """Yield the name of every carrier in a file that may hold no pictures."""
    yield from _carriers(stream, handlers=("soun",))


def film_carriers(stream: BinaryIO) -> Iterator[str]:
    """Yield the name of every carrier."""
    yield from _carriers(stream, handlers=("soun", "vide"))


def _carriers(stream: BinaryIO, *, handlers: tuple[str, ...]) -> Iterator[str]:
    parts = list(_parts(stream))
    tables = [part for part in parts if part.kind == b"moov"]
    if len(tables) != 1:
        yield f"{len(tables)} tables of contents"
        return
    chunks = Chunks()
    movie = Movie(_content(stream, tables[0]), handlers)
    yield from movie.carriers(chunks)
    extends = movie.extends()
    fragments = Fragments(extends, chunks)
    for part in parts:
        if part.kind == b"moof":
            yield from fragments.carriers(_content(stream, part), part.at)
        elif part.kind not in (b"moov", b"mdat"):
            yield from _other(stream, part, fragmented=bool(extends))
    media = [(part.content, part.end) for part in parts if part.kind == b"mdat"]
    yield from _unreferenced(stream, chunks.gaps(media))


def _parts(stream: BinaryIO) -> Iterator[_Part]:
    size, at = stream.seek(0, os.SEEK_END), 0
    while at < size:
        stream.seek(at)
        head = stream.read(16)
        length, kind = struct.unpack_from(">I4s", head)
        content, end = at + 8, size if length == 0 else at + length
        if length == 1:
            content, end = at + 16, at + int(struct.unpack_from(">Q", head, 8)[0])
        if kind in (b"mdat", b"sidx"):  # may be cut
            end = min(end, size)
        if end < content or end > size:
            yield _Part(b"", at, at, size)  # bytes that are no box
            return
        yield _Part(kind, at, content, end)
        at = end


def _content(stream: BinaryIO, part: _Part) -> memoryview:
    stream.seek(part.content)
    return memoryview(stream.read(min(part.end - part.content, _MAX_TABLES)))


def _other(stream: BinaryIO, part: _Part, *, fragmented: bool) -> Iterator[str]:
    if part.kind == b"ftyp":
        yield from _brands(bytes(_content(stream, part)))
    elif part.kind in _INDEXES and fragmented:
        yield from _INDEXES[part.kind](_content(stream, part))
    elif part.kind != b"free":
        yield f"box {part.kind!r} at {part.at}"
    else:
        yield from _unreferenced(stream, iter([(part.content, part.end)]))


def _brands(content: bytes) -> Iterator[str]:
    brands = [content[at : at + 4] for at in range(0, len(content), 4)]
    if not _BRANDS.issuperset(brands) or any(content[4:8]) or len(brands) > 66:
        yield "brands"


def _unreferenced(stream: BinaryIO, gaps: Iterator[tuple[int, int]]) -> Iterator[str]:
    """Name the first bytes in *gaps* that are not zero: one is enough."""
    at, piece = 0, b""
    for begin, end in gaps:
        start = begin
        while start < end:
            if not at <= start < at + len(piece):
                stream.seek(start)
                at, piece = start, stream.read(_PIECE)
            stop = min(end, at + len(piece))
            if piece.count(0, start - at, stop - at) != stop - start or not piece:
                yield f"bytes at {start} that belong to no track"
                return
            start = stop
