"""MP4, M4A, MOV and 3GP: the table of contents and all that it speaks of must be there.

Source: ISO/IEC 14496-12.
"""

import struct
from typing import NamedTuple

from functions.metadata.av.film import Film
from functions.metadata.av.mp4_fragments import fragments_last
from functions.metadata.av.mp4_tracks import (
    Times,
    Track,
    end_of_samples,
    movie_times,
    sample_bytes,
    swaps,
    tracks,
)
from functions.metadata.av.sound import Sound
from functions.metadata.blocks import Blocks
from functions.metadata.boxes import Box, boxes, inside
from functions.metadata.errors import cut_off, unreadable
from schemas.errors import Rejected

_FAR_OFF = 2  # times longer than its sound: then the film's header is wrong


class _Movie(NamedTuple):
    """The table of contents, and how many bytes of sound and pictures there are."""

    box: Box
    media_bytes: int
    fragmented: bool


def measure_mp4(blocks: Blocks) -> Sound | Film:
    """Return the facts of a file with sound or moving pictures.

    Raises:
        Rejected: a part of it is missing.
    """
    movie = _movie(blocks)
    listed = tracks(blocks, movie.box)
    film = next((track for track in listed if track.is_film), None)
    sound = next((track for track in listed if track.handler == b"soun"), None)
    if film:
        return _film(blocks, movie, film, sound)
    if sound is None:
        raise unreadable("The file holds no sound.")
    if movie.fragmented:
        return _sound_in_fragments(blocks, movie, sound)
    if end_of_samples(blocks, sound) > blocks.size_bytes:
        raise cut_off()
    return _sound(blocks, sound, movie.media_bytes, alone=len(listed) == 1)


def _movie(blocks: Blocks) -> _Movie:
    found, media_bytes, fragmented = None, 0, False
    for box in boxes(blocks, 0, blocks.size_bytes):
        if box.kind in (b"mdat", b"moov") and box.end > blocks.size_bytes:
            raise _cut_off(blocks)
        media_bytes += box.end - box.start if box.kind == b"mdat" else 0
        if box.kind == b"moov":
            found = box
            fragmented = any(part.kind == b"mvex" for part in inside(blocks, box))
        if found and fragmented:
            break  # each fragment is a step, and they are everywhere
    if found is None:
        raise _cut_off(blocks)
    return _Movie(found, media_bytes, fragmented)


def _cut_off(blocks: Blocks) -> Rejected:
    return cut_off("sound" if blocks.read_at(8, 3) in (b"M4A", b"M4B") else "film")


def _film(blocks: Blocks, movie: _Movie, track: Track, sound: Track | None) -> Film:
    times, turn = movie_times(blocks, movie.box)
    length = times.seconds or track.media.seconds
    if movie.fragmented:
        length = fragments_last(blocks, movie.box, times, track)
    width, height = track.size
    if not width or not height:
        width, height = struct.unpack_from(">HH", track.coding.ljust(36, b"\0"), 32)
    if swaps(track.turn) != swaps(turn):
        width, height = height, width
    return Film(
        duration_seconds=length or None,
        width=width or None,
        height=height or None,
        has_audio=sound is not None,
    )


def _sound(blocks: Blocks, track: Track, media_bytes: int, *, alone: bool) -> Sound:
    sound = Sound.by_tinytag(blocks, "m4a")
    if not sound.samplerate:
        sound = sound.model_copy(update=_coding(track))
    if (length := _plausible(sound, track.media)) != sound.duration_seconds:
        sound = sound.model_copy(update={"duration_seconds": length})
    # What an encoder wrote down beforehand may be what it was allowed to use at most.
    coded = sample_bytes(blocks, track) or (media_bytes if alone else 0)
    return sound.averaged(coded) if coded or not sound.bitrate else sound


def _plausible(sound: Sound, media: Times) -> float | None:
    """Return the film's length, or the sound's own where that can't be."""
    told = sound.duration_seconds
    if not told or (media.seconds and told > _FAR_OFF * media.seconds):
        return media.seconds or None
    return told


def _sound_in_fragments(blocks: Blocks, movie: _Movie, track: Track) -> Sound:
    times, _ = movie_times(blocks, movie.box)
    length = fragments_last(blocks, movie.box, times, track)
    sound = Sound(duration_seconds=length or None)
    sound = sound.model_copy(update=_coding(track))
    return sound.averaged(blocks.size_bytes - movie.box.end)


def _coding(track: Track) -> dict[str, int | None]:
    """Return what the description of the coding says: tinytag knows only some."""
    if len(track.coding) < 36:
        return {}
    channels, rate = struct.unpack_from(">H6xH", track.coding, 24)
    return {
        "channels": channels or None,
        "samplerate": rate or track.media.scale or None,
    }
