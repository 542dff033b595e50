"""WebP: RIFF chunks.

Sources: RFC 9649; RFC 6386, 9.1 (VP8); the WebP lossless bitstream, 3.
"""

import struct
from collections.abc import Iterator
from typing import NamedTuple

from functions.metadata.blocks import Blocks
from functions.metadata.errors import damaged_image
from functions.metadata.images.facts import MOST_FRAMES, ImageFacts
from functions.metadata.images.tiff import orientation_in

_ANIMATION, _EXIF, _ALPHA = 2, 8, 16
_MOST_CHUNKS = MOST_FRAMES
_MOST_EXIF = 1 << 16


class _Chunk(NamedTuple):
    name: bytes
    start: int
    size: int


def describe_webp(blocks: Blocks) -> ImageFacts:
    """Return the facts of a WebP file. An animation's frames are looked up one by one.

    Raises:
        Rejected: it does not start with a picture.
    """
    first = next(_chunks(blocks), None)
    data = blocks.read_at(first.start, 16) if first else b""
    if first is None or len(data) < 10:
        raise damaged_image()
    if first.name == b"VP8 ":
        width, height = struct.unpack_from("<HH", data, 6)
        return ImageFacts(width=width & 0x3FFF, height=height & 0x3FFF, mode="RGB")
    if first.name == b"VP8L":
        bits = int.from_bytes(data[1:5], "little")
        mode = "RGBA" if bits >> 28 & 1 else "RGB"
        width, height = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        return ImageFacts(width=width, height=height, mode=mode)
    if first.name == b"VP8X":
        return _extended(blocks, data)
    raise damaged_image()


def _extended(blocks: Blocks, header: bytes) -> ImageFacts:
    flags = header[0]
    facts = ImageFacts(
        width=int.from_bytes(header[4:7], "little") + 1,
        height=int.from_bytes(header[7:10], "little") + 1,
        mode="RGBA" if flags & _ALPHA else "RGB",
    )
    if flags & _ANIMATION:
        blocks.budget = None
    frames, milliseconds, orientation = 0, 0, 1
    for chunk in _chunks(blocks):
        if chunk.name == b"ANMF":
            frames += 1
            raw = blocks.read_at(chunk.start + 12, 3)
            milliseconds += int.from_bytes(raw, "little")
        if chunk.name == b"EXIF":
            exif = blocks.read_at(chunk.start, min(chunk.size, _MOST_EXIF))
            orientation = orientation_in(exif)
        if not flags & (_ANIMATION | _EXIF):
            break
    if frames > 1:
        update = {"frames": frames, "duration_seconds": milliseconds / 1000 or None}
        facts = facts.model_copy(update=update)
    return facts.turned(orientation)


def _chunks(blocks: Blocks) -> Iterator[_Chunk]:
    at = 12
    for _ in range(_MOST_CHUNKS):
        head = blocks.read_at(at, 8)
        if len(head) < 8:
            return
        name, size = struct.unpack("<4sI", head)
        yield _Chunk(name, at + 8, size)
        at += 8 + size + size % 2
