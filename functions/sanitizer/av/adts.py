"""Raw AAC in ADTS: frames from the first sync on, and nothing between them.

Frames stay as they are, with their checksums and with what an encoder put into the
coded sound itself: fill and data elements can't be told from sound without decoding.

Source: ISO/IEC 13818-7, 6.2.
"""

import re
from typing import BinaryIO

from functions.sanitizer.av.scan_frames import Coding, Frame, copy_runs
from functions.sanitizer.av.tags_gain import between_tags
from functions.sanitizer.findings import Finding

_SYNC = re.compile(rb"\xff[\xf0\xf1\xf8\xf9]")
_RESERVED_RATES = (13, 14, 15)


def strip_adts(source: BinaryIO, output: BinaryIO) -> set[Finding]:
    """Write the frames and gains, nothing else."""
    start, end, findings, tag, tagged = between_tags(source, id3=True)
    output.write(tag)
    found = copy_runs(source, output, start, end, coding=ADTS, tagged=tagged)
    return findings | found


def frame_of(head: bytes) -> Frame | None:
    """Return the frame that starts with the seven bytes *head*, if one does."""
    if len(head) < 7 or not _SYNC.match(head):
        return None
    bits = int.from_bytes(head, "big")
    rate, size = bits >> 34 & 15, bits >> 13 & 0x1FFF
    shortest = 7 if head[1] & 1 else 9  # no checksum, or one
    if rate in _RESERVED_RATES or size <= shortest:
        return None
    kind = (head[1], bits >> 38 & 3, rate, bits >> 30 & 7)
    return Frame(size, kind)


ADTS = Coding(_SYNC, 7, frame_of)
