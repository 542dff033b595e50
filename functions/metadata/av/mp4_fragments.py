"""How long an MP4 in fragments lasts: its table of contents only begins the story.

Source: ISO/IEC 14496-12, 8.8 and 8.16.
"""

import struct

from functions.metadata.av.mp4_tracks import Times, Track
from functions.metadata.blocks import BLOCK, Blocks
from functions.metadata.boxes import Box, below, boxes, content, inside

_MAX_RUNS = 256
_MAX_FRAGMENTS = 64  # of other tracks, behind the last one of a track
_HAS_OFFSET, _HAS_FIRST_FLAGS, _HAS_DURATIONS = 1, 4, 0x100
_PER_SAMPLE = (0x100, 0x200, 0x400, 0x800)  # flags of four fields of four bytes


def fragments_last(blocks: Blocks, movie: Box, times: Times, track: Track) -> float:
    """Return seconds: as a header says, an index, or the last fragment.

    Where none can be found it is estimated from the first fragments.
    """
    return (
        _by_header(blocks, movie, times)
        or _by_index(blocks, movie.end)
        or _by_last(blocks, movie, track)
        or _by_first(blocks, movie, track)
    )


def _by_header(blocks: Blocks, movie: Box, times: Times) -> float:
    box = below(blocks, movie, b"mvex", b"mehd")
    header = content(blocks, box, 12) if box else b""
    wide = header[:1] == b"\1"
    length = int.from_bytes(header[4:12] if wide else header[4:8], "big")
    return Times(times.scale, length).seconds


def _by_index(blocks: Blocks, at: int) -> float:
    """Return how long the segments last that an index in front lists, if all are."""
    for box in boxes(blocks, at, blocks.size_bytes):
        if box.kind in (b"moof", b"mdat"):
            break
        if box.kind == b"sidx":
            return _index(blocks, box)
    return 0


