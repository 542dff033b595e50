"""The independent reader: lists every carrier of data left in a rebuilt image.

It shares no code with the writers. Each format is walked to its last byte; what is not
on its list, or not accounted for, is named. An empty list is the licence to promote.
"""

import os
import struct
import zlib
from collections.abc import Callable, Iterator
from typing import BinaryIO

from functions.sanitizer.verify.bmp import bmp_carriers
from functions.sanitizer.verify.gif import gif_carriers
from functions.sanitizer.verify.heif.reader import heif_carriers
from functions.sanitizer.verify.ico import ico_carriers
from functions.sanitizer.verify.jp2 import jp2_carriers
from functions.sanitizer.verify.jpeg import jpeg_carriers
from functions.sanitizer.verify.png import png_carriers
from functions.sanitizer.verify.tiff import tiff_carriers
from functions.sanitizer.verify.webp import webp_carriers

_READERS: dict[str, Callable[[bytes], Iterator[str]]] = {
    "image/jpeg": jpeg_carriers,
    "image/png": png_carriers,
    "image/gif": gif_carriers,
    "image/webp": webp_carriers,
    "image/avif": heif_carriers,
    "image/heif": heif_carriers,
    "image/jp2": jp2_carriers,
    "image/tiff": tiff_carriers,
    "image/bmp": bmp_carriers,
    "image/vnd.microsoft.icon": ico_carriers,
}


def carriers(stream: BinaryIO, media_type: str) -> list[str]:
    """Return what is left in the image beside its picture, by kind and place."""
    size = stream.seek(0, os.SEEK_END)
    stream.seek(0)
    try:
        # Told how much, it does not copy what it has read to behind its buffer.
        return list(_READERS[media_type](stream.read(size)))
    except (struct.error, zlib.error, LookupError, ValueError) as exc:
        return [f"a structure that cannot be followed: {type(exc).__name__}"]
