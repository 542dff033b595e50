"""Tags that any program may hang before or behind a stream of audio frames.

Sources: id3.org (ID3v1, ID3v2.2 to 2.4, Lyrics3 v1 and v2), the APEv2 specification.
"""

from itertools import count
from typing import BinaryIO

from functions.sanitizer.av.scan import bounded, holds_bytes, read_at
from functions.sanitizer.findings import Finding

_LYRICS3V1_MAX = 5_100  # bytes of text, and the words around it
_PICTURES = (b"APIC", b"PIC\0", b"Cover Art")
_SCAN = 1 << 20


def leading(source: BinaryIO, at: int, end: int) -> tuple[int, set[Finding]]:
    """Return where the ID3v2 tags at *at* end, and what they were."""
    findings: set[Finding] = set()
    for _ in bounded(count()):
        size = _id3v2_size(read_at(source, at, 10))
        if not size:
            break
        findings |= contents(source, at, min(at + size, end))
        at += size
    return min(at, end), findings


def trailing(source: BinaryIO, start: int, end: int) -> tuple[int, set[Finding]]:
    """Return where the tags that end at *end* begin, and what they were."""
    findings: set[Finding] = set()
    for _ in bounded(count()):
        size = _trailing_size(source, start, end)
        if not size:
            break
        findings |= contents(source, end - size, end)
        end -= size
    return end, findings


def contents(source: BinaryIO, start: int, end: int) -> set[Finding]:
    """Name what is between *start* and *end*: a tag, its picture, or just bytes."""
    if not holds_bytes(source, start, end):
        return set()
    head = read_at(source, start, min(_SCAN, end - start))
    known = (b"ID3", b"TAG", b"APETAGEX", b"LYRICSBEGIN")
    if not head.startswith(known) and b"APETAGEX" not in head[-32:]:
        return {Finding.TRAILING_DATA}
    findings = {Finding.AUDIO_TAGS}
    if any(name in head for name in _PICTURES):
        findings.add(Finding.COVER_PICTURE)
    return findings


def _id3v2_size(head: bytes) -> int:
    """Return the length of the ID3v2 tag that starts with *head*; 0 if it is none."""
    if len(head) < 10 or head[:3] != b"ID3" or max(head[6:10]) > 0x7F or head[3] == 255:
        return 0
    size = head[6] << 21 | head[7] << 14 | head[8] << 7 | head[9]
    return size + (20 if head[5] & 0x10 else 10)


def _trailing_size(source: BinaryIO, start: int, end: int) -> int:
    for measure in (_id3v1_size, _ape_size, _lyrics3_size, _id3v2_footer_size):
        size = measure(source, end)
        if 0 < size <= end - start:
            return size
    return 0


def _before(source: BinaryIO, end: int, size: int) -> bytes:
    return read_at(source, end - size, size) if end >= size else b""


def _id3v1_size(source: BinaryIO, end: int) -> int:
    if _before(source, end, 128)[:3] != b"TAG":
        return 0
    extended = _before(source, end - 128, 227)[:4] == b"TAG+"
    return 128 + (227 if extended else 0)


def _ape_size(source: BinaryIO, end: int) -> int:
    footer = _before(source, end, 32)
    if footer[:8] != b"APETAGEX":
        return 0
    size, flags = int.from_bytes(footer[12:16], "little"), footer[23]
    return max(32, size + (32 if flags & 0x80 else 0))


def _lyrics3_size(source: BinaryIO, end: int) -> int:
    footer = _before(source, end, 15)
    if footer[6:] == b"LYRICS200" and footer[:6].isdigit():
        return int(footer[:6]) + 15
    if footer[6:] != b"LYRICSEND":
        return 0
    text = _before(source, end, min(end, _LYRICS3V1_MAX + 20))
    begin = text.rfind(b"LYRICSBEGIN")
    return len(text) - begin if begin >= 0 else 0


def _id3v2_footer_size(source: BinaryIO, end: int) -> int:
    footer = _before(source, end, 10)
    return _id3v2_size(b"ID3" + footer[3:]) if footer[:3] == b"3DI" else 0
