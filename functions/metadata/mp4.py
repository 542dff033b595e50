"""MP4 and M4A: the table of contents and all the sound it speaks of must be there.

Source: ISO/IEC 14496-12.
"""

import struct
from collections.abc import Iterator
from typing import NamedTuple

from functions.metadata.blocks import Blocks
from functions.metadata.errors import cut_off, unreadable
from functions.metadata.sound import Sound

_MAX_BOXES = 1 << 12
_STILLS = (b"jpeg", b"png ", b"gif ", b"tiff", b"mjpa", b"mjpb")


class _Box(NamedTuple):
    kind: bytes
    start: int
    end: int


def measure_mp4(blocks: Blocks) -> Sound | None:
    """Return the facts of a file with sound; None of a film or a stream of fragments.

    Raises:
        Rejected: a part of it is missing.
    """
    movie, media_bytes = _movie(blocks)
    inside = list(_boxes(blocks, movie.start, movie.end))
    tracks = [box for box in inside if box.kind == b"trak"]
    handlers = [_handler(blocks, track) for track in tracks]
    if b"vide" in handlers or any(box.kind == b"mvex" for box in inside):
        return None
    if b"soun" not in handlers:
        raise unreadable("The file holds no sound.")
    track = tracks[handlers.index(b"soun")]
    if _end_of_samples(blocks, track) > blocks.size_bytes:
        raise cut_off()
    sound = Sound.by_tinytag(blocks, "m4a")
    if not sound.samplerate:
        sound = sound.model_copy(update=_coding(blocks, track))
    return sound if sound.bitrate else sound.averaged(media_bytes)


def _coding(blocks: Blocks, track: _Box) -> dict[str, int | None]:
    """Return what the description of the coding says: tinytag knows only some."""
    table = _below(blocks, track, b"mdia", b"minf", b"stbl", b"stsd")
    entry = blocks.read_at(table.start + 16, 28) if table else b""
    if len(entry) < 28:
        return {}
    channels, rate = struct.unpack_from(">H6xH", entry, 16)
    return {"channels": channels or None, "samplerate": rate or None}


def _movie(blocks: Blocks) -> tuple[_Box, int]:
    """Return the table of contents, and how many bytes of sound there are."""
    movie, media_bytes = None, 0
    for box in _boxes(blocks, 0, blocks.size_bytes):
        if box.kind in (b"mdat", b"moov") and box.end > blocks.size_bytes:
            raise cut_off()
        media_bytes += box.end - box.start if box.kind == b"mdat" else 0
        movie = box if box.kind == b"moov" else movie
    if movie is None:
        raise cut_off()
    return movie, media_bytes


def _boxes(blocks: Blocks, at: int, end: int) -> Iterator[_Box]:
    for _ in range(_MAX_BOXES):
        head = blocks.read_at(at, min(16, end - at))
        if len(head) < 8:
            return
        size, kind = struct.unpack_from(">I4s", head)
        header = 8
        if size == 1 and len(head) == 16:
            (size,), header = struct.unpack_from(">Q", head, 8), 16
        if size == 0:
            size = end - at
        if size < header:
            return
        yield _Box(kind, at + header, at + size)
        at += size


def _handler(blocks: Blocks, track: _Box) -> bytes:
    """Return what a track is; the covers of chapters are not `vide`."""
    box = _below(blocks, track, b"mdia", b"hdlr")
    handler = blocks.read_at(box.start + 8, 4) if box else b""
    coding = _below(blocks, track, b"mdia", b"minf", b"stbl", b"stsd")
    if handler != b"vide" or coding is None:
        return handler
    return b"" if blocks.read_at(coding.start + 12, 4) in _STILLS else handler


def _below(blocks: Blocks, box: _Box, *path: bytes) -> _Box | None:
    """Return the first box at *path* below *box*."""
    for kind in path:
        inside = _boxes(blocks, box.start, box.end)
        found = next((child for child in inside if child.kind == kind), None)
        if found is None:
            return None
        box = found
    return box


def _end_of_samples(blocks: Blocks, track: _Box) -> int:
    """Return where the last chunk ends, by the ends of the sample tables."""
    table = _below(blocks, track, b"mdia", b"minf", b"stbl")
    inside = _boxes(blocks, table.start, table.end) if table else ()
    tables = {box.kind: box for box in inside}
    for kind, width in ((b"stco", 4), (b"co64", 8)):
        if kind in tables:
            offset = _last(blocks, tables[kind], width, 8)
            break
    else:
        return 0
    samples = _last(blocks, tables[b"stsc"], 12, 8) >> 32 & 0xFFFF_FFFF
    return offset + _size_of_last(blocks, tables[b"stsz"], min(samples, _MAX_BOXES))


def _last(blocks: Blocks, table: _Box, width: int, head: int) -> int:
    """Return the last entry of a table as one number; 0 if it is empty."""
    count = int.from_bytes(blocks.read_at(table.start + head - 4, 4), "big")
    at = table.start + head + (count - 1) * width
    return int.from_bytes(blocks.read_at(at, width), "big") if count else 0


def _size_of_last(blocks: Blocks, table: _Box, samples: int) -> int:
    same, count = struct.unpack(">II", blocks.read_at(table.start + 4, 8))
    if same:
        return int(same) * samples
    samples = min(samples, count)
    sizes = blocks.read_at(table.start + 12 + 4 * (count - samples), 4 * samples)
    return sum(entry[0] for entry in struct.iter_unpack(">I", sizes))
