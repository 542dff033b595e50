"""Writes `moov` anew: the film and its alpha, dated 1904 and without names."""

import struct
from collections.abc import Callable

from functions.sanitizer.images.heif.movie import Movie, Track
from functions.sanitizer.images.heif.samples import placed
from functions.sanitizer.images.isobmff import full, packed

_UPRIGHT = struct.pack(">9i", 1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30)
_UNDETERMINED = 0x55C4  # the language `und`
_LONG = 1 << 32


def movie_box(
    movie: Movie, place_row: Callable[[list[bytes]], int]
) -> Callable[[int], bytes]:
    """Return what writes `moov` once it is known where `mdat`'s content begins.

    Args:
        place_row: stores samples in a row and returns where that begins.
    """
    rows = [(track, place_row(track.samples)) for track in movie.tracks]

    def written(start: int) -> bytes:
        if not rows:
            return b""
        traks = [
            _track(movie, index, start + offset)
            for index, (_, offset) in enumerate(rows, 1)
        ]
        return packed(b"moov", _header(movie), *traks)

    return written


def _header(movie: Movie) -> bytes:
    wide = movie.duration >= _LONG
    times = _times(wide) + struct.pack(">I", movie.timescale)
    rate_and_volume = struct.pack(">IH10x", 1 << 16, 1 << 8)
    following = struct.pack(">24xI", len(movie.tracks) + 1)
    duration = _number(movie.duration, wide)
    rest = rate_and_volume + _UPRIGHT + following
    return full(b"mvhd", times, duration, rest, version=wide)


def _times(wide: bool) -> bytes:
    return bytes(16 if wide else 8)


def _number(value: int, wide: bool) -> bytes:
    return value.to_bytes(8 if wide else 4, "big")


def _track(movie: Movie, number: int, start: int) -> bytes:
    track = movie.tracks[number - 1]
    flags, duration, fields = track.header
    wide = duration >= _LONG
    ident = struct.pack(">I4x", number)
    length = _number(duration, wide) + bytes(8)
    head = full(b"tkhd", _times(wide), ident, length, fields, version=wide, flags=flags)
    edits = packed(b"edts", track.edits) if track.edits else b""
    return packed(
        b"trak", head, edits, _references(movie, number), _media(track, start)
    )


def _references(movie: Movie, number: int) -> bytes:
    if number == 2:
        return packed(b"tref", packed(b"auxl", struct.pack(">I", 1)))
    if movie.tracks[0].premultiplied:
        return packed(b"tref", packed(b"prem", struct.pack(">I", 2)))
    return b""


def _media(track: Track, start: int) -> bytes:
    timescale, duration = track.media
    wide = duration >= _LONG
    times = _times(wide) + struct.pack(">I", timescale) + _number(duration, wide)
    language = struct.pack(">HH", _UNDETERMINED, 0)
    here = packed(b"dinf", full(b"dref", struct.pack(">I", 1), full(b"url ", flags=1)))
    information = full(b"vmhd", bytes(8), flags=1) + here + _samples(track, start)
    return packed(
        b"mdia",
        full(b"mdhd", times, language, version=wide),
        full(b"hdlr", bytes(4), track.handler, bytes(13)),
        packed(b"minf", information),
    )


def _samples(track: Track, start: int) -> bytes:
    size, inside = track.entry
    # 72 dpi, one frame, no name of a compressor, 24 bits
    middle = struct.pack(">IIIH32xHh", 72 << 16, 72 << 16, 0, 1, 24, -1)
    entry = packed(track.kind, struct.pack(">6xH16x", 1), size, middle, inside)
    described = full(b"stsd", struct.pack(">I", 1), entry)
    return packed(b"stbl", described, track.tables, placed(track.samples)(start))
