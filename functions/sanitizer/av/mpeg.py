"""MPEG audio (MP1, MP2, MP3): frames from the first sync on, and nothing between them.

The frame with the encoder's Xing, Info or VBRI header stays: players need its count of
frames, gain and gaps. Unused bytes behind that header are zeroed.

Source: ISO/IEC 11172-3 and 13818-3; the Xing header and LAME tag revision 1.
"""

from collections.abc import Iterator
from typing import BinaryIO

from functions.sanitizer.av.mpeg_frames import Frames, Run
from functions.sanitizer.av.scan import copy, read_at, size_of, unreadable
from functions.sanitizer.av.tags import contents, leading, trailing
from functions.sanitizer.av.xing import without_slack
from functions.sanitizer.findings import Finding


def strip_mpeg(source: BinaryIO, output: BinaryIO) -> set[Finding]:
    """Write the frames, nothing else.

    A last frame that is cut stays as the sign that sound is missing, but not where
    tags came behind it: there the file was whole.
    """
    size = size_of(source)
    start, findings = leading(source, 0, size)
    end, found = trailing(source, start, size)
    findings |= found
    at = start
    first, tagged = True, end < size
    for run in _runs(source, start, end):
        findings |= contents(source, at, run.start)
        stop = run.whole if tagged else run.end
        findings |= _write(source, output, run, stop, first=first)
        at, first = run.end, False
    if first:
        raise unreadable("no frame of sound was found in the file")
    return findings | contents(source, at, end)


def _runs(source: BinaryIO, start: int, end: int) -> Iterator[Run]:
    """Return every stretch of whole frames that follow each other without a gap."""
    frames = Frames(source, end)
    at = start
    while (at := frames.find(at)) < end:
        run = frames.run(at)
        yield run
        at, _ = leading(source, run.end, end)


def _write(
    source: BinaryIO, output: BinaryIO, run: Run, stop: int, *, first: bool
) -> set[Finding]:
    start, findings = run.start, set()
    if first:
        frame = read_at(source, start, run.first_size)
        clean = without_slack(frame)
        output.write(clean)
        start += len(frame)
        findings = {Finding.PADDING} if clean != frame else set()
    copy(source, output, start, stop)
    return findings
