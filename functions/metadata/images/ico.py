"""ICO: a list of pictures of which the largest is meant.

Source: Raymond Chen, "The evolution of the ICO file format".
"""

import struct

from functions.metadata.blocks import BLOCK, Blocks
from functions.metadata.errors import damaged_image
from functions.metadata.images.facts import ImageFacts
from functions.metadata.images.png import describe_png

_MOST_ENTRIES = 256


def describe_ico(blocks: Blocks) -> ImageFacts:
    """Return the facts of the largest picture; the others are the same one, smaller.

    Raises:
        Rejected: it lists none, or the largest is missing.
    """
    (count,) = struct.unpack("<H", blocks.read_at(4, 2))
    table = blocks.read_at(6, 16 * min(count, _MOST_ENTRIES))
    table = table[: len(table) // 16 * 16]
    entries = list(struct.iter_unpack("<BBBBHHII", table))
    if not entries:
        raise damaged_image()
    largest = max(entries, key=lambda entry: ((entry[0] or 256), entry[5]))
    start = largest[7]
    head = blocks.read_at(start, 40)
    if head[:8] == b"\x89PNG\r\n\x1a\n":
        return describe_png(blocks.part(start, start + min(largest[6], BLOCK)))
    if len(head) < 40:
        raise damaged_image()
    bits = int.from_bytes(head[14:16], "little")
    mode = "RGBA" if bits == 32 else "RGB" if bits > 8 else "P"
    width, height = largest[0] or 256, largest[1] or 256
    return ImageFacts(width=width, height=height, mode=mode)
