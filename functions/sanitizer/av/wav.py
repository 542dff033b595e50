"""WAV, RF64 and BW64: format, sample count and samples of a RIFF file.

Loop points (`smpl`, `cue `, `inst`) go too: samplers write their maker and product
into them, and players don't use them.

Source: Microsoft and IBM, Multimedia Programming Interface 1.0; RFC 2361 for the tags;
EBU Tech 3306 and ITU-R BS.2088 for files of 4 GiB and more.
"""

import struct
from typing import BinaryIO

from functions.sanitizer.av.mpeg.strip import copy_mpeg
from functions.sanitizer.av.scan import copy, read_at, size_of, unreadable
from functions.sanitizer.av.scan_chunks import Chunk, chunks_of, dropped
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
    0x0050: 22,  # MPEG layers I and II
    0x0055: 12,  # MPEG layer III
    0x2000: 0,  # AC-3
    0x2001: 0,  # DTS
    0xFFFE: 22,  # extensible
}
_MPEG = (0x0050, 0x0055)
_SUBTYPES = (
    bytes.fromhex("000000001000800000aa00389b71"),  # the base of all format tags
    bytes.fromhex("00002107d3118644c8c1ca000000"),  # ambisonic B-format
)
_PLAIN = (b"\1\0", b"\3\0", b"\6\0", b"\7\0")  # tags without set-up of their own
_ENDLESS = 0xFFFF_FFFF  # the size is in `ds64`, or the program could not seek back
_LARGE = (b"RF64", b"BW64")
_MAX_LARGE = 100  # chunks other than the sound that need a size of 64 bits


def strip_wav(source: BinaryIO, output: BinaryIO) -> set[Finding]:
    """Write `ds64`, `fmt `, `fact` and `data`, nothing else."""
    size = size_of(source)
    head = read_at(source, 0, 12)
    if head[:4] not in (b"RIFF", *_LARGE) or head[8:] != b"WAVE":
        raise unreadable("the file does not start like a WAV file")
    large = _sizes(source) if head[:4] in _LARGE else {}
    kept: dict[bytes, Chunk] = {}
    findings: set[Finding] = set()
    for chunk in chunks_of(source, size, "<", large):
        if chunk.name in (b"fmt ", b"fact", b"data") and chunk.name not in kept:
            kept[chunk.name] = chunk
        elif chunk.name != b"ds64" or not large:
            findings |= dropped(source, chunk)
    if b"fmt " not in kept or b"data" not in kept:
        raise unreadable("the file holds no sound or does not say how it is coded")
    return findings | _write(source, output, head[:4], kept, large.get(b"fact", 0))


def _sizes(source: BinaryIO) -> dict[bytes, int]:
    """Return the sizes that `ds64` gives; under `fact` the number of samples."""
    name, size = struct.unpack("<4sI", read_at(source, 12, 8))
    if name != b"ds64" or size < 28:
        raise unreadable("the file does not say how large it is")
    _, data, samples, count = struct.unpack("<QQQI", read_at(source, 20, 28))
    table = read_at(source, 48, min(size - 28, 12 * count, 12 * _MAX_LARGE))
    whole = table[: len(table) - len(table) % 12]
    sizes = dict(struct.iter_unpack("<4sQ", whole))
    return sizes | {b"data": data, b"fact": samples}


def _write(
    source: BinaryIO,
    output: BinaryIO,
    form: bytes,
    kept: dict[bytes, Chunk],
    samples: int,
) -> set[Finding]:
    layout = kept[b"fmt "]
    content = _format(read_at(source, layout.start, min(layout.size, 64)))
    head = _chunk(b"fmt ", content)
    if b"fact" in kept and kept[b"fact"].size >= 4:
        head += _chunk(b"fact", read_at(source, kept[b"fact"].start, 4))
    data = kept[b"data"]
    output.write(_head(form, head, data.declared, samples))
    findings, declared = _sound(source, output, data, content)
    if declared != data.declared:
        output.seek(0)
        output.write(_head(form, head, declared, samples))
    return findings


def _head(form: bytes, head: bytes, declared: int, samples: int) -> bytes:
    """Return everything before the sound."""
    total = 4 + len(head) + 8 + declared + declared % 2
    if form in _LARGE:
        sizes = struct.pack("<QQQI", total + 36, declared, samples, 0)
        opening = form + b"\xff" * 4 + b"WAVE" + _chunk(b"ds64", sizes)
        return opening + head + b"data" + b"\xff" * 4
    opening = form + struct.pack("<I", min(total, _ENDLESS)) + b"WAVE"
    return opening + head + b"data" + struct.pack("<I", declared)


def _sound(
    source: BinaryIO, output: BinaryIO, data: Chunk, layout: bytes
) -> tuple[set[Finding], int]:
    """Write the samples; return what went from between them, and their length."""
    findings: set[Finding] = set()
    # A length that promises more than there is stays: the sound is as cut as it came.
    declared, whole = data.declared, data.size == data.declared
    if data.size and struct.unpack_from("<H", layout)[0] in _MPEG:
        start = output.tell()
        findings = copy_mpeg(source, output, data.start, data.end)
        written = output.tell() - start
        declared = written if whole else max(declared - data.size + written, written)
    else:
        copy(source, output, data.start, data.end)
    if whole:
        output.write(bytes(declared % 2))
    return findings, declared


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
