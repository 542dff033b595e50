"""FLAC: stream info, a checked seek table, gains and the frames.

A frame does not say how long it is. It ends where the next header with the next number
starts, and there its CRC-16 is zero: so every byte that is copied belongs to a frame.
A last frame that was cut goes: nobody can play it, and anything might hide in it.

Source: RFC 9639.
"""

import struct
from itertools import count, pairwise
from typing import BinaryIO

from functions.sanitizer.av.flac.frames import end_of_frames, start_of_frames
from functions.sanitizer.av.scan import (
    bounded,
    copy,
    holds_bytes,
    read_at,
    size_of,
    unreadable,
)
from functions.sanitizer.av.tags import contents, leading, trailing
from functions.sanitizer.av.tags_gain import comment_gains, comment_of
from functions.sanitizer.findings import Finding

_PLACEHOLDER = 0xFFFF_FFFF_FFFF_FFFF
_MAX_SEEK_POINTS = 1 << 16
_LONGEST_GAINS = 1_000  # bytes
_STREAMINFO, _PADDING, _SEEKTABLE, _COMMENT, _CUESHEET, _PICTURE = 0, 1, 3, 4, 5, 6
_KINDS = {
    _COMMENT: Finding.AUDIO_TAGS,
    _CUESHEET: Finding.AUDIO_TAGS,
    _PICTURE: Finding.COVER_PICTURE,
}


def strip_flac(source: BinaryIO, output: BinaryIO) -> set[Finding]:
    """Write STREAMINFO, SEEKTABLE, gains and the frames, nothing else."""
    size = size_of(source)
    start, findings = leading(source, 0, size)
    if read_at(source, start, 4) != b"fLaC":
        raise unreadable("the file does not start like a FLAC file")
    blocks, at, found = _blocks(source, start + 4, size)
    findings |= found
    end, found = trailing(source, at, size)
    findings |= found
    info = blocks[_STREAMINFO]
    first = start_of_frames(source, at, end)
    findings |= contents(source, at, first)
    at, frames_end = first, end_of_frames(source, first, end, info)
    findings |= contents(source, frames_end, end)
    table = _seek_table(blocks.get(_SEEKTABLE, b""), frames_end - at)
    gains = comment_gains(blocks.get(_COMMENT, b""))
    comment = comment_of(gains) if gains else b""
    output.write(b"fLaC" + _block(_STREAMINFO, info, last=not table and not comment))
    if table:
        output.write(_block(_SEEKTABLE, table, last=not comment))
    if comment:
        output.write(_block(_COMMENT, comment, last=True))
    copy(source, output, at, frames_end)
    return findings


def _blocks(
    source: BinaryIO, at: int, end: int
) -> tuple[dict[int, bytes], int, set[Finding]]:
    """Return the blocks that stay, where the frames start, and what goes."""
    kept: dict[int, bytes] = {}
    findings: set[Finding] = set()
    for _ in bounded(count()):
        head = read_at(source, at, 4)
        if len(head) < 4:
            raise unreadable("the file ends before its first sound")
        kind, size = head[0] & 0x7F, int.from_bytes(head[1:], "big")
        start, at = at + 4, at + 4 + size
        if at > end or kind == 127:
            raise unreadable("a block of the file's header is broken")
        if kind in (_STREAMINFO, _SEEKTABLE) and kind not in kept:
            kept[kind] = read_at(source, start, min(size, 18 * _MAX_SEEK_POINTS))
        else:
            findings |= _found(source, kind, start, at)
            if kind == _COMMENT:
                kept.setdefault(kind, read_at(source, start, size))
        if head[0] & 0x80:
            break
    if len(kept.get(_STREAMINFO, b"")) != 34:
        raise unreadable("the file does not say how its sound is coded")
    return kept, at, findings


def _found(source: BinaryIO, kind: int, start: int, end: int) -> set[Finding]:
    if kind == _PADDING:
        return {Finding.PADDING} if holds_bytes(source, start, end) else set()
    if kind == _COMMENT and _says_nothing(source, start, end):
        return set()
    return {_KINDS.get(kind, Finding.APPLICATION_DATA)}


def _says_nothing(source: BinaryIO, start: int, end: int) -> bool:
    """Whether a comment block holds only an encoder's name, or only gains."""
    content = read_at(source, start, min(_LONGEST_GAINS, end - start))
    if content == comment_of(comment_gains(content)):
        return True
    (vendor,) = struct.unpack("<I", content[:4].ljust(4, b"\0"))
    number = read_at(source, start + 4 + vendor, 4)
    broken = start + 8 + vendor > end or len(number) < 4
    return not broken and not any(number)


def _seek_table(table: bytes, size: int) -> bytes:
    """Return the table if it is one; placeholders lose bytes that have no meaning."""
    whole = len(table) - len(table) % 18
    points = list(struct.iter_unpack(">QQH", table[:whole]))
    real = [point for point in points if point[0] != _PLACEHOLDER]
    ascending = all(a[0] < b[0] and a[1] < b[1] for a, b in pairwise(real))
    if not ascending or any(point[1] >= size for point in real):
        return b""
    spare = struct.pack(">QQH", _PLACEHOLDER, 0, 0) * (len(points) - len(real))
    return b"".join(struct.pack(">QQH", *point) for point in real) + spare


def _block(kind: int, content: bytes, *, last: bool) -> bytes:
    return struct.pack(">I", (kind | 0x80 * last) << 24 | len(content)) + content
