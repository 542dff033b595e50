"""WAV: the chunk of samples has to end before the file does.

Sources: Microsoft's multimedia data standards; EBU Tech 3306 (RF64).
"""

import struct
from typing import NamedTuple

from functions.metadata.av.sound import Sound
from functions.metadata.blocks import Blocks, Section
from functions.metadata.errors import cut_off, unreadable

_ENDLESS = 0xFFFFFFFF  # written by programs that could not seek back


class _Samples(NamedTuple):
    """Where the samples are: *size* is what was promised, None if nothing was."""

    layout: bytes
    start: int
    size: int | None
    big: bool


def measure_wav(blocks: Blocks) -> Sound:
    """Return the facts of a WAV file.

    Raises:
        Rejected: samples are missing.
    """
    samples = _samples(blocks)
    there = blocks.size_bytes - samples.start
    if samples.size is not None and samples.size > there:
        raise cut_off()
    present = there if samples.size is None else samples.size
    sound = _said(blocks, samples)
    (bytes_a_second,) = struct.unpack_from("<I", samples.layout, 8)
    counted = sound.duration_seconds and samples.size is not None
    if present and bytes_a_second and not counted:
        length = present / bytes_a_second
        sound = sound.model_copy(update={"duration_seconds": length})
    return sound if counted else sound.averaged(present)


def _said(blocks: Blocks, samples: _Samples) -> Sound:
    if not samples.big:
        # What follows the samples says nothing of them, and may be far away.
        return Sound.by_tinytag(Section(blocks, 0, samples.start), "wav")
    channels, rate = struct.unpack_from("<HI", samples.layout, 2)
    return Sound(samplerate=rate or None, channels=channels or None)


def _samples(blocks: Blocks) -> _Samples:
    """Return the format, where the samples start and how many bytes they should be."""
    big = blocks.read_at(0, 4) != b"RIFF"
    layout, at, large = b"", 12, None
    while len(head := blocks.read_at(at, 8)) == 8:
        name, size = struct.unpack("<4sI", head)
        if name == b"data" and len(layout) >= 16:
            return _Samples(layout, at + 8, large if size == _ENDLESS else size, big)
        if name == b"fmt ":
            layout = blocks.read_at(at + 8, min(size, 64))
        if name == b"ds64" and big:
            large = int.from_bytes(blocks.read_at(at + 16, 8), "little")
        at += 8 + size + size % 2
    raise unreadable("The file ends before its first sample.")
