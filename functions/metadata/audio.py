"""Sound: every format's own module looks for its end, then tinytag gives the figures.

tinytag alone believes what headers promise, walks a whole Ogg file and is silently
wrong on raw AAC.
"""

from collections.abc import Callable

from functions.metadata.adts import measure_adts
from functions.metadata.aiff import measure_aiff
from functions.metadata.asf import measure_asf
from functions.metadata.blocks import Blocks
from functions.metadata.errors import unreadable
from functions.metadata.flac import measure_flac
from functions.metadata.kinds import Kind
from functions.metadata.mp4 import measure_mp4
from functions.metadata.mpeg import measure_mpeg
from functions.metadata.ogg import measure_ogg
from functions.metadata.sound import Sound
from functions.metadata.tags import end_of_leading_tags
from functions.metadata.wav import measure_wav

_MEASURES: dict[Kind, Callable[[Blocks], Sound | None]] = {
    Kind.ADTS: measure_adts,
    Kind.AIFF: measure_aiff,
    Kind.ASF: measure_asf,
    Kind.FLAC: measure_flac,
    Kind.MP4: measure_mp4,
    Kind.MPEG: measure_mpeg,
    Kind.OGG: measure_ogg,
    Kind.WAV: measure_wav,
}
_MOST_BITS = 64  # a sample: more is tinytag reading QuickTime's fields as others


def describe_audio(blocks: Blocks, kind: Kind) -> dict[str, int | float | str | bool]:
    """Return duration_seconds, samplerate, bitrate and channels; nothing for video.

    Raises:
        Rejected: `unreadable_audio`: it is cut off, or no sound at all.
    """
    if kind is Kind.TAGGED:
        start = blocks.read_at(end_of_leading_tags(blocks), 4)
        kind = Kind.FLAC if start == b"fLaC" else Kind.MPEG
    sound = _MEASURES[kind](blocks)
    if sound is None:
        return {}
    if not sound.duration_seconds or not sound.samplerate:
        raise unreadable("The file holds no sound.")
    densest = sound.samplerate * (sound.channels or 2) * _MOST_BITS / 1000
    if not sound.bitrate or sound.bitrate > densest:
        sound = sound.averaged(blocks.size_bytes)
    return sound.model_dump(exclude_none=True)
