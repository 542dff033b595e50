"""Films written box by box: two seconds of grey with silence, full of what has to go.

Pictures are real AVC (64 by 48), sound is real AAC, so that any player opens them.
Around them lie titles, places, dates, names and tracks of text and position.

Sources: ISO/IEC 14496-12 and 14496-15; Apple's QuickTime File Format.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from infra.samples.audio import MARKER

_SINCE_1904 = 0x7C25B080  # 1970 as MP4 counts: a date that has to go
_GREY = (
    bytes.fromhex("0000001465888404bc98a000202f2727275d75d75d75d780"),
    bytes.fromhex("00000014658882017f2628000822c9c9c9d75d75d75d75e0"),
)
_SET_UP = bytes.fromhex(
    "0142c00affe100166742c00adc47b011000003000100000300320f1227800100 0568ce0f2c80"
)
_SILENCE = bytes.fromhex("210049900219002380")
_AAC = bytes.fromhex(
    "0319000100041140150000000000fa000000fa0005021210060102",
)
STRAIGHT = (0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
QUARTER_TURN = (0, 0x10000, 0, -0x10000, 0, 0, 48 << 16, 0, 0x40000000)
_TIMESCALE = 1000


@dataclass(frozen=True)
class Track:
    """A track of a film.

    Attributes:
        handler: `vide`, `soun`, `text`, `meta`, …
        coding: its entry in `stsd`.
        samples: as they lie in the file, each a chunk of its own.
        duration_ms: of all samples.
        more: boxes besides `tkhd` and `mdia`.
        tables: boxes besides those that every track has.
    """

    handler: bytes
    coding: bytes
    samples: Sequence[bytes]
    duration_ms: int = 2000
    more: bytes = b""
    tables: bytes = b""
    matrix: tuple[int, ...] = STRAIGHT


def box(kind: bytes, *parts: bytes | int) -> bytes:
    """Return a box; numbers have four bytes."""
    body = b"".join(
        part if isinstance(part, bytes) else struct.pack(">I", part) for part in parts
    )
    return struct.pack(">I4s", len(body) + 8, kind) + body


def pictures(
    frames: int = 50, *, coding: bytes = b"avc1", matrix: tuple[int, ...] = STRAIGHT
) -> Track:
    """Return grey frames, whose coder signs, behind an edit list."""
    entry = picture_coding(coding, box(b"avcC", _SET_UP), box(b"pasp", 1, 1))
    edits = box(b"edts", box(b"elst", 0, 1, 2000, 0, 0x10000))
    samples = [_GREY[index % 2] for index in range(frames)]
    sync = box(b"stss", 0, frames, *range(1, frames + 1))
    shifts = box(b"ctts", 0, 1, frames, 0)
    more = edits + box(b"udta", box(b"name", MARKER))
    tables = sync + shifts
    return Track(b"vide", entry, samples, more=more, tables=tables, matrix=matrix)


def picture_coding(coding: bytes, *boxes: bytes) -> bytes:
    """Return the entry in `stsd` of pictures that say who coded them."""
    signed = bytes([len(MARKER)]) + MARKER.ljust(31, b"\0")
    size = struct.pack(">HHIIIH", 64, 48, 0x480000, 0x480000, 0, 1)
    fields = struct.pack(">6xHHH4s8x", 1, 0, 0, b"jane") + size + signed
    return box(coding, fields, struct.pack(">Hh", 24, -1), *boxes)


def sound(packets: int = 86) -> Track:
    """Return silence in AAC, 44.1 kHz, stereo."""
    fields = struct.pack(">6xHHH4sHHHHI", 1, 0, 0, b"jane", 2, 16, 0, 0, 44_100 << 16)
    entry = box(b"mp4a", fields, box(b"esds", 0, _AAC))
    return Track(b"soun", entry, [_SILENCE] * packets)


def titles(reference: bytes = b"") -> Track:
    """Return a track of text: subtitles, or chapters if another refers to it."""
    text = struct.pack(">H", len(MARKER)) + MARKER
    return Track(b"text", box(b"text", bytes(51), reference), [text, text])


def places() -> Track:
    """Return a camera's track of positions."""
    entry = box(b"gpmd", struct.pack(">6xHI", 1, 0))
    return Track(b"meta", entry, [MARKER, b"more of " + MARKER])


