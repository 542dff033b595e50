"""WAV: the chunk of samples has to end before the file does."""

import struct

from functions.metadata.blocks import Blocks
from functions.metadata.errors import cut_off, unreadable
from functions.metadata.sound import Sound

_ENDLESS = 0xFFFFFFFF  # written by programs that could not seek back


def measure_wav(blocks: Blocks) -> Sound:
    """Return the facts of a WAV file.

    Raises:
        Rejected: samples are missing.
    """
    layout, start, size = _chunks(blocks)
    if start + size > blocks.size_bytes and size != _ENDLESS:
        raise cut_off()
    sound = Sound.by_tinytag(blocks, "wav")
    present = min(size, blocks.size_bytes - start)
    (bytes_a_second,) = struct.unpack_from("<I", layout, 8)
    if present and bytes_a_second and (size == _ENDLESS or not sound.duration_seconds):
        length = present / bytes_a_second
        sound = sound.model_copy(update={"duration_seconds": length})
    return sound.averaged(present) if size == _ENDLESS else sound


def _chunks(blocks: Blocks) -> tuple[bytes, int, int]:
    """Return the format, where the samples start and how many bytes they should be."""
    layout, at = b"", 12
    while len(head := blocks.read_at(at, 8)) == 8:
        name, size = struct.unpack("<4sI", head)
        if name == b"data" and len(layout) >= 16:
            return layout, at + 8, size
        if name == b"fmt ":
            layout = blocks.read_at(at + 8, min(size, 64))
        at += 8 + size + size % 2
    raise unreadable("The file ends before its first sample.")
