"""AIFF and AIFF-C: format, channel layout and samples of an IFF file.

Marks and instruments (`MARK`, `INST`, `MIDI`) go too: they carry names, and players
don't use them. The coding's name in words goes; its code of four letters says the same.

Source: Apple, Audio Interchange File Format AIFF-C, draft of 26 August 1991.
"""

import struct
from typing import BinaryIO

from functions.sanitizer.av.scan import copy, read_at, size_of, unreadable
from functions.sanitizer.av.scan_chunks import Chunk, chunks_of, dropped
from functions.sanitizer.findings import Finding

_KEPT = (b"COMM", b"CHAN", b"SSND")
_VERSION = b"FVER\0\0\0\4\xa2\x80\x51\x40"  # the only version that there is
_CODINGS = frozenset(
    (
        *(b"NONE", b"sowt", b"twos", b"raw ", b"in24", b"in32", b"42ni", b"23ni"),
        *(b"fl32", b"FL32", b"fl64", b"FL64", b"alaw", b"ALAW", b"ulaw", b"ULAW"),
        *(b"ima4", b"MAC3", b"MAC6", b"ADP4", b"DWVW", b"G722", b"GSM "),
    )
)


def strip_aiff(source: BinaryIO, output: BinaryIO) -> set[Finding]:
    """Write `COMM`, `CHAN` and `SSND` (and `FVER` in AIFF-C), nothing else."""
    size = size_of(source)
    head = read_at(source, 0, 12)
    if len(head) < 12 or head[:4] != b"FORM" or head[8:] not in (b"AIFF", b"AIFC"):
        raise unreadable("the file does not start like an AIFF file")
    kept: dict[bytes, Chunk] = {}
    findings: set[Finding] = set()
    for chunk in chunks_of(source, size, ">"):
        if chunk.name in _KEPT and chunk.name not in kept:
            kept[chunk.name] = chunk
        elif chunk.name != b"FVER":
            findings |= dropped(source, chunk)
    if b"COMM" not in kept or kept.get(b"SSND", Chunk(b"", 0, 0, 0)).size < 8:
        raise unreadable("the file holds no sound or does not say how it is coded")
    layout = read_at(source, kept[b"COMM"].start, min(kept[b"COMM"].size, 22))
    heads = _layout(layout, head[8:])
    if b"CHAN" in kept:
        heads += _channels(read_at(source, kept[b"CHAN"].start, 12))
    _write(source, output, head[8:] + heads, kept[b"SSND"])
    return findings


def _layout(content: bytes, form: bytes) -> bytes:
    if len(content) < (18 if form == b"AIFF" else 22):
        raise unreadable("the description of the sound's coding is cut off")
    if form == b"AIFF":
        return _chunk(b"COMM", content[:18])
    if content[18:22] not in _CODINGS:
        raise unreadable("the sound is coded in a way that is not on the list")
    return _VERSION + _chunk(b"COMM", content[:22] + bytes(2))


def _channels(content: bytes) -> bytes:
    """Return the chunk that names the channels, if it does so by a layout's number."""
    # Number 0 lists descriptions instead, number 1 a bit for each channel.
    if len(content) < 12 or content[:4] == bytes(4):
        return b""
    return _chunk(b"CHAN", content[:8] + bytes(4))


def _write(source: BinaryIO, output: BinaryIO, heads: bytes, sound: Chunk) -> None:
    (offset,) = struct.unpack(">I", read_at(source, sound.start, 4))
    if offset > sound.size - 8:
        raise unreadable("the sound starts behind its own end")
    # A length that promises more than there is stays: the sound is as cut as it came.
    declared, there = sound.declared - offset, sound.size - offset
    total = len(heads) + 8 + declared + declared % 2
    output.write(b"FORM" + struct.pack(">I", min(total, 0xFFFF_FFFF)) + heads)
    output.write(b"SSND" + struct.pack(">I", declared) + bytes(8))
    copy(source, output, sound.start + 8 + offset, sound.end)
    if there == declared:
        output.write(bytes(there % 2))


def _chunk(name: bytes, content: bytes) -> bytes:
    return name + struct.pack(">I", len(content)) + content
