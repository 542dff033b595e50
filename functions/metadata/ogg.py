"""Ogg: the first page says what it is, the last one how long it lasts.

tinytag would walk every page between them; it gets these two as a file of their own.

Sources: RFC 3533, 6; RFC 7845, 4.
"""

import struct
from collections.abc import Iterator
from io import BytesIO
from typing import NamedTuple

from fastcrc import crc32

from functions.metadata.blocks import BLOCK, Blocks
from functions.metadata.errors import cut_off, unreadable
from functions.metadata.sound import Sound

_CAPTURE = b"OggS\0"
_TAIL = 2 * BLOCK  # the longest page has 65,307 bytes
_MAX_STREAMS = 16
_SOUND = (b"\x01vorbis", b"OpusHead", b"Speex   ", b"\x7fFLAC")
_FILM = (b"\x80theora", b"BBCD\0", b"OVP80", b"\x01video")
_FIRST, _LAST = 2, 4


class _Page(NamedTuple):
    start: int
    raw: bytes

    @property
    def end(self) -> int:
        return self.start + len(self.raw)

    @property
    def flags(self) -> int:
        return self.raw[5]

    @property
    def serial(self) -> bytes:
        return self.raw[14:18]

    @property
    def body(self) -> bytes:
        return self.raw[27 + self.raw[26] :]


def measure_ogg(blocks: Blocks) -> Sound | None:
    """Return the facts of an Ogg file; None if it is a film.

    Raises:
        Rejected: its end is missing.
    """
    openings = _openings(blocks)
    if any(page.body.startswith(_FILM) for page in openings):
        return None
    first = next((page for page in openings if page.body.startswith(_SOUND)), None)
    if first is None:
        raise unreadable("The file holds no stream of sound.")
    ends = _ends(blocks)
    if ends[0].serial not in {page.serial for page in openings}:
        return _chain(blocks)
    last = next((page for page in ends if page.serial == first.serial), None)
    if last is None or not last.flags & _LAST:
        raise cut_off()
    return _sound(first, last, blocks.size_bytes)


def _sound(first: _Page, last: _Page, size_bytes: int) -> Sound:
    sound = Sound.by_tinytag(BytesIO(first.raw + last.raw), "ogg")
    if not sound.duration_seconds and sound.samplerate:
        # FLAC whose encoder left the count of samples out.
        (granule,) = struct.unpack_from("<q", last.raw, 6)
        length = granule / sound.samplerate if granule > 0 else None
        sound = sound.model_copy(update={"duration_seconds": length})
    nominal = sound.bitrate and not first.body.startswith(b"OpusHead")
    return sound if nominal else sound.averaged(size_bytes)


def _openings(blocks: Blocks) -> list[_Page]:
    """Return the first page of every stream that starts with the file."""
    pages: list[_Page] = []
    at = 0
    while len(pages) < _MAX_STREAMS:
        page = _page(blocks, at)
        if page is None or not page.flags & _FIRST:
            break
        pages.append(page)
        at = page.end
    return pages


def _ends(blocks: Blocks) -> list[_Page]:
    """Return the whole pages near the end of the file, the last one first."""
    origin = max(0, blocks.size_bytes - _TAIL)
    tail = blocks.read_at(origin, _TAIL)
    pages: list[_Page] = []
    at = len(tail)
    while (at := tail.rfind(_CAPTURE, 0, at)) >= 0:
        if page := _page(blocks, origin + at):
            pages.append(page)
    if not pages or tail[pages[0].end - origin :].startswith(_CAPTURE[:4]):
        raise cut_off()
    return pages


def _page(blocks: Blocks, at: int) -> _Page | None:
    """Return the page that starts there, if it is whole and undamaged."""
    head = blocks.read_at(at, 27 + 255)
    if len(head) < 27 or head[:5] != _CAPTURE:
        return None
    size = 27 + head[26] + sum(head[27 : 27 + head[26]])
    raw = blocks.read_at(at, size)
    if len(raw) < size:
        return None
    crc = crc32.cksum(raw[:22] + bytes(4) + raw[26:]) ^ 0xFFFFFFFF
    return _Page(at, raw) if raw[22:26] == struct.pack("<I", crc) else None


def _chain(blocks: Blocks) -> Sound:
    """Return the facts of one recording after another: this takes the whole file."""
    blocks.budget = None
    sound: Sound | None = None
    length = 0.0
    for first, last in _links(blocks):
        link = _sound(first, last, blocks.size_bytes)
        length += link.duration_seconds or 0
        sound = sound or link
    if sound is None:
        raise cut_off()
    joined = sound.model_copy(update={"duration_seconds": length or None})
    return joined.averaged(blocks.size_bytes)


def _links(blocks: Blocks) -> Iterator[tuple[_Page, _Page]]:
    """Return first and last page of every recording."""
    openings: dict[bytes, _Page] = {}
    at = 0
    while page := _page(blocks, at):
        at = page.end
        if page.flags & _FIRST and page.body.startswith(_SOUND):
            openings[page.serial] = page
        elif page.flags & _LAST and page.serial in openings:
            yield openings.pop(page.serial), page
    if openings:
        raise cut_off()
