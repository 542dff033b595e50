"""Monkey's Audio: its header counts the frames.

Source: the MAC SDK's APEHeader.h and APEInfo.cpp.
"""

import struct
from typing import NamedTuple

from functions.metadata.av.sound import Sound
from functions.metadata.av.tags import end_of_leading_tags, start_of_trailing_tags
from functions.metadata.blocks import Blocks
from functions.metadata.errors import cut_off, unreadable

_EXTRA_HIGH = 4000


class _Header(NamedTuple):
    channels: int
    rate: int
    samples: int  # of each channel
    least_bytes: int  # of the file, as far as its header tells


def measure_ape(blocks: Blocks) -> Sound:
    """Return the facts of a Monkey's Audio file.

    Raises:
        Rejected: the file is shorter than its header says.
    """
    start, end = end_of_leading_tags(blocks), start_of_trailing_tags(blocks)
    head = blocks.read_at(start, 128)
    if len(head) < 128 or head[:4] != b"MAC ":
        raise unreadable("The file does not say how its sound is coded.")
    version = int.from_bytes(head[4:6], "little")
    header = _header(head) if version >= 3980 else _old_header(head, version)
    if start + header.least_bytes > end:
        raise cut_off()
    sound = Sound(
        duration_seconds=header.samples / header.rate if header.rate else None,
        samplerate=header.rate or None,
        channels=header.channels or None,
    )
    return sound.averaged(end - start)


def _header(head: bytes) -> _Header:
    sizes = struct.unpack_from("<7I", head, 8)
    descriptor, header, seeks, wave, low, high, trailer = sizes
    least = descriptor + header + seeks + wave + low + (high << 32) + trailer
    at = descriptor if 52 <= descriptor <= len(head) - 24 else 52
    fields = struct.unpack_from("<HHIIIHHI", head, at)
    _, _, each, final, frames, _, channels, rate = fields
    return _Header(channels, rate, _samples(frames, each, final), least)


def _old_header(head: bytes, version: int) -> _Header:
    level, _, channels, rate = struct.unpack_from("<HHHI", head, 6)
    frames, final = struct.unpack_from("<II", head, 24)
    if version >= 3950:
        each = 73_728 * 4
    elif version >= 3900 or (version >= 3800 and level == _EXTRA_HIGH):
        each = 73_728
    else:
        each = 9216
    return _Header(channels, rate, _samples(frames, each, final), 0)


def _samples(frames: int, each: int, final: int) -> int:
    return (frames - 1) * each + final if frames else 0