def timecode() -> Track:
    """Return a track that says which reel it was and when."""
    reel = box(b"name", struct.pack(">HH", len(MARKER), 0) + MARKER)
    entry = box(b"tmcd", struct.pack(">6xHIIIIBx", 1, 0, 0, 25, 1, 25), reel)
    return Track(b"tmcd", entry, [struct.pack(">I", 123_456)])


def film(
    *tracks: Track, brand: bytes = b"isom", moov_first: bool = True, tags: bytes = b""
) -> bytes:
    """Return a film whose tracks lie chunk by chunk side by side.

    Args:
        tracks: pictures, sound, text and positions if there are none.
        brand: of the file; empty for QuickTime without a type box.
        tags: more boxes in `udta`.
    """
    tracks = tracks or (pictures(), sound(), titles(), places())
    head = box(b"ftyp", brand, 0x20260401, brand, b"jane") if brand else box(b"wide")
    head += box(b"uuid", bytes(16), b"<x:xmpmeta>" + MARKER) + box(b"free", MARKER)
    chunks = _side_by_side(tracks)
    media = box(b"mdat", MARKER, *(sample for _, sample in chunks), MARKER)
    start = len(head) + 8 + len(MARKER)
    start += len(_movie(tracks, [[] for _ in tracks], tags)) if moov_first else 0
    offsets: list[list[int]] = [[] for _ in tracks]
    ends = accumulate((len(sample) for _, sample in chunks), initial=start)
    for (track, _), at in zip(chunks, ends, strict=False):
        offsets[track].append(at)
    movie = _movie(tracks, offsets, tags)
    return head + (movie + media if moov_first else media + movie)


def _side_by_side(tracks: Sequence[Track]) -> list[tuple[int, bytes]]:
    """Return all samples with the number of their track, in order of time."""
    timed = [
        (index / len(track.samples), number, sample)
        for number, track in enumerate(tracks)
        for index, sample in enumerate(track.samples)
    ]
    return [(number, sample) for _, number, sample in sorted(timed)]


def _movie(tracks: Sequence[Track], offsets: list[list[int]], tags: bytes) -> bytes:
    place = box(b"\xa9xyz", struct.pack(">HH", len(MARKER), 0x15C7) + MARKER)
    loci = box(b"loci", 0, b"\x15\xc7", MARKER + bytes(14), b"earth\0\0")
    described = [
        _track(number, track, places or [0] * len(track.samples))
        for number, (track, places) in enumerate(zip(tracks, offsets, strict=True), 1)
    ]
    return box(
        b"moov",
        _movie_head(len(tracks)),
        *described,
        box(b"udta", place, loci, tags),
        _phone_tags(),
    )


def _phone_tags() -> bytes:
    """Return where a phone was, as QuickTime's named values."""
    name = box(b"mdta", b"com.apple.quicktime.location.ISO6709")
    value = box(struct.pack(">I", 1), box(b"data", 1, 0, MARKER))
    return box(
        b"meta", _handler(b"mdta"), box(b"keys", 0, 1, name), box(b"ilst", value)
    )


def _movie_head(tracks: int, duration_ms: int = 2000) -> bytes:
    dates = (_SINCE_1904, _SINCE_1904)
    matrix = struct.pack(">9i", *STRAIGHT)
    fields = (_TIMESCALE, duration_ms, 0x10000, b"\1\0", bytes(10), matrix, bytes(24))
    return box(b"mvhd", 0, *dates, *fields, tracks + 1)


