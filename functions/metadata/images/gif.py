"""GIF: nothing counts its frames, so that all of it is read, once.

Source: the GIF89a specification, 15 to 27.
"""

import struct
from typing import NamedTuple

from functions.metadata.blocks import Blocks
from functions.metadata.errors import damaged_image
from functions.metadata.images.facts import MOST_FRAMES, ImageFacts

_TRAILER, _EXTENSION, _IMAGE = 0x3B, 0x21, 0x2C
_CONTROL = 0xF9
# Shorter delays are no delays: browsers show such frames for a tenth of a second.
_LEAST_DELAY, _USUAL_DELAY = 2, 10
_MOST_PARTS = 1 << 19  # frames, extensions and stray bytes
_MOST_BLOCKS = 1 << 11  # 128 MiB: bytes that say nothing are slow to pass
_STEP = 1 << 12


class _Frames(NamedTuple):
    """All frames, and where the first one ends."""

    frames: int
    seconds: float
    right: int
    bottom: int


def describe_gif(blocks: Blocks) -> ImageFacts:
    """Return the facts of a GIF file.

    Raises:
        Rejected: there is no first frame, or it has no area.
    """
    head = blocks.read_at(0, 13)
    if len(head) < 13:
        raise damaged_image()
    width, height, flags = struct.unpack_from("<HHB", head, 6)
    blocks.budget = _MOST_BLOCKS
    played = _played(blocks, 13 + _palette_bytes(flags))
    facts = ImageFacts(
        # A first frame that reaches beyond the screen makes it larger.
        width=max(width, played.right),
        height=max(height, played.bottom),
        mode="P",
        frames=played.frames,
    )
    if played.frames > 1:
        return facts.model_copy(update={"duration_seconds": played.seconds})
    return facts


def _palette_bytes(flags: int) -> int:
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0


def _played(blocks: Blocks, at: int) -> _Frames:
    frames, hundredths, delay, corner = 0, 0, 0, (0, 0)
    for _ in range(_MOST_PARTS):
        head = blocks.read_at(at, 10)
        if not head or head[0] == _TRAILER or frames == MOST_FRAMES:
            break
        if head[0] == _EXTENSION and len(head) > 5:
            if head[1] == _CONTROL:
                delay = int.from_bytes(head[4:6], "little")
            at = _behind(blocks, at + 2)
        elif head[0] == _IMAGE and len(head) == 10:
            left, top, across, down = struct.unpack_from("<4H", head, 1)
            at = _behind(blocks, at + 11 + _palette_bytes(head[9]))
            # Viewers stop at a frame without an area, or that is cut behind others.
            if not (across and down) or (frames and at > blocks.size_bytes):
                break
            corner = corner if frames else (left + across, top + down)
            hundredths += delay if delay >= _LEAST_DELAY else _USUAL_DELAY
            frames, delay = frames + 1, 0
        else:
            at += 1  # as browsers do with bytes that mean nothing
    if not frames:
        raise damaged_image()
    return _Frames(frames, hundredths / 100, *corner)


def _behind(blocks: Blocks, at: int) -> int:
    """Return where the sub-blocks from *at* on end; past the file if they don't."""
    while data := blocks.read_at(at, _STEP):
        inside = 0
        while inside < len(data) and data[inside]:
            inside += data[inside] + 1
        if inside < len(data):
            return at + inside + 1
        at += inside
    return blocks.size_bytes + 1
