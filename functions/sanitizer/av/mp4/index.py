"""Indexes of a file in fragments: `sidx` in front, `mfra` at the end.

Players seek by them, and take the length of the film from them.

Source: ISO/IEC 14496-12, 8.8.9 to 8.8.11 and 8.16.3.
"""

from functions.sanitizer.av.mp4.boxes import Box, blank, boxes_in, free, number
from functions.sanitizer.findings import Finding


def scrub_index(data: bytearray, box: Box) -> set[Finding]:
    """Clean an index; only numbers stay.

    Raises:
        Rejected: it is broken.
    """
    return _INDEXES[box.kind](data, box)


def _segments(data: bytearray, box: Box) -> set[Finding]:
    blank(data, box.start + 1, box.start + 4)
    at = box.start + (28 if number(data, box.start, box.end, 1) else 20)
    end = at + 4 + 12 * number(data, at + 2, box.end, 2)
    blank(data, at, at + 2)
    return _leftover(data, box, end)


def _access(data: bytearray, whole: Box) -> set[Finding]:
    findings: set[Finding] = set()
    for box in boxes_in(data, whole.start, whole.end):
        if box.kind == b"tfra":
            findings |= _track(data, box)
        elif box.kind == b"mfro":
            blank(data, box.start, box.start + 4)
            findings |= _leftover(data, box, box.start + 8)
        else:
            free(data, box)
            findings.add(Finding.APPLICATION_DATA)
    return findings


def _track(data: bytearray, box: Box) -> set[Finding]:
    widths, entries = (number(data, box.start + at, box.end) for at in (8, 12))
    blank(data, box.start + 1, box.start + 4)
    blank(data, box.start + 8, box.start + 11)
    data[box.start + 11] &= 0x3F
    size = 16 if data[box.start] else 8
    size += sum((widths >> shift & 3) + 1 for shift in (0, 2, 4))
    return _leftover(data, box, box.start + 16 + size * entries)


def _leftover(data: bytearray, box: Box, end: int) -> set[Finding]:
    return {Finding.PADDING} if blank(data, end, box.end) else set()


_INDEXES = {b"sidx": _segments, b"mfra": _access}