def _track(number: int, track: Track, offsets: list[int]) -> bytes:
    dates, count = (_SINCE_1904, _SINCE_1904), len(track.samples)
    size = (64 << 16, 48 << 16) if track.handler == b"vide" else (0, 0)
    matrix = struct.pack(">9i", *track.matrix)
    fields = (*dates, number, 0, track.duration_ms, bytes(16), matrix, *size)
    tables = box(
        b"stbl",
        box(b"stsd", 0, 1, track.coding),
        box(b"stts", 0, 1, count, track.duration_ms // count) if count else _none(),
        box(b"stsc", 0, 1, 1, 1, 1),
        box(b"stsz", 0, 0, count, *(len(sample) for sample in track.samples)),
        box(b"stco", 0, count, *offsets),
        track.tables,
    )
    here = box(b"dinf", box(b"dref", 0, 1, box(b"url ", 1)))
    times = box(b"mdhd", 0, *dates, _TIMESCALE, track.duration_ms, 0x15C70000)
    media = {b"vide": box(b"vmhd", 1, bytes(8)), b"soun": box(b"smhd", 0, 0)}
    info = box(b"minf", media.get(track.handler, box(b"nmhd", 0)), here, tables)
    described = box(b"mdia", times, _handler(track.handler), info)
    return box(b"trak", box(b"tkhd", 7, *fields), track.more, described)


def _none() -> bytes:
    return box(b"stts", 0, 0)


def _handler(kind: bytes) -> bytes:
    return box(b"hdlr", 0, 0, kind, bytes(12), MARKER + b"\0")


def fragmented(fragments: int = 2) -> bytes:
    """Return a film in fragments, as streams are recorded: pictures, sound, places."""
    tracks = (pictures(5), sound(9), places())
    empty = [Track(t.handler, t.coding, [], 0) for t in tracks]
    extends = [
        box(b"trex", 0, number, 1, 40, size, 0)
        for number, size in ((1, len(_GREY[0])), (2, 0), (3, 0))
    ]
    movie = box(
        b"moov",
        _movie_head(3, 0),
        *(_track(number, track, []) for number, track in enumerate(empty, 1)),
        box(b"mvex", *extends),
    )
    parts = [_fragment(number, tracks) for number in range(fragments)]
    index = box(
        b"sidx",
        *(0, 1, _TIMESCALE, 0, 0, fragments),
        *(part for p in parts for part in (len(p), 200, 0x90000000)),
    )
    head = box(b"ftyp", b"iso5", 0x20260401, b"iso5dash")
    late = box(b"prft", 0, 1, _SINCE_1904, 0, 0) + box(b"emsg", 0, MARKER)
    before = head + movie + index + late
    return before + b"".join(parts) + _access(len(before), parts)


def _access(start: int, parts: Sequence[bytes]) -> bytes:
    """Return where each fragment starts, for whoever reads from the end."""
    starts = accumulate(map(len, parts), initial=start)
    entries = [
        struct.pack(">IIBBB", number * 200, at, 1, 1, 1)
        for number, (_, at) in enumerate(zip(parts, starts, strict=False))
    ]
    track = box(b"tfra", 0, 1, 0, len(parts), *entries)
    return box(b"mfra", track, box(b"mfro", 0, len(track) + 24))


def _fragment(number: int, tracks: Sequence[Track]) -> bytes:
    def parts(start: int) -> list[bytes]:
        sizes = [sum(map(len, track.samples)) for track in tracks]
        starts = accumulate(sizes, initial=start)
        return [
            _run(index, number, track, at)
            for index, (track, at) in enumerate(zip(tracks, starts, strict=False), 1)
        ]

    head = box(b"mfhd", 0, number + 1)
    start = len(box(b"moof", head, *parts(0))) + 8
    samples = [sample for track in tracks for sample in track.samples]
    return box(b"moof", head, *parts(start)) + box(b"mdat", *samples, MARKER)


def _run(index: int, number: int, track: Track, at: int) -> bytes:
    """Return a part of a fragment; only sizes that differ are written."""
    sizes = [len(sample) for sample in track.samples] if index > 1 else []
    count = len(track.samples)
    return box(
        b"traf",
        box(b"tfhd", 0x20000, index),
        box(b"tfdt", 0, number * 200),
        box(b"trun", 0x201 if sizes else 0x1, count, at, *sizes),
        box(b"uuid", bytes(16), MARKER),
    )
