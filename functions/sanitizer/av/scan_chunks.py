"""Chunks of IFF files and of their little-endian kin, RIFF."""

import struct
from collections.abc import Iterator, Mapping
from typing import BinaryIO, NamedTuple

from functions.sanitizer.av.scan import bounded, holds_bytes, read_at
from functions.sanitizer.findings import Finding

_KINDS = {
    b"LIST": Finding.AUDIO_TAGS,
    b"bext": Finding.AUDIO_TAGS,
    b"iXML": Finding.AUDIO_TAGS,
    b"axml": Finding.AUDIO_TAGS,
    b"cart": Finding.AUDIO_TAGS,
    b"DISP": Finding.AUDIO_TAGS,
    b"NAME": Finding.AUDIO_TAGS,
    b"AUTH": Finding.AUDIO_TAGS,
    b"(c) ": Finding.AUDIO_TAGS,
    b"ANNO": Finding.COMMENT,
    b"COMT": Finding.COMMENT,
    b"_PMX": Finding.XMP,
    b"PEAK": Finding.TIMESTAMP,
    b"JUNK": Finding.PADDING,
    b"junk": Finding.PADDING,
    b"PAD ": Finding.PADDING,
    b"FLLR": Finding.PADDING,
}
_DATED = (b"bext", b"COMT")


class Chunk(NamedTuple):
    """A chunk: where its content starts, how long it says it is, how much is there."""

    name: bytes
    start: int
    declared: int
    size: int

    @property
    def end(self) -> int:
        """Where its content ends in the file."""
        return self.start + self.size


def chunks_of(
    source: BinaryIO, end: int, order: str, large: Mapping[bytes, int] | None = None
) -> Iterator[Chunk]:
    """Walk to the last byte; the size in the file's header is wrong too often to help.

    Args:
        order: `<` or `>`, as struct has it.
        large: sizes of the chunks that say they are 0xFFFFFFFF bytes long.
    """
    return bounded(_walk(source, end, order, large or {}))


def dropped(source: BinaryIO, chunk: Chunk) -> set[Finding]:
    """Name what a chunk was that goes; zeros between chunks were nothing."""
    kind = _KINDS.get(chunk.name, Finding.APPLICATION_DATA)
    if chunk.name.lower() == b"id3 ":
        kind = Finding.AUDIO_TAGS
    elif not chunk.name.strip(b"\0"):
        kind = Finding.TRAILING_DATA
    padding = kind in (Finding.PADDING, Finding.TRAILING_DATA)
    if padding and not holds_bytes(source, chunk.start, chunk.end):
        return set()
    findings = {kind}
    if chunk.name in _DATED:
        findings.add(Finding.TIMESTAMP)
    if kind is Finding.AUDIO_TAGS and b"APIC" in read_at(source, chunk.start, 1 << 20):
        findings.add(Finding.COVER_PICTURE)
    return findings


def _walk(
    source: BinaryIO, end: int, order: str, large: Mapping[bytes, int]
) -> Iterator[Chunk]:
    at = 12
    while at + 8 <= end:
        name, declared = struct.unpack(f"{order}4sI", read_at(source, at, 8))
        if declared == 0xFFFF_FFFF:
            declared = large.get(name, declared)
        size = min(declared, end - at - 8)
        yield Chunk(name, at + 8, declared, size)
        at += 8 + size + (declared % 2 if declared == size else 0)
    if at < end:
        yield Chunk(b"", at, end - at, end - at)
