"""Audio without tags, pictures, places and dates; the coded sound stays bit-exact.

A container is walked by its own structure and only what is on its list is copied: what
nobody thought of is dropped, not kept. Sound that ends too early stays as it came: the
metadata function reports it.
"""

import struct
from collections.abc import Callable
from typing import BinaryIO

from mutagen import MutagenError

from functions.sanitizer.audio_bytes import unreadable
from functions.sanitizer.audio_flac import strip_flac
from functions.sanitizer.audio_mp4 import strip_mp4
from functions.sanitizer.audio_mpeg import strip_mpeg
from functions.sanitizer.audio_ogg import strip_ogg
from functions.sanitizer.audio_wav import strip_wav
from functions.sanitizer.findings import Finding

_STRIPPERS: dict[str, Callable[[BinaryIO, BinaryIO], set[Finding]]] = {
    "audio/flac": strip_flac,
    "audio/mp4": strip_mp4,
    "audio/mpeg": strip_mpeg,
    "audio/ogg": strip_ogg,
    "audio/wav": strip_wav,
}
SUPPORTED = frozenset(_STRIPPERS)


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
