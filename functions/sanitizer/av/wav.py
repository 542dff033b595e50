"""WAV: format, sample count and samples of a RIFF file.

Loop points (`smpl`, `cue `, `inst`) go too: samplers write their maker and product
into them, and players don't use them.

Source: Microsoft and IBM, Multimedia Programming Interface 1.0; RFC 2361 for the tags.
"""

import struct
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from functions.sanitizer.av.scan import (
    bounded,
    copy,
    holds_bytes,
    read_at,
    size_of,
    unreadable,
)
from functions.sanitizer.findings import Finding

# Bytes of codec set-up that follow the first 18 of `fmt `, by format tag.
_SETUP = {
    0x0001: 0,  # PCM
    0x0002: 32,  # Microsoft ADPCM with its seven coefficient pairs
    0x0003: 0,  # float
    0x0006: 0,  # A-law
    0x0007: 0,  # µ-law
    0x0011: 2,  # IMA ADPCM
    0x0031: 2,  # GSM 6.10
    0x0055: 12,  # MPEG layer III
    0xFFFE: 22,  # extensible
}
_SUBTYPES = (
    bytes.fromhex("000000001000800000aa00389b71"),  # the base of all format tags
    bytes.fromhex("00002107d3118644c8c1ca000000"),  # ambisonic B-format
)
_PLAIN = (b"\1\0", b"\3\0", b"\6\0", b"\7\0")  # tags without set-up of their own
_ENDLESS = 0xFFFFFFFF  # written by programs that could not seek back

_KINDS = {
    b"LIST": Finding.AUDIO_TAGS,
    b"id3 ": Finding.AUDIO_TAGS,
    b"ID3 ": Finding.AUDIO_TAGS,
    b"bext": Finding.AUDIO_TAGS,
    b"iXML": Finding.AUDIO_TAGS,
    b"cart": Finding.AUDIO_TAGS,
    b"DISP": Finding.AUDIO_TAGS,
    b"_PMX": Finding.XMP,
    b"PEAK": Finding.TIMESTAMP,
    b"JUNK": Finding.PADDING,
    b"junk": Finding.PADDING,
    b"PAD ": Finding.PADDING,
    b"FLLR": Finding.PADDING,
}


class Chunk(NamedTuple):
    """A chunk: where its content starts, how long it says it is, how much is there."""

    name: bytes
    start: int
    declared: int
    size: int


def strip_wav(source: BinaryIO, output: BinaryIO) -> set[Finding]:
    """Write `fmt `, `fact` and `data`, nothing else."""
    size = size_of(source)
    head = read_at(source, 0, 12)
    if len(head) < 12 or head[:4] != b"RIFF" or head[8:] != b"WAVE":
        raise unreadable("the file does not start like a WAV file")
    kept: dict[bytes, Chunk] = {}
    findings: set[Finding] = set()
    for chunk in bounded(_chunks(source, size)):
        if chunk.name in (b"fmt ", b"fact", b"data") and chunk.name not in kept:
            kept[chunk.name] = chunk
        else:
            findings |= _found(source, chunk)
    if b"fmt " not in kept or b"data" not in kept:
        raise unreadable("the file holds no sound or does not say how it is coded")
    _write(source, output, kept)
    return findings


def _chunks(source: BinaryIO, end: int) -> Iterator[Chunk]:
    """Walk to the last byte; the size in the RIFF header is wrong too often to help."""
    at = 12
    while at + 8 <= end:
        name, declared = struct.unpack("<4sI", read_at(source, at, 8))
        size = min(declared, end - at - 8)
        yield Chunk(name, at + 8, declared, size)
        at += 8 + size + (declared % 2 if declared == size else 0)
    if at < end:
        yield Chunk(b"", at, end - at, end - at)


def _found(source: BinaryIO, chunk: Chunk) -> set[Finding]:
    """Name what a dropped chunk was; zeros between chunks were nothing."""
    end = chunk.start + chunk.size
    kind = _KINDS.get(chunk.name, Finding.APPLICATION_DATA)
    if not chunk.name.strip(b"\0"):
        kind = Finding.TRAILING_DATA
    padding = kind in (Finding.PADDING, Finding.TRAILING_DATA)
    if padding and not holds_bytes(source, chunk.start, end):
        return set()
    findings = {kind}
    if chunk.name == b"bext":
        findings.add(Finding.TIMESTAMP)
    if chunk.name.lower() == b"id3 " and b"APIC" in read_at(
        source, chunk.start, 1 << 20
    ):
        findings.add(Finding.COVER_PICTURE)
    return findings


def _write(source: BinaryIO, output: BinaryIO, kept: dict[bytes, Chunk]) -> None:
    layout = kept[b"fmt "]
    head = _chunk(b"fmt ", _format(read_at(source, layout.start, min(layout.size, 64))))
    if b"fact" in kept and kept[b"fact"].size >= 4:
        head += _chunk(b"fact", read_at(source, kept[b"fact"].start, 4))
    data = kept[b"data"]
    total = 4 + len(head) + 8 + data.declared + data.declared % 2
    output.write(b"RIFF" + struct.pack("<I", min(total, _ENDLESS)) + b"WAVE" + head)
    # A length that promises more than there is stays: the sound is as cut as it came.
    output.write(b"data" + struct.pack("<I", data.declared))
    copy(source, output, data.start, data.start + data.size)
    if data.size == data.declared:
        output.write(bytes(data.size % 2))


def _chunk(name: bytes, content: bytes) -> bytes:
    return name + struct.pack("<I", len(content)) + content


def _format(content: bytes) -> bytes:
    """Return the `fmt ` chunk without bytes that its codec has no use for."""
    if len(content) < 16:
        raise unreadable("the description of the sound's coding is cut off")
    (tag,) = struct.unpack_from("<H", content)
    if tag not in _SETUP:
        raise unreadable("the sound is coded in a way that is not on the list")
    setup = content[18 : 18 + _SETUP[tag]]
    if len(setup) < _SETUP[tag]:
        raise unreadable("the description of the sound's coding is cut off")
    if tag == 0xFFFE and (setup[6:8] not in _PLAIN or setup[8:] not in _SUBTYPES):
        raise unreadable("the sound is coded in a way that is not on the list")
    return content[:16] + (struct.pack("<H", len(setup)) + setup if setup else b"")
