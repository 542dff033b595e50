"""MPEG audio (MP1, MP2, MP3): frames from the first sync on, and nothing between them.

The frame with the encoder's Xing, Info or VBRI header stays: players need its count of
frames, gain and gaps. Unused bytes in that frame are zeroed.

Source: ISO/IEC 11172-3 and 13818-3; the Xing header and LAME tag revision 1.
"""

from typing import BinaryIO

from functions.sanitizer.av.mpeg.frames import MPEG
from functions.sanitizer.av.mpeg.xing import without_slack
from functions.sanitizer.av.scan_frames import copy_runs
from functions.sanitizer.av.tags import leading, trailing
from functions.sanitizer.av.tags_gain import between_tags
from functions.sanitizer.findings import Finding


def strip_mpeg(source: BinaryIO, output: BinaryIO) -> set[Finding]:
    """Write the frames and gains, nothing else."""
    start, end, findings, tag, tagged = between_tags(source, id3=True)
    output.write(tag)
    found = _copy(source, output, start, end, tagged=tagged)
    return findings | found


def copy_mpeg(source: BinaryIO, output: BinaryIO, start: int, end: int) -> set[Finding]:
    """Append the frames between *start* and *end*, nothing else."""
    at, findings = leading(source, start, end)
    last, found = trailing(source, at, end)
    copied = _copy(source, output, at, last, tagged=last < end)
    return findings | found | copied


def _copy(
    source: BinaryIO, output: BinaryIO, start: int, end: int, *, tagged: bool
) -> set[Finding]:
    return copy_runs(
        source, output, start, end, coding=MPEG, tagged=tagged, clean=without_slack
    )
