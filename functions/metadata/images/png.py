"""PNG and APNG: chunks, of which the first few say what it is.

Source: PNG specification, third edition, 5 and 11.
"""

import struct
import zlib
from collections.abc import Iterator
from typing import NamedTuple

from functions.metadata.blocks import BLOCK, Blocks
from functions.metadata.errors import damaged_image
from functions.metadata.images.facts import MOST_FRAMES, ImageFacts
from functions.metadata.images.tiff import orientation_in

_MODES = {0: "L", 2: "RGB", 3: "P", 4: "LA", 6: "RGBA"}
_MOST_CHUNKS = 1 << 20
_MOST_EXIF = 1 << 16


class _Chunk(NamedTuple):
    name: bytes
    start: int
    size: int


def describe_png(blocks: Blocks) -> ImageFacts:
    """Return the facts of a PNG file. An animation's frames are looked up one by one.

    Raises:
        Rejected: its header is missing.
    """
    header = blocks.read_at(8, 25)
    if len(header) < 25 or header[4:8] != b"IHDR":
        raise damaged_image()
    width, height, depth, colour = struct.unpack_from(">IIBB", header, 8)
    facts = ImageFacts(width=width, height=height, mode=_mode(depth, colour))
    exif, frames = b"", 0
    for chunk in _chunks(blocks, 33):
        if chunk.name == b"acTL":
            (frames,) = struct.unpack(">I", blocks.read_at(chunk.start, 4))
        if chunk.name == b"eXIf":
            exif = blocks.read_at(chunk.start, min(chunk.size, _MOST_EXIF))
        if chunk.name in (b"IDAT", b"IEND"):
            break
    if frames > 1:
        frames, seconds = _played(blocks)
        update = {"frames": frames or 1, "duration_seconds": seconds or None}
        facts = facts.model_copy(update=update)
    return facts.turned(orientation_in(exif or _late_exif(blocks)))


def _mode(depth: int, colour: int) -> str:
    if colour == 0:
        return {1: "1", 16: "I;16"}.get(depth, "L")
    if colour not in _MODES:
        raise damaged_image()
    return _MODES[colour]


def _chunks(blocks: Blocks, at: int) -> Iterator[_Chunk]:
    for _ in range(_MOST_CHUNKS):
        head = blocks.read_at(at, 8)
        if len(head) < 8:
            return
        size, name = struct.unpack(">I4s", head)
        yield _Chunk(name, at + 8, size)
        at += size + 12


def _played(blocks: Blocks) -> tuple[int, float]:
    """Return frames, and the seconds of all: each has a header of its own."""
    blocks.budget = None
    frames, seconds = 0, 0.0
    for chunk in _chunks(blocks, 33):
        if chunk.name == b"fcTL":
            delay, per = struct.unpack(">HH", blocks.read_at(chunk.start + 20, 4))
            seconds += delay / (per or 100)
            frames += 1
        if chunk.name == b"IEND" or frames == MOST_FRAMES:
            break
    return frames, round(seconds, 6)


def _late_exif(blocks: Blocks) -> bytes:
    """Return Exif data behind the pixels, where some programs put it."""
    start = max(33, (blocks.size_bytes - 1) // BLOCK * BLOCK)
    if not blocks.affords(1):
        return b""
    tail = blocks.read_at(start, blocks.size_bytes - start)
    at = tail.rfind(b"eXIf")
    size = int.from_bytes(tail[max(0, at - 4) : max(0, at)], "big")
    chunk = tail[at : at + 4 + size] if at >= 4 else b""
    checked = zlib.crc32(chunk) == int.from_bytes(
        tail[at + 4 + size : at + 8 + size], "big"
    )
    return chunk[4:] if chunk and checked else b""
