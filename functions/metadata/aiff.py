"""AIFF: every chunk has to end before the file does."""

import struct

from functions.metadata.blocks import Blocks
from functions.metadata.errors import cut_off
from functions.metadata.sound import Sound


def measure_aiff(blocks: Blocks) -> Sound:
    """Return the facts of an AIFF or AIFF-C file.

    Raises:
        Rejected: samples are missing.
    """
    at, found = 12, False
    while len(head := blocks.read_at(at, 8)) == 8:
        name, size = struct.unpack(">4sI", head)
        if name == b"SSND" and at + 8 + size > blocks.size_bytes:
            raise cut_off()
        found = found or name == b"SSND"
        at += 8 + size + size % 2
    sound = Sound.by_tinytag(blocks, "aiff")
    if sound.duration_seconds and not found:
        raise cut_off()
    return sound
