"""Proof that only sound and pictures are left: a second reader, for others' work.

It shares no code with the strippers. It walks to the last byte and names whatever is
not on its own list, so a bug has to be made twice to get past.
"""

import struct
from collections.abc import Callable, Iterator
from typing import BinaryIO

from functions.sanitizer.verify.adts import adts_carriers
from functions.sanitizer.verify.aiff import aiff_carriers
from functions.sanitizer.verify.ape import ape_carriers
from functions.sanitizer.verify.asf import asf_carriers
from functions.sanitizer.verify.flac import flac_carriers
from functions.sanitizer.verify.mp4.reader import film_carriers, sound_carriers
from functions.sanitizer.verify.mpeg import mpeg_carriers
from functions.sanitizer.verify.ogg import ogg_carriers
from functions.sanitizer.verify.wav import wav_carriers
from functions.sanitizer.verify.wavpack import wavpack_carriers

_READERS: dict[str, Callable[[BinaryIO], Iterator[str]]] = {
    "audio/aac": adts_carriers,
    "audio/aiff": aiff_carriers,
    "audio/flac": flac_carriers,
    "audio/mp4": sound_carriers,
    "audio/mpeg": mpeg_carriers,
    "audio/ogg": ogg_carriers,
    "audio/wav": wav_carriers,
    "audio/x-ape": ape_carriers,
    "audio/x-ms-wma": asf_carriers,
    "audio/x-wavpack": wavpack_carriers,
    "video/3gpp": film_carriers,
    "video/mp4": film_carriers,
    "video/ogg": ogg_carriers,
    "video/quicktime": film_carriers,
    "video/x-ms-wmv": asf_carriers,
}


def carriers(stream: BinaryIO, media_type: str) -> list[str]:
    """Return the name of everything in *stream* that is not sound; clean if empty.

    A file that can't be followed to its end counts as a carrier too. The names are for
    the log: they hold box and chunk names, never contents.
    """
    reader = _READERS.get(media_type)
    if reader is None:
        return [f"no reader for {media_type}"]
    try:
        return list(reader(stream))
    except (struct.error, LookupError) as exc:
        return [f"unreadable structure ({type(exc).__name__})"]