def _index(blocks: Blocks, box: Box) -> float:
    data = content(blocks, box, BLOCK)
    late = 8 if data[0] else 0
    _, scale = struct.unpack_from(">II", data, 4)
    (skipped,) = struct.unpack_from(">Q" if late else ">I", data, 16 + late // 2)
    (count,) = struct.unpack_from(">H", data, 22 + late)
    entries = data[24 + late : 24 + late + 12 * count]
    if len(entries) < 12 * count:
        return 0
    listed = list(struct.iter_unpack(">III", entries))
    covered = box.end + skipped + sum(size & 0x7FFF_FFFF for size, _, _ in listed)
    if covered < blocks.size_bytes - BLOCK:
        return 0  # it is the first fragment's alone
    return Times(scale, sum(length for _, length, _ in listed)).seconds


def _by_last(blocks: Blocks, movie: Box, track: Track) -> float:
    box = _listed_last(blocks, track)
    end = _end(blocks, movie, box, track) if box else 0
    return Times(track.media.scale, end or _seen_last(blocks, movie, track)).seconds


def _listed_last(blocks: Blocks, track: Track) -> Box | None:
    """Return the last fragment of *track* that an index at the end lists."""
    tail = blocks.read_at(blocks.size_bytes - 16, 16)
    size = int.from_bytes(tail[12:], "big")
    if tail[4:8] != b"mfro" or not 16 < size < blocks.size_bytes:
        return None
    at = 0
    for box in boxes(blocks, blocks.size_bytes - size + 8, blocks.size_bytes):
        if box.kind != b"tfra":
            continue
        table = content(blocks, box, BLOCK)
        if int.from_bytes(table[4:8], "big") == track.number:
            at = max(at, _last_offset(table))
    return _fragment(blocks, at)


def _last_offset(table: bytes) -> int:
    wide = table[0] == 1
    (lengths, count) = struct.unpack_from(">II", table, 8)
    width = (16 if wide else 8) + sum((lengths >> shift & 3) + 1 for shift in (0, 2, 4))
    at = 16 + (count - 1) * width
    if not count or at + width > len(table):
        return 0
    return int(struct.unpack_from(">QQ" if wide else ">II", table, at)[1])


def _seen_last(blocks: Blocks, movie: Box, track: Track) -> int:
    """Return where the last fragment of *track* ends if it starts near the end."""
    for back in range(2):
        origin = max(0, (blocks.size_bytes - 1) // BLOCK - back) * BLOCK
        if not blocks.affords(2):
            return 0
        tail = blocks.read_at(origin, blocks.size_bytes - origin)
        at = len(tail)
        for _ in range(_MAX_FRAGMENTS):  # others' may stand behind it
            if (at := tail.rfind(b"moof", 0, at)) < 4:
                break
            box = _fragment(blocks, origin + at - 4)
            if box and (end := _end(blocks, movie, box, track)):
                return end
    return 0


def _fragment(blocks: Blocks, at: int) -> Box | None:
    box = next(boxes(blocks, at, blocks.size_bytes), None) if at else None
    whole = box and box.kind == b"moof" and box.end <= blocks.size_bytes
    return box if whole else None


def _by_first(blocks: Blocks, movie: Box, track: Track) -> float:
    reached, bytes_seen = 0, 0
    for box in boxes(blocks, movie.end, blocks.size_bytes):
        if box.kind == b"moof" and reached and not blocks.affords(2):
            break
        if box.kind == b"moof":
            reached = _end(blocks, movie, box, track) or reached
        elif box.kind == b"mdat" and reached:
            bytes_seen = box.end - movie.end
        if not blocks.affords(1):
            break
    if not bytes_seen:
        return 0
    share = (blocks.size_bytes - movie.end) / bytes_seen
    return Times(track.media.scale, round(reached * share)).seconds


def _end(blocks: Blocks, movie: Box, fragment: Box, track: Track) -> int:
    """Return the time at which *track* stands behind *fragment*; 0 if unknown."""
    for box in inside(blocks, fragment):
        if box.kind != b"traf":
            continue
        parts = list(inside(blocks, box))
        header = _first(blocks, parts, b"tfhd", 32)
        started = _first(blocks, parts, b"tfdt", 12)
        if int.from_bytes(header[4:8], "big") != track.number or not started:
            continue
        base = started[4:12] if started[0] == 1 else started[4:8]
        each = _each(header) or _default(blocks, movie, track)
        runs = [part for part in parts if part.kind == b"trun"][:_MAX_RUNS]
        lengths = (_run(content(blocks, run, 2 * BLOCK), each) for run in runs)
        return int.from_bytes(base, "big") + sum(lengths)
    return 0


def _first(blocks: Blocks, parts: list[Box], kind: bytes, most: int) -> bytes:
    found = next((part for part in parts if part.kind == kind), None)
    return content(blocks, found, most) if found else b""


def _each(header: bytes) -> int:
    """Return how long a sample lasts unless its run says otherwise."""
    flags = int.from_bytes(header[1:4], "big")
    at = 8 + (8 if flags & 1 else 0) + (4 if flags & 2 else 0)
    return int.from_bytes(header[at : at + 4], "big") if flags & 8 else 0


def _default(blocks: Blocks, movie: Box, track: Track) -> int:
    box = below(blocks, movie, b"mvex")
    for part in inside(blocks, box) if box else ():
        data = content(blocks, part, 24)
        if part.kind == b"trex" and int.from_bytes(data[4:8], "big") == track.number:
            return int.from_bytes(data[12:16], "big")
    return 0


def _run(data: bytes, each: int) -> int:
    flags, count = int.from_bytes(data[1:4], "big"), int.from_bytes(data[4:8], "big")
    if not flags & _HAS_DURATIONS:
        return count * each
    at = 8 + (4 if flags & _HAS_OFFSET else 0) + (4 if flags & _HAS_FIRST_FLAGS else 0)
    width = 4 * sum(bool(flags & flag) for flag in _PER_SAMPLE)
    ends = range(at, min(at + count * width, len(data) - width + 1), width)
    return sum(int.from_bytes(data[start : start + 4], "big") for start in ends)
