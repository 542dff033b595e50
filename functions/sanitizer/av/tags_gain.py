"""How loud to play: numbers that are taken out of tags and written again in one form.

ReplayGain and EBU R128 gains change what is heard and say nothing about anybody. What
is not exactly such a number goes with the rest of the tag. They stay in the tag that
players of a format read: Vorbis comments (FLAC, Ogg), ID3v2 (MP3, AAC) or APEv2
(WavPack, Monkey's Audio). Players agree on no place for them in other containers.

Sources: the ReplayGain 2.0 specification, RFC 7845 (section 5.2.1), the APEv2
specification, id3.org (TXXX).
"""

import re
import struct
from collections.abc import Iterable, Iterator
from typing import BinaryIO, NamedTuple

from functions.sanitizer.av.scan import read_at, size_of
from functions.sanitizer.av.tags import leading, trailing
from functions.sanitizer.findings import Finding

VENDOR = b"pratique"  # the specifications want a name there; this one says nothing
Gains = dict[str, str]
_DECIBELS = re.compile(
    r"([+-]?\d{1,2}(?:\.\d{1,8})?)(?: ?dB)?", re.ASCII | re.IGNORECASE
)
_PEAK = re.compile(r"(\d{1,2}(?:\.\d{1,12})?)", re.ASCII)
_STEPS = re.compile(r"([+-]?\d{1,5})", re.ASCII)
_FORMS = {
    "REPLAYGAIN_TRACK_GAIN": (_DECIBELS, "{:+.2f} dB"),
    "REPLAYGAIN_TRACK_PEAK": (_PEAK, "{:.6f}"),
    "REPLAYGAIN_ALBUM_GAIN": (_DECIBELS, "{:+.2f} dB"),
    "REPLAYGAIN_ALBUM_PEAK": (_PEAK, "{:.6f}"),
    "R128_TRACK_GAIN": (_STEPS, "{:.0f}"),
    "R128_ALBUM_GAIN": (_STEPS, "{:.0f}"),
}
_SCAN = 1 << 20  # bytes of a tag in which gains are looked for
_MAX_FIELDS = 1_000
_ENCODINGS = ("latin-1", "utf-16", "utf-16-be", "utf-8")  # of ID3v2
_TAG_HEAD = struct.Struct("<8sIIIIQ")


class Sound(NamedTuple):
    """Where the sound lies between tags, what they were, and the tag that stays."""

    start: int
    end: int
    findings: set[Finding]
    tag: bytes
    tagged: bool


def between_tags(source: BinaryIO, *, id3: bool) -> Sound:
    """Return what is left of a file without the tags before and behind its sound.

    Args:
        id3: gains stay in an ID3v2 tag before the sound, not in an APEv2 tag behind it.
    """
    size = size_of(source)
    start, findings = leading(source, 0, size)
    end, found = trailing(source, start, size)
    gains = _tag_gains(source, start, end, size)
    tag = _id3_of(gains) if id3 else _ape_of(gains)
    place, length = (0, start) if id3 else (end, size - end)
    if length == len(tag) and read_at(source, place, length) == tag:
        findings, found = (set(), found) if id3 else (findings, set())
    tagged = end < size or (bool(tag) and not id3)
    return Sound(start, end, findings | found, tag, tagged)


def comment_gains(comment: bytes) -> Gains:
    """Return the gains in a Vorbis comment; none in one that can't be read."""
    return _gains(_comments(comment))


def comment_of(gains: Gains) -> bytes:
    """Return a Vorbis comment that holds gains, and nothing else."""
    fields = [f"{name}={value}".encode() for name, value in gains.items()]
    head = struct.pack("<I", len(VENDOR)) + VENDOR + struct.pack("<I", len(fields))
    return head + b"".join(struct.pack("<I", len(field)) + field for field in fields)


def _tag_gains(source: BinaryIO, start: int, end: int, size: int) -> Gains:
    head = read_at(source, 0, min(start, _SCAN))
    tail_bytes = min(size - end, _SCAN)
    tail = read_at(source, size - tail_bytes, tail_bytes)
    return _gains([*_id3_texts(head), *_ape_items(tail)])


