"""Boxes: what MP4, AVIF, HEIC and JPEG XL files consist of.

Source: ISO/IEC 14496-12, 4.2.
"""

import struct
from collections.abc import Iterator
from typing import NamedTuple

from functions.metadata.blocks import Blocks

MAX_BOXES = 1 << 12


class Box(NamedTuple):
    """A box; *start* is where its header ends. It may reach past the file's end."""

    kind: bytes
    start: int
    end: int


def boxes(blocks: Blocks, at: int, end: int) -> Iterator[Box]:
    """Return the boxes that follow each other from *at*, MAX_BOXES at most."""
    for _ in range(MAX_BOXES):
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
        yield Box(kind, at + header, at + size)
        at += size


def inside(blocks: Blocks, box: Box) -> Iterator[Box]:
    """Return the boxes in *box*."""
    return boxes(blocks, box.start, min(box.end, blocks.size_bytes))


def below(blocks: Blocks, box: Box, *path: bytes) -> Box | None:
    """Return the first box at *path* below *box*."""
    for kind in path:
        found = next(
            (child for child in inside(blocks, box) if child.kind == kind), None
        )
        if found is None:
            return None
        box = found
    return box


def content(blocks: Blocks, box: Box, most: int) -> bytes:
    """Return what is in *box*, *most* bytes at most."""
    return blocks.read_at(box.start, min(most, box.end - box.start))
