"""The fields of the boxes that stay: times, names and leftovers become zeros.

Source: ISO/IEC 14496-12, 8; Apple's QuickTime File Format.
"""

from collections.abc import Callable

from functions.sanitizer.av.mp4.boxes import Box, blank, boxes_in
from functions.sanitizer.av.mp4.descriptions import scrub_descriptions
from functions.sanitizer.av.mp4.tables import TABLES
from functions.sanitizer.av.scan import unreadable
from functions.sanitizer.findings import Finding

_UNDETERMINED = b"\x55\xc4"  # the language `und`
_UNSPECIFIED = 0x7FFF
_LAST_MACINTOSH_LANGUAGE = 151
_MEDIA = (b"soun", b"vide")
_REFERENCES = (b"url ", b"alis", b"rsrc")
# Only these have flags that mean something.
_FLAGS = {b"tkhd": 0x0F, b"vmhd": 0x01}


def scrub_fields(data: bytearray, box: Box) -> set[Finding]:
    """Clean a box that stays and contains no others; return what went from it."""
    if box.end - box.start < 4:
        raise unreadable("a header in the table of contents is cut off")
    flags = data[box.start + 3] & _FLAGS.get(box.kind, 0)
    data[box.start + 1 : box.start + 4] = bytes((0, 0, flags))
    return _SCRUBBERS[box.kind](data, box)


def _times(data: bytearray, box: Box, lengths: tuple[int, int]) -> set[Finding]:
    """Zero creation and modification time; return whether there were any."""
    if data[box.start] > 1:
        raise unreadable("a header in the table of contents is broken")
    wide = data[box.start]
    end = box.start + lengths[wide]
    if box.end < end:
        raise unreadable("a header in the table of contents is cut off")
    blank(data, end, box.end)
    dated = blank(data, box.start + 4, box.start + (20 if wide else 12))
    return {Finding.TIMESTAMP} if dated else set()


def _mvhd(data: bytearray, box: Box) -> set[Finding]:
    findings = _times(data, box, (100, 112))
    end = box.start + (112 if data[box.start] else 100)
    blank(data, end - 74, end - 64)
    blank(data, end - 28, end - 4)  # QuickTime's preview and selection times
    return findings


def _tkhd(data: bytearray, box: Box) -> set[Finding]:
    findings = _times(data, box, (84, 96))
    wide = data[box.start]
    end = box.start + (96 if wide else 84)
    identity = box.start + (20 if wide else 12)
    blank(data, identity + 4, identity + 8)
    blank(data, end - 60, end - 52)
    blank(data, end - 46, end - 44)
    return findings


def _mdhd(data: bytearray, box: Box) -> set[Finding]:
    findings = _times(data, box, (24, 36))
    end = box.start + (36 if data[box.start] else 24)
    if not _is_language(int.from_bytes(data[end - 4 : end - 2], "big")):
        data[end - 4 : end - 2] = _UNDETERMINED
    blank(data, end - 2, end)
    return findings


def _is_language(code: int) -> bool:
    """Whether it is three letters or one of QuickTime's numbers."""
    letters = all(1 <= code >> shift & 31 <= 26 for shift in (0, 5, 10))
    known = code <= _LAST_MACINTOSH_LANGUAGE or code == _UNSPECIFIED
    return known or (letters and code < 1 << 15)


def _hdlr(data: bytearray, box: Box) -> set[Finding]:
    if box.end - box.start < 24:
        raise unreadable("a header in the table of contents is cut off")
    kind = bytes(data[box.start + 8 : box.start + 12])
    component = b"mhlr" if kind in _MEDIA else b"dhlr"
    if data[box.start + 4 : box.start + 8] != component:
        blank(data, box.start + 4, box.start + 8)
    if kind not in (*_MEDIA, *_REFERENCES):
        blank(data, box.start + 8, box.start + 12)
    blank(data, box.start + 12, box.start + 24)
    named = blank(data, box.start + 24, box.end)
    return {Finding.AUDIO_TAGS} if named else set()


def _ends(length: int) -> Callable[[bytearray, Box], set[Finding]]:
    """Return what zeroes the bytes behind the first *length*."""

    def scrub(data: bytearray, box: Box) -> set[Finding]:
        blank(data, box.start + length, box.end)
        return set()

    return scrub


def _dref(data: bytearray, box: Box) -> set[Finding]:
    for entry in boxes_in(data, box.start + 8, box.end):
        itself = entry.end - entry.start >= 4 and data[entry.start + 3] & 1
        if entry.kind not in _REFERENCES or not itself:
            raise unreadable("the coded data lies outside of the file")
        blank(data, entry.start, entry.start + 3)
        data[entry.start + 3] = 1
        blank(data, entry.start + 4, entry.end)
    return set()


_SCRUBBERS: dict[bytes, Callable[[bytearray, Box], set[Finding]]] = {
    b"mvhd": _mvhd,
    b"tkhd": _tkhd,
    b"mdhd": _mdhd,
    b"hdlr": _hdlr,
    b"smhd": _ends(6),
    b"vmhd": _ends(12),
    b"clef": _ends(12),
    b"prof": _ends(12),
    b"enof": _ends(12),
    b"mehd": _ends(12),
    b"trex": _ends(24),
    b"dref": _dref,
    b"stsd": scrub_descriptions,
    **TABLES,
}
