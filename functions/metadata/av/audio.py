"""Sound: every format's own module looks for its end, then tinytag gives the figures.

tinytag alone believes what headers promise, walks a whole Ogg file and is silently
wrong on raw AAC.
"""

from collections.abc import Callable

from functions.metadata.av.adts import measure_adts
from functions.metadata.av.aiff import measure_aiff
from functions.metadata.av.ape import measure_ape
from functions.metadata.av.asf import measure_asf
from functions.metadata.av.film import Film
from functions.metadata.av.flac import measure_flac
from functions.metadata.av.mp4 import measure_mp4
from functions.metadata.av.mpeg import measure_mpeg
from functions.metadata.av.ogg import measure_ogg
from functions.metadata.av.sound import Sound
from functions.metadata.av.tags import end_of_leading_tags
from functions.metadata.av.wav import measure_wav
from functions.metadata.av.wavpack import measure_wavpack
from functions.metadata.blocks import Blocks
from functions.metadata.errors import unreadable
from functions.metadata.kinds import Kind

_MEASURES: dict[Kind, Callable[[Blocks], Sound | Film]] = {
    Kind.ADTS: measure_adts,
    Kind.AIFF: measure_aiff,
    Kind.APE: measure_ape,
    Kind.ASF: measure_asf,
    Kind.FLAC: measure_flac,
    Kind.MP4: measure_mp4,
    Kind.MPEG: measure_mpeg,
    Kind.OLD_MOVIE: measure_mp4,
    Kind.OGG: measure_ogg,
    Kind.WAV: measure_wav,
    Kind.WAVPACK: measure_wavpack,
}
_MOST_BITS = 64  # a sample: more is tinytag reading QuickTime's fields as others


def describe_audio(blocks: Blocks, kind: Kind) -> dict[str, int | float | str | bool]:
    """Return duration_seconds, samplerate, bitrate and channels; or a film's facts.

    Raises:
        Rejected: `unreadable_audio`: it is cut off, or no sound at all.
    """
    if kind is Kind.TAGGED:
        kind = _behind_tags(blocks)
    sound = _MEASURES[kind](blocks)
    if isinstance(sound, Film):
        return sound.model_dump(exclude_none=True)
    if not sound.duration_seconds or not sound.samplerate:
        raise unreadable("The file holds no sound.")
    densest = sound.samplerate * (sound.channels or 2) * _MOST_BITS / 1000
    if not sound.bitrate or sound.bitrate > densest:
        sound = sound.averaged(blocks.size_bytes)
    return sound.model_dump(exclude_none=True)


def _behind_tags(blocks: Blocks) -> Kind:
    start = blocks.read_at(end_of_leading_tags(blocks), 4)
    if start in (b"fLaC", b"MAC "):
        return Kind.FLAC if start == b"fLaC" else Kind.APE
    adts = start[:1] == b"\xff" and start[1:2] != b"" and start[1] & 0xF6 == 0xF0
    return Kind.ADTS if adts else Kind.MPEG
