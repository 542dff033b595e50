"""ASF (WMA, WMV): the header says how long the file is.

Source: Microsoft's Advanced Systems Format specification, 3.2 and 3.3.
"""

import struct
from typing import NamedTuple

from functions.metadata.av.film import Film
from functions.metadata.av.sound import Sound
from functions.metadata.blocks import Blocks, Section
from functions.metadata.errors import cut_off

_FILE_PROPERTIES = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")
_STREAM_PROPERTIES = bytes.fromhex("9107dcb7b7a9cf118ee600c00c205365")
_VIDEO = bytes.fromhex("c0ef19bc4d5bcf11a8fd00805f5c442b")
_AUDIO = bytes.fromhex("409e69f84d5bcf11a8fd00805f5c442b")
_MAX_OBJECTS = 64


class _Header(NamedTuple):
    """What the header's objects tell.

    Attributes:
        end: where the header ends, and where the file should; 0 if that is unknown.
        size: of the picture, None if there is none.
    """

    end: int
    file_end: int
    size: tuple[int, int] | None
    has_audio: bool


def measure_asf(blocks: Blocks) -> Sound | Film:
    """Return the facts of an ASF file.

    Raises:
        Rejected: the file is shorter than its header says.
    """
    header = _header(blocks)
    if header.file_end > blocks.size_bytes:
        raise cut_off()
    sound = Sound.by_tinytag(Section(blocks, 0, header.end), "wma")
    if header.size is None:
        return sound
    return Film(
        duration_seconds=sound.duration_seconds,
        width=header.size[0] or None,
        height=header.size[1] or None,
        has_audio=header.has_audio,
    )


def _header(blocks: Blocks) -> _Header:
    at, file_end, size, has_audio = 30, 0, None, False
    end = int.from_bytes(blocks.read_at(16, 8), "little")
    for _ in range(_MAX_OBJECTS):
        head = blocks.read_at(at, 104)
        if len(head) < 24 or at >= end:
            break
        if head[:16] == _FILE_PROPERTIES and len(head) == 104:
            live = head[88] & 1  # then the length was not known
            file_end = 0 if live else struct.unpack_from("<Q", head, 40)[0]
        if head[:16] == _STREAM_PROPERTIES and len(head) == 104:
            has_audio = has_audio or head[24:40] == _AUDIO
            if head[24:40] == _VIDEO and size is None:
                size = struct.unpack_from("<II", head, 78)
        at += max(24, struct.unpack_from("<Q", head, 16)[0])
    return _Header(end, file_end, size, has_audio)