def _id3_of(gains: Gains) -> bytes:
    """Return an ID3v2.3 tag that holds gains, and nothing else; nothing for none."""
    fields = [f"\0{name}\0{value}".encode() for name, value in gains.items()]
    frames = b"".join(struct.pack(">4sIH", b"TXXX", len(f), 0) + f for f in fields)
    size = len(frames) >> 7 << 8 | len(frames) & 0x7F  # seven bits a byte
    return b"ID3\3\0\0" + struct.pack(">I", size) + frames if gains else b""


def _ape_of(gains: Gains) -> bytes:
    """Return an APEv2 tag that holds gains, and nothing else; nothing for none."""
    if not gains:
        return b""
    items = b"".join(
        struct.pack("<II", len(value), 0) + name.encode() + b"\0" + value.encode()
        for name, value in gains.items()
    )
    sizes = (2000, len(items) + _TAG_HEAD.size, len(gains))
    head = _TAG_HEAD.pack(b"APETAGEX", *sizes, 0xA000_0000, 0)
    return head + items + _TAG_HEAD.pack(b"APETAGEX", *sizes, 0x8000_0000, 0)


def _gains(pairs: Iterable[tuple[str, str]]) -> Gains:
    """Return the numbers among *pairs* in their one form; of a name's, the first."""
    found: Gains = {}
    for name, value in pairs:
        key = name.upper()
        pattern, form = _FORMS.get(key, (None, ""))
        match = pattern.fullmatch(value.strip()) if pattern else None
        if match and key not in found:
            found[key] = form.format(float(match[1]))
    return {name: found[name] for name in _FORMS if name in found}


def _comments(comment: bytes) -> Iterator[tuple[str, str]]:
    try:
        at = 4 + struct.unpack_from("<I", comment)[0]
        (count,) = struct.unpack_from("<I", comment, at)
        at += 4
        for _ in range(min(count, _MAX_FIELDS)):
            (size,) = struct.unpack_from("<I", comment, at)
            name, _, value = comment[at + 4 : at + 4 + min(size, 64)].partition(b"=")
            yield name.decode("latin-1"), value.decode("latin-1")
            at += 4 + size
    except struct.error:
        return


def _ape_items(tail: bytes) -> Iterator[tuple[str, str]]:
    footer = tail.rfind(b"APETAGEX")
    if footer < 0 or len(tail) < footer + 32:
        return
    size, count = struct.unpack_from("<II", tail, footer + 12)
    at = footer + 32 - size
    for _ in range(min(count, _MAX_FIELDS)):
        name_end = tail.find(b"\0", at + 8, at + 300) if at >= 0 else -1
        if name_end < 0:
            return
        (length,) = struct.unpack_from("<I", tail, at)
        name, value = tail[at + 8 : name_end], tail[name_end + 1 :][: min(length, 64)]
        yield name.decode("latin-1"), value.decode("latin-1")
        at = name_end + 1 + length


def _id3_texts(head: bytes) -> Iterator[tuple[str, str]]:
    """Return the names and values of an ID3v2.3 or 2.4 tag's own texts."""
    if head[:3] != b"ID3" or head[3:4] not in (b"\3", b"\4"):
        return
    bits = 7 if head[3] == 4 else 8
    at = 10
    for _ in range(_MAX_FIELDS):
        kind, raw = head[at : at + 4], head[at + 4 : at + 8]
        size = sum(byte << bits * place for place, byte in enumerate(reversed(raw)))
        if not kind.isalnum() or len(raw) < 4:
            return
        body = head[at + 10 : at + 10 + min(size, 200)]
        if kind == b"TXXX" and body and body[0] < len(_ENCODINGS):
            text = body[1:].decode(_ENCODINGS[body[0]], "replace")
            name, _, value = text.rstrip("\0").partition("\0")
            yield name, value.lstrip("\ufeff")
        at += 10 + size
