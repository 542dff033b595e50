"""MPEG-4 stream descriptors (`esds`): 3 (4 (5) 6), and zeros to the end.

Sources: ISO/IEC 14496-1, 7.2.6; 14496-2, 6.2.1 (start codes).
"""

import re

from functions.sanitizer.av.mp4.boxes import Box, blank, number
from functions.sanitizer.av.scan import unreadable
from functions.sanitizer.findings import Finding

# MPEG-4, MPEG-2 and MPEG-1; others are JPEG and PNG, which hold what they want.
_MOVING = (0x20, *range(0x60, 0x66), 0x6A)
_MAX_SOUND = 64
# MPEG-4 ALS, in the five and six bits that say which coding follows.
_ALS = 31 << 6 | 36 - 32
_ALS_FIELDS = 22
_MAX_PICTURE = 1024
_USER_DATA = re.compile(rb"\x00\x00\x01\xb2(.*?)(?=\x00\x00\x01|\Z)", re.DOTALL)
# Decoders look here for the faults of encoders that they have to make up for.
_ENCODER = re.compile(rb"(Lavc[\d.]+|XviD\d{4}C?|DivX\d{3,4}(b|Build)\d+p?)\0?")


def scrub_stream(data: bytearray, box: Box, *, visual: bool) -> set[Finding]:
    """Check the descriptors in *box*; drop text from the set-up of pictures.

    Raises:
        Rejected: they are not what is described above.
    """
    tag, start, end = _descriptor(data, box.start + 4, box.end)
    if tag != 3 or end - start < 3 or data[start + 2] & 0xE0:
        raise unreadable("the description of the coding is broken")
    findings: set[Finding] = set()
    at, described = start + 3, False
    while at < end:
        tag, inner, at = _descriptor(data, at, end)
        if tag == 4 and at - inner >= 13 and not described:
            described = True
            if visual and data[inner] not in _MOVING:
                raise unreadable("the pictures are coded in a way not on the list")
            findings |= _specific(data, inner + 13, at, visual=visual)
        elif tag != 6 or at - inner > 16 or not described or at < end:
            raise unreadable("the description of the coding is broken")
    if not described:
        raise unreadable("the description of the coding is cut off")
    return findings | ({Finding.PADDING} if blank(data, end, box.end) else set())


def _specific(data: bytearray, start: int, end: int, *, visual: bool) -> set[Finding]:
    findings: set[Finding] = set()
    while start < end:
        tag, inner, start = _descriptor(data, start, end)
        copied = 0
        if visual:
            findings |= _user_data(data, inner, start)
        elif number(data, inner, start, 2) >> 5 == _ALS:
            copied = _copied_header(data, inner, start)
            findings |= {Finding.APPLICATION_DATA}
        if tag != 5 or start - inner - copied > (
            _MAX_PICTURE if visual else _MAX_SOUND
        ):
            raise unreadable("the set-up of the coding is too long")
    return findings


def _copied_header(data: bytearray, start: int, end: int) -> int:
    """Zero the copy of the header and end of the file that the sound came from.

    Return how many bytes that were (ISO/IEC 14496-3, 11.6.2).
    """
    at = data.find(b"ALS\0", start, end)
    if at < 0 or at + _ALS_FIELDS > end:
        raise unreadable("the description of the coding is cut off")
    sorted_channels, auxiliary = data[at + 20] & 1, data[at + 21] & 1
    if sorted_channels or auxiliary:
        raise unreadable("the set-up of the coding is not on the list")
    at += _ALS_FIELDS + (data[at + 20] & 2)
    sizes = (number(data, at, end), number(data, at + 4, end))
    copied = sum(size for size in sizes if size != 0xFFFF_FFFF)
    if at + 8 + copied > end:
        raise unreadable("the description of the coding is cut off")
    blank(data, at + 8, at + 8 + copied)
    return copied


def _user_data(data: bytearray, start: int, end: int) -> set[Finding]:
    findings: set[Finding] = set()
    for match in _USER_DATA.finditer(bytes(data[start:end])):
        if _ENCODER.fullmatch(match[1]) is None:
            blank(data, start + match.start(), start + match.end())
            findings.add(Finding.COMMENT)
    return findings


def _descriptor(data: bytearray, at: int, end: int) -> tuple[int, int, int]:
    """Return a descriptor's tag and where its content starts and ends."""
    tag, size, start = data[at : at + 1], 0, at + 1
    for _ in range(4):
        if start >= end:
            raise unreadable("the description of the coding is cut off")
        size, more, start = (
            size << 7 | data[start] & 0x7F,
            data[start] & 0x80,
            start + 1,
        )
        if not more:
            break
    if start + size > end:
        raise unreadable("the description of the coding is cut off")
    return tag[0], start, start + size
