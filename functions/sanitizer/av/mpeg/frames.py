"""MPEG audio frames: headers and lengths (ISO/IEC 11172-3, 2.4)."""

import re

from functions.sanitizer.av.scan_frames import Coding, Frame

# Sync, no reserved version or layer; no free or bad bitrate.
_SYNC = re.compile(rb"\xff[\xe2-\xe7\xf2-\xf7\xfa-\xff][\x10-\xef]")
_KBITS = {  # by MPEG-1 or not, and layer
    (True, 1): (32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (True, 2): (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (True, 3): (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (False, 1): (32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (False, 2): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (False, 3): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_RATES = {
    3: (44_100, 48_000, 32_000),  # MPEG-1
    2: (22_050, 24_000, 16_000),  # MPEG-2
    0: (11_025, 12_000, 8_000),  # MPEG-2.5
}


def frame_of(head: bytes) -> Frame | None:
    """Return the frame that starts with the four bytes *head*, if one does."""
    if len(head) < 4 or not _SYNC.match(head):
        return None
    version, layer = head[1] >> 3 & 3, 4 - (head[1] >> 1 & 3)
    if head[2] >> 2 & 3 == 3:
        return None
    rate = _RATES[version][head[2] >> 2 & 3]
    bits = _KBITS[version == 3, layer][(head[2] >> 4) - 1] * 1000
    padding = head[2] >> 1 & 1
    if layer == 1:
        return Frame((12 * bits // rate + padding) * 4, (version, layer, rate))
    factor = 72 if layer == 3 and version != 3 else 144
    return Frame(factor * bits // rate + padding, (version, layer, rate))


MPEG = Coding(_SYNC, 4, frame_of)
