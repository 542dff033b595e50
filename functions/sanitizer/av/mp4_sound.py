"""The `stsd` box: how the sound is coded, and nothing besides.

Sources: ISO/IEC 14496-1, 7.2.6 (descriptors), 14496-12, 8.5.2; the codecs' own
mappings (Opus, FLAC, ALAC, AC-3, AMR).
"""

from functions.sanitizer.av.mp4_boxes import Box, blank, boxes_in, free
from functions.sanitizer.av.scan import unreadable
from functions.sanitizer.findings import Finding

_CODINGS = frozenset(
    (b"mp4a", b"alac", b"Opus", b"fLaC", b"ac-3", b"ec-3", b".mp3", b"samr", b"sawb")
)
_SETUP = {  # the longest set-up that the codec has a use for, in bytes
    b"alac": 52,
    b"dOps": 21,
    b"dfLa": 42,
    b"dac3": 3,
    b"dec3": 32,
    b"damr": 9,
    b"btrt": 12,
    b"frma": 4,
    b"enda": 2,
    b"mp4a": 4,
}
_ENTRY_FIELDS = 28
_QUICKTIME_FIELDS = {0: 0, 1: 16, 2: 36}
# Longer ones carry a copy of the header of the file that the sound came from (ALS).
_MAX_SPECIFIC = 64


def scrub_descriptions(data: bytearray, box: Box) -> set[Finding]:
    """Clean every description of how the sound is coded.

    Raises:
        Rejected: a coding that is not on the list.
    """
    findings: set[Finding] = set()
    for entry in boxes_in(data, box.start + 8, box.end):
        if entry.kind not in _CODINGS or entry.end - entry.start < _ENTRY_FIELDS:
            raise unreadable("the sound is coded in a way that is not on the list")
        blank(data, entry.start, entry.start + 6)
        version = int.from_bytes(data[entry.start + 8 : entry.start + 10], "big")
        blank(data, entry.start + 10, entry.start + 16)  # revision and vendor
        fields = _ENTRY_FIELDS + _QUICKTIME_FIELDS.get(version, 0)
        findings |= _scrub_setup(data, Box(entry.kind, entry.start + fields, entry.end))
    return findings


def _scrub_setup(data: bytearray, parent: Box) -> set[Finding]:
    findings: set[Finding] = set()
    for box in boxes_in(data, parent.start, parent.end):
        if box.kind == b"esds":
            findings |= _scrub_stream(data, box)
        elif box.kind == b"wave" and parent.kind != b"wave":
            findings |= _scrub_setup(data, box)
        elif box.kind in _SETUP:
            _check_length(box)
        else:
            free(data, box)
            findings.add(Finding.APPLICATION_DATA)
        if box.kind == b"damr":
            blank(data, box.start, box.start + 4)  # vendor
    return findings


def _check_length(box: Box) -> None:
    if box.end - box.start > _SETUP[box.kind]:
        raise unreadable("the set-up of the sound's coding is too long")


def _scrub_stream(data: bytearray, box: Box) -> set[Finding]:
    """Check an MPEG-4 stream descriptor: 3 (4 (5) 6), and zeros to the end."""
    tag, start, end = _descriptor(data, box.start + 4, box.end)
    if tag != 3 or end - start < 3 or data[start + 2] & 0xE0:
        raise unreadable("the description of the sound's coding is broken")
    at = start + 3
    while at < end:
        tag, inner, at = _descriptor(data, at, end)
        if tag == 4 and at - inner >= 13:
            _check_specific(data, inner + 13, at)
        elif tag != 6 or at - inner > 16:
            raise unreadable("the description of the sound's coding is broken")
    return {Finding.PADDING} if blank(data, end, box.end) else set()


def _check_specific(data: bytearray, start: int, end: int) -> None:
    while start < end:
        tag, inner, start = _descriptor(data, start, end)
        if tag != 5 or start - inner > _MAX_SPECIFIC:
            raise unreadable("the set-up of the sound's coding is too long")


def _descriptor(data: bytearray, at: int, end: int) -> tuple[int, int, int]:
    """Return a descriptor's tag and where its content starts and ends."""
    tag, size, start = data[at : at + 1], 0, at + 1
    for _ in range(4):
        if start >= end:
            raise unreadable("the description of the sound's coding is cut off")
        size, more, start = (
            size << 7 | data[start] & 0x7F,
            data[start] & 0x80,
            start + 1,
        )
        if not more:
            break
    if start + size > end:
        raise unreadable("the description of the sound's coding is cut off")
    return tag[0], start, start + size
