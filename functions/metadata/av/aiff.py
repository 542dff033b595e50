"""AIFF: every chunk has to end before the file does."""

import struct

from functions.metadata.av.sound import Sound
from functions.metadata.blocks import Blocks
from functions.metadata.errors import cut_off

_EXACT = (b"", b"NONE", b"sowt", b"twos", b"fl32", b"FL32", b"fl64", b"FL64", b"raw ")


def measure_aiff(blocks: Blocks) -> Sound:
    """Return the facts of an AIFF or AIFF-C file.

    Raises:
        Rejected: samples are missing.
    """
    at, sample_bytes, coding = 12, 0, b""
    while len(head := blocks.read_at(at, 8)) == 8:
        name, size = struct.unpack(">4sI", head)
        if name == b"SSND" and at + 8 + size > blocks.size_bytes:
            raise cut_off()
        if name == b"SSND":
            sample_bytes = size
        if name == b"COMM":
            coding = blocks.read_at(at + 8, min(size, 22))[18:]
        if sample_bytes and name == b"COMM":
            break
        at += 8 + size + size % 2
    sound = Sound.by_tinytag(blocks, "aiff")
    if sound.duration_seconds and not sample_bytes:
        raise cut_off()
    # A sample's bits are those that come out, whatever the coding makes of them.
    return sound if coding in _EXACT else sound.averaged(sample_bytes)
