"""The one thing that tags may hold after all: how loud to play."""

import re
import struct
from typing import BinaryIO

_FIELDS = (
    rb"REPLAYGAIN_TRACK_GAIN[=\0][+-]\d{1,2}\.\d\d dB",
    rb"REPLAYGAIN_TRACK_PEAK[=\0]\d{1,2}\.\d{6}",
    rb"REPLAYGAIN_ALBUM_GAIN[=\0][+-]\d{1,2}\.\d\d dB",
    rb"REPLAYGAIN_ALBUM_PEAK[=\0]\d{1,2}\.\d{6}",
    rb"R128_TRACK_GAIN[=\0]-?\d{1,5}",
    rb"R128_ALBUM_GAIN[=\0]-?\d{1,5}",
)
_KNOWN = re.compile(b"|".join(_FIELDS))
_ENDS = b"APETAGEX\xd0\7\0\0"
_LONGEST = 1_000


def only_gains(comment: bytes) -> bool:
    """Whether a Vorbis comment holds gains, each once, and nothing else."""
    if not comment.startswith(b"\x08\0\0\0pratique") or len(comment) > _LONGEST:
        return False
    (count,) = struct.unpack_from("<I", comment, 12)
    names, at = [], 16
    for _ in range(min(count, len(_FIELDS))):
        (size,) = struct.unpack_from("<I", comment, at)
        field = comment[at + 4 : at + 4 + size]
        if not _KNOWN.fullmatch(field):
            return False
        names.append(field.partition(b"=")[0])
        at += 4 + size
    return at == len(comment) and len(set(names)) == len(names) == count


def sound_start(stream: BinaryIO) -> int:
    """Return where the sound starts: behind a tag of gains, if there is one."""
    stream.seek(0)
    head = stream.read(_LONGEST)
    if head[:8] != b"ID3\3\0\0\0\0" or head[8:10] >= b"\7\x80":
        return 0
    end = 10 + head[8] * 128 + head[9]
    names, at = [], 10
    while at < end:
        kind, size, flags = struct.unpack_from(">4sIH", head, at)
        field = head[at + 11 : at + 10 + size]
        if (kind, flags, head[at + 10]) != (b"TXXX", 0, 0) or not _KNOWN.fullmatch(
            field
        ):
            return 0
        names.append(field.partition(b"\0")[0])
        at += 10 + size
    return end if at == end and len(set(names)) == len(names) else 0


def sound_end(stream: BinaryIO, size: int) -> int:
    """Return where the sound ends: before a tag of gains, if there is one."""
    stream.seek(max(0, size - _LONGEST))
    tail = stream.read(_LONGEST)
    start = tail.find(_ENDS)
    return size - len(tail) + start if start >= 0 and _is_tag(tail[start:]) else size


def _is_tag(tag: bytes) -> bool:
    if len(tag) < 2 * 32:
        return False
    size, count, flags, reserved = struct.unpack_from("<IIIQ", tag, 12)
    ends = tag[:20] == tag[-32:-12] and tag[-12:] == b"\0\0\0\x80" + bytes(8)
    if not ends or flags != 0xA0000000 or reserved or len(tag) != 32 + size:
        return False
    names, at = [], 32
    while at < len(tag) - 32:
        (length,) = struct.unpack_from("<Q", tag, at)
        end = tag.find(b"\0", at + 8) + 1 + length
        if not _KNOWN.fullmatch(tag[at + 8 : end]):
            return False
        names.append(tag[at + 8 : end - length])
        at = end
    return at == len(tag) - 32 and len(set(names)) == len(names) == count
