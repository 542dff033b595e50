"""Ogg: the first page says what it is, the last one how long it lasts.

tinytag would walk every page between them; it gets these two as a file of their own.

Sources: RFC 3533, 6; RFC 7845, 4; the Theora specification, 6.2 and A.2.3.
"""

import struct
from io import BytesIO

from functions.metadata.av.film import Film
from functions.metadata.av.ogg_chain import measure_chain
from functions.metadata.av.ogg_pages import Page, endings, openings, pages_between
from functions.metadata.av.sound import Sound
from functions.metadata.blocks import BLOCK, Blocks
from functions.metadata.errors import cut_off, unreadable

_SOUND = (b"\x01vorbis", b"OpusHead", b"Speex   ", b"\x7fFLAC")
_THEORA = b"\x80theora"
_FILM = (_THEORA, b"BBCD\0", b"OVP80", b"\x01video")
_MOST_IN_A_PAGE = 1 << 21  # samples: 255 packets of Vorbis


def measure_ogg(blocks: Blocks) -> Sound | Film:
    """Return the facts of an Ogg file.

    Raises:
        Rejected: its end is missing.
    """
    first_pages = openings(blocks)
    first = next((page for page in first_pages if page.body.startswith(_SOUND)), None)
    film = next((page for page in first_pages if page.body.startswith(_FILM)), None)
    ends = endings(blocks) if first or film else []
    if film:
        return _film(film, first, ends)
    if first is None:
        raise unreadable("The file holds no stream of sound.")
    if ends[0].serial not in {page.serial for page in first_pages}:
        return measure_chain(blocks, sound_between)
    last = _last(ends, first)
    if last is None or not last.last:
        raise cut_off()
    sound = sound_between(first, last, blocks.size_bytes)
    return _from_its_start(blocks, sound, first)


def sound_between(first: Page, last: Page, size_bytes: int) -> Sound:
    """Return the facts of a stream by its first page and its last one."""
    sound = Sound.by_tinytag(BytesIO(first.raw + last.raw), "ogg")
    if not sound.duration_seconds and sound.samplerate:
        # FLAC whose encoder left the count of samples out.
        length = last.granule / sound.samplerate if last.granule > 0 else None
        sound = sound.model_copy(update={"duration_seconds": length})
    nominal = sound.bitrate and not first.body.startswith(b"OpusHead")
    return sound if nominal else sound.averaged(size_bytes)


def _last(ends: list[Page], first: Page) -> Page | None:
    return next((page for page in ends if page.serial == first.serial), None)


def _from_its_start(blocks: Blocks, sound: Sound, first: Page) -> Sound:
    """Take off what was played before the recording began: radio stations count on."""
    head = pages_between(blocks, first.end, min(2 * BLOCK, blocks.size_bytes))
    positions = [
        page.granule
        for page in head
        if page.serial == first.serial and page.granule > _MOST_IN_A_PAGE
    ][:2]
    if not sound.duration_seconds or not sound.samplerate or len(positions) < 2:
        return sound
    early = sum(0 < p.granule <= _MOST_IN_A_PAGE for p in head)
    start = 0 if early else 2 * positions[0] - positions[1]
    length = sound.duration_seconds - max(0, start) / sound.samplerate
    return sound.model_copy(update={"duration_seconds": max(0.0, length) or None})


def _film(film: Page, sound: Page | None, ends: list[Page]) -> Film:
    if not any(page.last for page in ends):
        raise cut_off("film")
    lengths: list[float] = []
    if sound and (last := _last(ends, sound)):
        lengths.append(sound_between(sound, last, 0).duration_seconds or 0)
    width = height = None
    if film.body.startswith(_THEORA) and len(film.body) >= 42:
        width, height = _size(film.body)
        last = next(
            (p for p in ends if p.serial == film.serial and p.granule > 0), None
        )
        lengths.append(_seconds(film.body, last.granule) if last else 0)
    return Film(
        duration_seconds=max(lengths, default=0) or None,
        width=width,
        height=height,
        has_audio=sound is not None,
    )


def _size(header: bytes) -> tuple[int | None, int | None]:
    width, height = (int.from_bytes(header[at : at + 3], "big") for at in (14, 17))
    across, down = (int.from_bytes(header[at : at + 3], "big") for at in (30, 33))
    if across and down:
        width = round(width * across / down)
    return width or None, height or None


def _seconds(header: bytes, granule: int) -> float:
    """A granule is the number of the last key frame, and of frames since then."""
    rate, per = struct.unpack_from(">II", header, 22)
    shift = int.from_bytes(header[40:42], "big") >> 5 & 31
    frames = (granule >> shift) + (granule & ((1 << shift) - 1))
    frames += header[7:10] < b"\3\2\1"  # they were counted from nought
    return float(frames * per / rate) if rate else 0
