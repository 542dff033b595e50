"""Sound and films without tags, places and dates; what is coded stays bit-exact.

A container is walked by its own structure and only what is on its list is copied: what
nobody thought of is dropped, not kept. Sound that ends too early stays as it came: the
metadata function reports it.
"""

import struct
from collections.abc import Callable
from typing import BinaryIO

from mutagen import MutagenError

from functions.sanitizer.av.adts import strip_adts
from functions.sanitizer.av.aiff import strip_aiff
from functions.sanitizer.av.ape import strip_ape
from functions.sanitizer.av.asf.strip import holds_pictures, strip_asf
from functions.sanitizer.av.flac.strip import strip_flac
from functions.sanitizer.av.mp4.strip import kind_of, strip_mp4
from functions.sanitizer.av.mpeg.strip import strip_mpeg
from functions.sanitizer.av.ogg.strip import holds_pictures as holds_theora
from functions.sanitizer.av.ogg.strip import strip_ogg
from functions.sanitizer.av.scan import read_at, size_of, unreadable
from functions.sanitizer.av.tags import leading
from functions.sanitizer.av.wav import strip_wav
from functions.sanitizer.av.wavpack import strip_wavpack
from functions.sanitizer.findings import Finding
from functions.sanitizer.formats import Kind, sniff

_STRIPPERS: dict[str, Callable[[BinaryIO, BinaryIO], set[Finding]]] = {
    "audio/aac": strip_adts,
    "audio/aiff": strip_aiff,
    "audio/flac": strip_flac,
    "audio/mp4": strip_mp4,
    "audio/mpeg": strip_mpeg,
    "audio/ogg": strip_ogg,
    "audio/wav": strip_wav,
    "audio/x-ape": strip_ape,
    "audio/x-ms-wma": strip_asf,
    "audio/x-wavpack": strip_wavpack,
    "video/3gpp": strip_mp4,
    "video/mp4": strip_mp4,
    "video/ogg": strip_ogg,
    "video/quicktime": strip_mp4,
    "video/x-ms-wmv": strip_asf,
}
SUPPORTED = frozenset(_STRIPPERS)
_FILMS = ("audio/mp4", "video/3gpp", "video/mp4", "video/quicktime")
_SIGNATURE = 64  # bytes that tell one kind of sound from another


def identify(source: BinaryIO, media_type: str) -> str:
    """Return what a file is where its first bytes leave two possibilities.

    Any sound may hide behind an ID3v2 tag, and MP4 of most brands may be all sound.
    """
    if media_type == "audio/mpeg":
        start, _ = leading(source, 0, size_of(source))
        behind = sniff(read_at(source, start, _SIGNATURE))
        return behind.media_type if behind.kind is Kind.AUDIO else media_type
    if media_type == "audio/x-ms-wma" and holds_pictures(source):
        return "video/x-ms-wmv"
    if media_type == "audio/ogg" and holds_theora(source):
        return "video/ogg"
    return kind_of(source, media_type) if media_type in _FILMS else media_type


def strip(source: BinaryIO, output: BinaryIO, media_type: str) -> list[Finding]:
    """Write *source* without anything but sound; return the kinds of what went.

    Args:
        source: seekable; read from its start.
        output: empty, seekable; memory does not grow with the sound.
        media_type: one of SUPPORTED, found in the bytes.

    Raises:
        Rejected: `unreadable_audio`: the structure can't be followed.
    """
    try:
        return sorted(_STRIPPERS[media_type](source, output))
    except (struct.error, MutagenError, EOFError) as exc:
        raise unreadable("the file ends in the middle of its own headers") from exc
