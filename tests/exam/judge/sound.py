"""What audio files hold besides sound: chunks, blocks, tags."""

import io
import struct
from collections.abc import Iterable

import mutagen

from tests.exam.judge.mpeg import between, seconds, syncsafe
from tests.exam.judge.scan import Scan, shown

_WAV = frozenset((b"fmt ", b"data", b"fact", b"ds64"))
_LAYOUTS = (16, 18, 20, 30, 40, 50)
_AIFF = frozenset((b"COMM", b"SSND", b"FVER", b"CHAN"))
_LEVELS = ("replaygain_", "r128_", "itunnorm", "itunsmpb", "itunpgap")
_SUFFIXES = {"wavpack": "wv", "asf": "wma"}
_BROKEN = (
    OSError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    ArithmeticError,
    EOFError,
    RuntimeError,  # RecursionError too
    struct.error,
    mutagen.MutagenError,
)


def scan_wav(found: Scan) -> None:
    """Note every leak of a RIFF file."""
    _chunks(found, _WAV, "little")


def scan_aiff(found: Scan) -> None:
    """Note every leak of an AIFF file."""
    _chunks(found, _AIFF, "big")


def _chunks(found: Scan, needed: frozenset[bytes], order: str) -> None:
    at = 12
    while at + 8 <= len(found.data):
        kind, size = found.data[at : at + 4], found.number(at + 4, 4, order)
        if size == 0xFFFFFFFF:  # RF64: what it is stands in ds64
            return
        start, end = at + 8, at + 8 + size
        if kind == b"fmt " and size not in _LAYOUTS:
            found.leak("chunk", f"a layout of {size} bytes", start, end)
        if kind not in needed:
            found.leak("chunk", f"chunk {shown(kind)}", start, end)
        at = end + size % 2
    found.tail(at)


def scan_flac(found: Scan) -> None:
    """Note every metadata block that no player needs (RFC 9639)."""
    at, last = 4, False
    while not last and at + 4 <= len(found.data):
        head, size = found.data[at], found.number(at + 1, 3)
        last, kind = bool(head & 0x80), head & 0x7F
        if kind not in (0, 3):
            found.leak("flac_block", f"block {kind}", at + 4, at + 4 + size)
        at += 4 + size
    scan_tags(found)
    _ends(found)


def scan_mpeg(found: Scan) -> None:
    """Note tags at both ends."""
    scan_tags(found)
    if found.data.startswith(b"ID3"):
        found.leak("audio_tags", "ID3v2", 0, 10 + syncsafe(found.data[6:10]))
    _ends(found)
    between(found)


def scan_packed(found: Scan) -> None:
    """Note tags at both ends of what is not MPEG."""
    scan_tags(found)
    _ends(found)


def _ends(found: Scan) -> None:
    size = len(found.data)
    for mark, back in ((b"TAG", 128), (b"APETAGEX", 32), (b"LYRICS200", 9)):
        for behind in (0, 128):
            at = size - back - behind
            if at >= 0 and found.data.startswith(mark, at):
                found.leak("audio_tags", f"{shown(mark)} at the end", at, size)


def scan_tags(found: Scan) -> None:
    """Note what mutagen calls a tag or a picture."""
    try:
        media = mutagen.File(io.BytesIO(found.data))
    except _BROKEN:
        return
    if media is None or says_how_loud(media):
        return
    if len(media.tags or ()) > 0:
        found.leak("audio_tags", f"{len(media.tags)} tags")
    if getattr(media, "pictures", ()):
        found.leak("cover_picture", "a picture")


def says_how_loud(media: mutagen.FileType) -> bool:
    """Say whether all tags are gains and gaps: numbers that players need."""
    tags: Iterable[object] = media.tags or ()
    names = [str(tag).lower() for tag in tags]
    return bool(names) and all(
        any(level in each for level in _LEVELS) for each in names
    )


def only_levels(data: bytes, kind: str) -> bool:
    """Say the same of a whole file; false without tags."""
    try:
        media = _opened(data, kind)
    except _BROKEN:
        return False
    return media is not None and says_how_loud(media)


def _opened(data: bytes, kind: str) -> mutagen.FileType | None:
    file = _Named(data)
    file.name = f"a.{_SUFFIXES.get(kind, kind)}"
    media: mutagen.FileType | None = mutagen.File(file)
    return media


class _Named(io.BytesIO):
    """Bytes with a name: some kinds of file mutagen tells by that alone."""

    name: str = ""


def length_s(data: bytes, kind: str) -> float | None:
    """Return how long a sound lasts; None where that can't be told."""
    try:
        if kind == "mp3":  # others guess from the size: tags would count as sound
            return seconds(data)
        media = _opened(data, kind)
    except _BROKEN:
        return None
    return None if media is None else float(getattr(media.info, "length", 0.0))
