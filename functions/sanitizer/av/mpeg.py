"""MPEG audio (MP1, MP2, MP3): frames from the first sync on, and nothing between them.

The frame with the encoder's Xing, Info or VBRI header stays: players need its count of
frames, gain and gaps. Unused bytes in that frame are zeroed.

Source: ISO/IEC 11172-3 and 13818-3; the Xing header and LAME tag revision 1.
"""

from typing import BinaryIO

from functions.sanitizer.av.mpeg_frames import MPEG
from functions.sanitizer.av.scan import size_of
from functions.sanitizer.av.scan_frames import copy_runs
from functions.sanitizer.av.tags import leading, trailing
from functions.sanitizer.av.xing import without_slack
from functions.sanitizer.findings import Finding


def strip_mpeg(source: BinaryIO, output: BinaryIO) -> set[Finding]:
    """Write the frames, nothing else."""
    return copy_mpeg(source, output, 0, size_of(source))


def copy_mpeg(
    source: BinaryIO, output: BinaryIO, start: int, size: int
) -> set[Finding]:
    """Append the frames between *start* and *size*, nothing else."""
    start, findings = leading(source, start, size)
    end, found = trailing(source, start, size)
    tagged = end < size
    return (
        findings
        | found
        | copy_runs(
            source,
            output,
            start,
            end,
            coding=MPEG,
            tagged=tagged,
            clean=without_slack,
        )
    )
