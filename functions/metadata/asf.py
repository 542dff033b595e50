"""ASF (WMA): the header says how long the file is."""

import struct

from functions.metadata.blocks import Blocks
from functions.metadata.errors import cut_off
from functions.metadata.sound import Sound

_FILE_PROPERTIES = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")
_MAX_OBJECTS = 64


def measure_asf(blocks: Blocks) -> Sound:
    """Return the facts of an ASF file.

    Raises:
        Rejected: the file is shorter than its header says.
    """
    at = 30
    for _ in range(_MAX_OBJECTS):
        head = blocks.read_at(at, 104)
        if len(head) < 24:
            break
        (size,) = struct.unpack_from("<Q", head, 16)
        if head[:16] == _FILE_PROPERTIES and len(head) == 104:
            (whole,) = struct.unpack_from("<Q", head, 40)
            live = head[88] & 1  # then the length was not known
            if whole > blocks.size_bytes and not live:
                raise cut_off()
        at += max(24, size)
    return Sound.by_tinytag(blocks, "wma")
