"""Names what an MP4 file carries besides its sound: the file and its boxes."""

import os
import struct
from bisect import bisect_left
from collections.abc import Iterator
from typing import BinaryIO

from functions.sanitizer.verify.mp4_movie import Movie

_PIECE = 1 << 20
_MAX_MOVIE = 1 << 27
_BRANDS = frozenset(
    b"M4A |M4B |M4P |M4V |mp41|mp42|mp71|isom|iso2|iso3|iso4|iso5|iso6|avc1|3gp4|3gp5|"
    b"3gp6|3gp7|3g2a|3g2b|3g2c|dash|qt  |MSNV|NDAS|F4A |f4v |\0\0\0\0".split(b"|")
)


def mp4_carriers(stream: BinaryIO) -> Iterator[str]:
    """Yield the name of every carrier."""
    size = stream.seek(0, os.SEEK_END)
    media: list[tuple[int, int]] = []
    movies: list[Movie] = []
    at = 0
    while at < size:
        stream.seek(at)
        head = stream.read(16)
        length, kind = struct.unpack_from(">I4s", head)
        wide = length == 1
        end = size if length == 0 else at + length
        if wide:
            end = at + int(struct.unpack_from(">Q", head, 8)[0])
        start = at + (16 if wide else 8)
        if end < start or (end > size and kind != b"mdat"):
            yield f"bytes at {at} that are no box"
            return
        if kind == b"mdat":
            media.append((start, min(end, size)))
        elif kind == b"moov":
            movies.append(Movie(_content(stream, start, min(end, start + _MAX_MOVIE))))
        else:
            yield from _other(stream, kind, start, end, first=at == 0)
        at = end
    if len(movies) != 1:
        yield f"{len(movies)} tables of contents"
        return
    yield from movies[0].carriers()
    yield from _unreferenced(stream, media, movies[0])


def _content(stream: BinaryIO, start: int, end: int) -> bytes:
    stream.seek(start)
    return stream.read(end - start)


def _other(
    stream: BinaryIO, kind: bytes, start: int, end: int, *, first: bool
) -> Iterator[str]:
    if kind == b"ftyp" and first:
        content = _content(stream, start, min(end, start + 4096))
        brands = [content[at : at + 4] for at in range(0, len(content), 4)]
        if not _BRANDS.issuperset(brands) or any(content[4:8]):
            yield "brands"
    elif kind != b"free":
        yield f"box {kind!r}"
    elif not _blank(stream, start, end):
        yield "free space that is not empty"


def _blank(stream: BinaryIO, start: int, end: int) -> bool:
    stream.seek(start)
    while start < end:
        piece = stream.read(min(_PIECE, end - start))
        if piece.count(0) != len(piece) or not piece:
            return False
        start += len(piece)
    return True


def _unreferenced(
    stream: BinaryIO, media: list[tuple[int, int]], movie: Movie
) -> Iterator[str]:
    """Look at the bytes of `mdat` between the chunks of sound."""
    chunks = sorted(movie.chunks())
    for start, end in media:
        at = start
        for index in range(bisect_left(chunks, (start, 0)), len(chunks)):
            chunk, chunk_end = chunks[index]
            if chunk >= end:
                break
            if not _blank(stream, at, max(at, chunk)):
                yield f"bytes at {at} that belong to no track"
            at = max(at, chunk_end)
        if not _blank(stream, at, max(at, end)):
            yield f"bytes at {at} that belong to no track"
