"""Monkey's Audio from version 3.98 on: descriptor, header, seek table and frames.

The headers of the file that was packed go, with the chunks behind its sound; an
unpacker then writes plain ones. Where the frames lie shifts with that, and the MD5 of
the whole is made anew. Between frames is no room: each ends where the next one starts.

Source: Monkey's Audio SDK 4, MACLib.h and APEInfo.
"""

import hashlib
import struct
from itertools import pairwise
from typing import BinaryIO, NamedTuple

from functions.sanitizer.av.scan import BLOCK, read_at, unreadable
from functions.sanitizer.av.tags_gain import between_tags
from functions.sanitizer.findings import Finding

_DESCRIPTOR = struct.Struct("<4sHHIIIIIII16s")
_HEADER = struct.Struct("<HHIIIHHI")
_FIRST_VERSION = 3980  # older ones are laid out in another way
_MAKE_WAV_HEADER = 1 << 5
_MAX_FRAMES = 1 << 20
_PLAIN = 44  # bytes of a WAV header that says only what its sound is


class _File(NamedTuple):
    """Where the parts of a file lie; *start* is behind any tags before it."""

    start: int
    version: int
    header: bytes
    seeks: list[int]
    frames: int
    end: int
    packed: int  # bytes of the headers of the file that was packed


def strip_ape(source: BinaryIO, output: BinaryIO) -> set[Finding]:
    """Write the descriptor, the header, the seek table, the frames and gains."""
    start, end, findings, tag, _ = between_tags(source, id3=False)
    file = _file(source, start, end)
    first = _DESCRIPTOR.size + _HEADER.size + 4 * len(file.seeks)
    shift = file.frames - file.start - first
    seeks = b"".join(struct.pack("<I", seek - shift) for seek in file.seeks)
    total = file.end - file.frames
    _write(output, file, seeks, bytes(16))
    digest = hashlib.md5(usedforsecurity=False)
    for at in range(file.frames, file.end, BLOCK):
        block = read_at(source, at, min(BLOCK, file.end - at))
        digest.update(block)
        output.write(block)
    digest.update(file.header + seeks)
    output.seek(0)
    _write(output, file, seeks, digest.digest())
    output.seek(first + total)
    output.write(tag)
    if file.packed > _PLAIN or end > file.end:
        findings |= {Finding.AUDIO_TAGS}
    return findings


def _write(output: BinaryIO, file: _File, seeks: bytes, digest: bytes) -> None:
    sizes = (_DESCRIPTOR.size, _HEADER.size, len(seeks), 0, file.end - file.frames)
    output.write(_DESCRIPTOR.pack(b"MAC ", file.version, 0, *sizes, 0, 0, digest))
    output.write(file.header + seeks)


def _file(source: BinaryIO, start: int, end: int) -> _File:
    raw = read_at(source, start, _DESCRIPTOR.size)
    if raw[:4] != b"MAC ":
        raise unreadable("the file does not start like a Monkey's Audio file")
    _, version, _, own, head, table, packed, sound, high, tail, _ = _DESCRIPTOR.unpack(
        raw
    )
    if version < _FIRST_VERSION or high:
        raise unreadable("the file is older, or larger, than can be followed")
    if own < _DESCRIPTOR.size or head < _HEADER.size:
        raise unreadable("the file's headers are too short")
    first = own + head + table + packed
    if start + first + sound + tail > end:
        raise unreadable("the file ends before its sound does")
    fields = _HEADER.unpack(read_at(source, start + own, _HEADER.size))
    if not 0 < fields[4] <= min(table // 4, _MAX_FRAMES):
        raise unreadable("the file does not say where its sound is")
    seeks = _seeks(read_at(source, start + own + head, 4 * fields[4]))
    if seeks[0] != first or seeks[-1] >= first + sound:
        raise unreadable("the file's frames lie outside of its sound")
    header = _HEADER.pack(fields[0], fields[1] | _MAKE_WAV_HEADER, *fields[2:])
    frames = start + first
    return _File(start, version, header, seeks, frames, frames + sound, packed)


def _seeks(table: bytes) -> list[int]:
    seeks = [seek for (seek,) in struct.iter_unpack("<I", table)]
    if any(one >= other for one, other in pairwise(seeks)):
        raise unreadable("the file's frames do not follow each other")
    return seeks
