"""What an MP4's table of contents says of its tracks.

Source: ISO/IEC 14496-12, 8.2 to 8.7.
"""

import struct
from typing import NamedTuple

from functions.metadata.blocks import Blocks
from functions.metadata.boxes import MAX_BOXES, Box, below, content, inside

_STILLS = (b"jpeg", b"png ", b"gif ", b"tiff", b"mjpa", b"mjpb")
_MATRIX, _IDENTITY = ">9i", (1 << 16, 0, 0, 1 << 16)
_MAX_TRACKS = 64
_MOST_ADDED = 1 << 13  # samples: half a block of sizes


class Times(NamedTuple):
    """How many units of time a second has, and how many of them it lasts."""

    scale: int
    length: int

    @property
    def seconds(self) -> float:
        """The length; 0 where it is not told."""
        return self.length / self.scale if self.scale else 0.0


class Track(NamedTuple):
    """One track: *box* is its `trak`, *coding* its first sample entry."""

    box: Box
    number: int
    handler: bytes
    coding: bytes
    media: Times
    turn: tuple[int, int, int, int]
    size: tuple[int, int]  # as displayed, before it is turned

    @property
    def is_film(self) -> bool:
        """Whether it is moving pictures: the covers of chapters are not."""
        return self.handler == b"vide" and self.coding[4:8] not in _STILLS


def tracks(blocks: Blocks, movie: Box) -> list[Track]:
    """Return the tracks that *movie* lists."""
    found = [box for box in inside(blocks, movie) if box.kind == b"trak"]
    return [_track(blocks, box) for box in found[:_MAX_TRACKS]]


def _track(blocks: Blocks, box: Box) -> Track:
    handler = _content(blocks, box, 12, b"mdia", b"hdlr")[8:12]
    entry = _content(blocks, box, 52, b"mdia", b"minf", b"stbl", b"stsd")[8:]
    header = _content(blocks, box, 96, b"tkhd")
    later = 12 if header[:1] == b"\1" else 0
    if len(header) < 84 + later:
        return Track(box, 0, handler, entry, Times(0, 0), _IDENTITY, (0, 0))
    (number,) = struct.unpack_from(">I", header, 12 + later * 2 // 3)
    matrix = struct.unpack_from(_MATRIX, header, 40 + later)
    turn = (matrix[0], matrix[1], matrix[3], matrix[4])
    width, height = struct.unpack_from(">II", header, 76 + later)
    size = (round(width / 65_536), round(height / 65_536))
    return Track(box, number, handler, entry, media_times(blocks, box), turn, size)


def media_times(blocks: Blocks, track: Box) -> Times:
    """Return what the header of a track's media says."""
    return _times(_content(blocks, track, 36, b"mdia", b"mdhd"))


def movie_times(blocks: Blocks, movie: Box) -> tuple[Times, tuple[int, int, int, int]]:
    """Return the whole film's times and how all of it is turned."""
    header = _content(blocks, movie, 112, b"mvhd")
    at = 48 if header[:1] == b"\1" else 36
    if len(header) < at + 36:
        return _times(header), _IDENTITY
    matrix = struct.unpack_from(_MATRIX, header, at)
    return _times(header), (matrix[0], matrix[1], matrix[3], matrix[4])


def _times(header: bytes) -> Times:
    late = header[:1] == b"\1"
    form, at, endless = (">IQ", 20, 2**64 - 1) if late else (">II", 12, 2**32 - 1)
    if len(header) < at + struct.calcsize(form):
        return Times(0, 0)
    scale, length = struct.unpack_from(form, header, at)
    return Times(scale, 0 if length == endless else length)


def _content(blocks: Blocks, box: Box, most: int, *path: bytes) -> bytes:
    found = below(blocks, box, *path)
    return content(blocks, found, most) if found else b""


def swaps(turn: tuple[int, int, int, int]) -> bool:
    """Say whether what is turned so has its width for its height."""
    return abs(turn[1]) > abs(turn[0])


def end_of_samples(blocks: Blocks, track: Track) -> int:
    """Return where the last chunk ends, by the ends of the sample tables."""
    table = below(blocks, track.box, b"mdia", b"minf", b"stbl")
    tables = {box.kind: box for box in inside(blocks, table)} if table else {}
    for kind, width in ((b"stco", 4), (b"co64", 8)):
        if kind in tables:
            offset = _last(blocks, tables[kind], width, 8)
            break
    else:
        return 0
    samples = _last(blocks, tables[b"stsc"], 12, 8) >> 32 & 0xFFFF_FFFF
    return offset + _size_of_last(blocks, tables[b"stsz"], min(samples, MAX_BOXES))


def sample_bytes(blocks: Blocks, track: Track) -> int:
    """Return how many bytes all samples of a track are; 0 if that is much to add up."""
    table = below(blocks, track.box, b"mdia", b"minf", b"stbl", b"stsz")
    head = content(blocks, table, 12) if table else b""
    if table is None or len(head) < 12:
        return 0
    same, count = struct.unpack_from(">II", head, 4)
    if same or count > _MOST_ADDED:
        return int(same) * int(count)
    sizes = blocks.read_at(table.start + 12, 4 * count)
    return sum(entry[0] for entry in struct.iter_unpack(">I", sizes[: len(sizes) & ~3]))


def _last(blocks: Blocks, table: Box, width: int, head: int) -> int:
    """Return the last entry of a table as one number; 0 if it is empty."""
    count = int.from_bytes(blocks.read_at(table.start + head - 4, 4), "big")
    at = table.start + head + (count - 1) * width
    return int.from_bytes(blocks.read_at(at, width), "big") if count else 0


def _size_of_last(blocks: Blocks, table: Box, samples: int) -> int:
    same, count = struct.unpack(">II", blocks.read_at(table.start + 4, 8))
    if same:
        return int(same) * samples
    samples = min(samples, count)
    sizes = blocks.read_at(table.start + 12 + 4 * (count - samples), 4 * samples)
    return sum(entry[0] for entry in struct.iter_unpack(">I", sizes))
