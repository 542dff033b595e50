"""The fields of the boxes that stay: times, names and leftovers become zeros.

Source: ISO/IEC 14496-12, 8; Apple's QuickTime File Format.
"""

from collections.abc import Callable

from functions.sanitizer.av.mp4_boxes import Box, blank, boxes_in, free
from functions.sanitizer.av.mp4_sound import scrub_descriptions
from functions.sanitizer.av.scan import unreadable
from functions.sanitizer.findings import Finding

_UNDETERMINED = b"\x55\xc4"  # the language `und`
_ROLLS = (b"roll", b"prol")  # how many packets a decoder needs to warm up


def _times(data: bytearray, box: Box, lengths: tuple[int, int]) -> bool:
    """Zero creation and modification time; return whether there were any."""
    if box.end - box.start < 4 or data[box.start] > 1:
        raise unreadable("a header in the table of contents is broken")
    wide = data[box.start]
    end = box.start + lengths[wide]
    if box.end < end:
        raise unreadable("a header in the table of contents is cut off")
    blank(data, end, box.end)
    return blank(data, box.start + 4, box.start + (20 if wide else 12))


def _mvhd(data: bytearray, box: Box) -> set[Finding]:
    dated = _times(data, box, (100, 112))
    end = box.start + (112 if data[box.start] else 100)
    blank(data, end - 74, end - 64)
    blank(data, end - 28, end - 4)  # QuickTime's preview and selection times
    return {Finding.TIMESTAMP} if dated else set()


def _tkhd(data: bytearray, box: Box) -> set[Finding]:
    dated = _times(data, box, (84, 96))
    return {Finding.TIMESTAMP} if dated else set()


def _mdhd(data: bytearray, box: Box) -> set[Finding]:
    dated = _times(data, box, (24, 36))
    end = box.start + (36 if data[box.start] else 24)
    data[end - 4 : end] = _UNDETERMINED + b"\0\0"
    return {Finding.TIMESTAMP} if dated else set()


def _hdlr(data: bytearray, box: Box) -> set[Finding]:
    if box.end - box.start < 24:
        raise unreadable("a header in the table of contents is cut off")
    if data[box.start + 4 : box.start + 8] != b"mhlr":
        blank(data, box.start + 4, box.start + 8)
    blank(data, box.start + 12, box.start + 24)
    named = blank(data, box.start + 24, box.end)
    return {Finding.AUDIO_TAGS} if named else set()


def _smhd(data: bytearray, box: Box) -> set[Finding]:
    blank(data, box.start + 6, box.end)
    return set()


def _dref(data: bytearray, box: Box) -> set[Finding]:
    for entry in boxes_in(data, box.start + 8, box.end):
        itself = entry.end - entry.start >= 4 and data[entry.start + 3] & 1
        if entry.kind not in (b"url ", b"alis", b"rsrc") or not itself:
            raise unreadable("the sound lies outside of the file")
        blank(data, entry.start + 4, entry.end)
    return set()


def _table(entry_bytes: int, head: int = 8) -> Callable[[bytearray, Box], set[Finding]]:
    """Return what zeroes the bytes behind a table's last entry."""

    def scrub(data: bytearray, box: Box) -> set[Finding]:
        count = int.from_bytes(data[box.start + head - 4 : box.start + head], "big")
        return _leftover(data, box, box.start + head + count * entry_bytes)

    return scrub


def _leftover(data: bytearray, box: Box, end: int) -> set[Finding]:
    if end > box.end:
        raise unreadable("a table in the table of contents is cut off")
    return {Finding.PADDING} if blank(data, end, box.end) else set()


def _elst(data: bytearray, box: Box) -> set[Finding]:
    wide = box.end > box.start and data[box.start] == 1
    return _table(20 if wide else 12)(data, box)


def _stsz(data: bytearray, box: Box) -> set[Finding]:
    same_size = any(data[box.start + 4 : box.start + 8])
    return _table(0 if same_size else 4, head=12)(data, box)


def _group(data: bytearray, box: Box) -> set[Finding]:
    """Keep groups of samples that say how a decoder warms up; drop every other."""
    described = box.kind == b"sgpd"
    head = bytes(data[box.start : box.start + 12])
    rolling = head[4:8] in _ROLLS and head[0] == described
    if described:
        rolling &= head[8:] == b"\0\0\0\2"  # bytes an entry
    if not rolling:
        free(data, box)
        return set()
    return _table(2, head=16)(data, box) if described else _table(8, head=12)(data, box)


SCRUBBERS: dict[bytes, Callable[[bytearray, Box], set[Finding]]] = {
    b"mvhd": _mvhd,
    b"tkhd": _tkhd,
    b"mdhd": _mdhd,
    b"hdlr": _hdlr,
    b"smhd": _smhd,
    b"dref": _dref,
    b"elst": _elst,
    b"stsd": scrub_descriptions,
    b"stts": _table(8),
    b"ctts": _table(8),
    b"stsc": _table(12),
    b"stsz": _stsz,
    b"stco": _table(4),
    b"co64": _table(8),
    b"sgpd": _group,
    b"sbgp": _group,
}
