"""WavPack: blocks of sound, each with the sub-blocks that are needed to decode it.

The headers of the file that was packed (`RIFF header` and `trailer`, where BWF has its
originator) and its name's ending go; an unpacker then writes a plain header of its own.
A block that something went from loses its optional checksum; that of the samples stays.
A last block that was cut goes: nobody can play it, and anything might hide in it.

Source: WavPack 4 & 5 Binary File / Block Format, 25 December 2020.
"""

import struct
from typing import BinaryIO, NamedTuple

from functions.sanitizer.av.scan import holds_bytes, read_at, unreadable
from functions.sanitizer.av.tags_gain import between_tags
from functions.sanitizer.findings import Finding

_HEAD = 32
_MAX_BLOCK = 1 << 24  # the reference library refuses larger ones
_MAX_SUB_BLOCKS = 100  # of a block; encoders write about fifteen
_HAS_CHECKSUM = 1 << 28
_LONGEST_CHECKSUM = 6
_UNIQUE, _OPTIONAL, _ODD, _LARGE = 0x3F, 0x20, 0x40, 0x80
_SOUND = (0x0A, 0x0B, 0x0C, 0x0E, 0x2C)  # bitstreams: any length
# What decoding needs, and how many bytes of it there can be.
_SETUP = {
    0x02: 16,  # decorrelation terms
    0x03: 32,  # decorrelation weights
    0x04: 256,  # decorrelation samples
    0x05: 12,  # entropy variables
    0x06: 12,  # hybrid profile
    0x07: 64,  # shaping weights
    0x08: 4,  # float info
    0x09: 4,  # integer info
    0x0D: 7,  # channel count and mask
    0x25: 8,  # configuration of the encoder
    0x26: 16,  # MD5 of the samples
    0x27: 4,  # sample rate
    0x29: 16,  # MD5 of the samples in the file's own byte order
    0x2A: 256,  # layout and order of the file that was packed
    0x2B: 256,  # identities of channels
}
_DUMMY, _ENCODER, _CHECKSUM = 0x00, 0x01, 0x2F
_HEADERS = (0x21, 0x23)  # of the file that was packed: RIFF, others
_KINDS = dict.fromkeys((*_HEADERS, 0x22, 0x24), Finding.AUDIO_TAGS)


class _Part(NamedTuple):
    """A sub-block: its kind, its whole bytes, and those of its content."""

    kind: int
    raw: bytes
    content: bytes


def strip_wavpack(source: BinaryIO, output: BinaryIO) -> set[Finding]:
    """Write gains, and the blocks with the sub-blocks that decoding needs."""
    at, end, findings, tag, _ = between_tags(source, id3=False)
    while block := _block(source, at, end):
        clean, found = _clean(block)
        findings |= found
        output.write(clean)
        at += len(block)
    if not output.tell():
        raise unreadable("the file holds no whole block of sound")
    output.write(tag)
    return findings | _behind(source, at, end)


def _block(source: BinaryIO, at: int, end: int) -> bytes:
    """Return the block at *at*; nothing if none is whole there."""
    head = read_at(source, at, 8)
    if head[:4] != b"wvpk" or len(head) < 8:
        return b""
    size = int.from_bytes(head[4:], "little") + 8
    if not _HEAD <= size <= _MAX_BLOCK or size % 2:
        raise unreadable("a block says that it has a length that no block has")
    return read_at(source, at, size) if at + size <= end else b""


def _behind(source: BinaryIO, at: int, end: int) -> set[Finding]:
    """Name what follows the last block; sound behind it would be lost."""
    cut = read_at(source, at, 4) == b"wvpk"
    if not cut and _more(source, at, end):
        raise unreadable("something between the blocks of sound is no block")
    return set() if cut or not holds_bytes(source, at, end) else {Finding.TRAILING_DATA}


def _more(source: BinaryIO, at: int, end: int) -> bool:
    window = 1 << 18
    return any(
        b"wvpk" in read_at(source, start, min(window + 3, end - start))
        for start in range(at, end, window)
    )


def _clean(block: bytes) -> tuple[bytes, set[Finding]]:
    """Return the block without what decoding does not need; maybe nothing is left."""
    (flags,) = struct.unpack_from("<I", block, 24)
    parts = _parts(block)
    body = b"".join(_canonical(part) for part in parts if _needed(part))
    checksum = b"".join(part.raw for part in parts[-1:] if part.kind == _CHECKSUM)
    if body + checksum == block[_HEAD:] and len(checksum) <= _LONGEST_CHECKSUM:
        return block, set()
    (samples,) = struct.unpack_from("<I", block, 20)
    findings = {found for part in parts for found in _found(part)}
    if not samples and not body:
        return b"", findings
    head = struct.pack("<4sI", b"wvpk", _HEAD - 8 + len(body)) + block[8:24]
    head += struct.pack("<I", flags & ~_HAS_CHECKSUM) + block[28:_HEAD]
    return head + body, findings


def _needed(part: _Part) -> bool:
    if part.kind in _SOUND:
        return True
    if part.kind in _SETUP:
        if len(part.content) > _SETUP[part.kind]:
            raise unreadable("a block's set-up is longer than any can be")
        return True
    if not part.kind & _OPTIONAL and part.kind not in (_DUMMY, _ENCODER):
        raise unreadable("a block is coded in a way that is not on the list")
    return False


def _parts(block: bytes) -> list[_Part]:
    parts: list[_Part] = []
    at = _HEAD
    while at < len(block):
        kind, large = block[at] & _UNIQUE, block[at] & _LARGE
        start = at + (4 if large else 2)
        words = int.from_bytes(block[at + 1 : start], "little")
        end = start + 2 * words
        odd = 1 if block[at] & _ODD else 0
        if end > len(block) or start + odd > end or len(parts) == _MAX_SUB_BLOCKS:
            raise unreadable("a block's inner structure is broken")
        parts.append(_Part(kind, block[at:end], block[start : end - odd]))
        at = end
    return parts


def _canonical(part: _Part) -> bytes:
    """Return a sub-block whose padding says nothing."""
    odd = part.raw[0] & _ODD
    return part.raw[:-1] + b"\0" if odd else part.raw


def _found(part: _Part) -> set[Finding]:
    if part.kind in _SOUND or part.kind in _SETUP or part.kind == _CHECKSUM:
        return set()
    if part.kind == _DUMMY:
        return {Finding.PADDING} if any(part.content) else set()
    if part.kind in _HEADERS and _is_plain(part.content):
        return set()
    return {_KINDS.get(part.kind, Finding.APPLICATION_DATA)}


def _is_plain(header: bytes) -> bool:
    """Whether the header of a file that was packed says only what its sound is."""
    return header[:4] == b"RIFF" and header[12:16] == b"fmt " and len(header) <= 68
