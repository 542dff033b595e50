"""What a clean JPEG begins with: the little beside the picture that its look needs."""

import struct

from functions.sanitizer.findings import Finding
from functions.sanitizer.images import icc
from functions.sanitizer.images.jpeg.segments import Jpeg, segment

_UNITS = (0, 1, 2)  # of the density: none, per inch, per centimetre
_SQUARE = b"\0\0\1\0\1"
_MAX_CHUNK = 65_519  # of a profile, in a segment of 64 KiB


def head(jpeg: Jpeg, orientation: int = 1) -> bytes:
    """Return start marker, density, orientation, colour transform and profile.

    Args:
        orientation: is told to the viewer, in an EXIF block with nothing else in it;
            1 if the pixels are upright.
    """
    parts = [b"\xff\xd8"]
    if density := _density(jpeg):
        parts.append(segment(0xE0, b"JFIF\0\1\1" + density + b"\0\0"))
    if orientation != 1:
        parts.append(segment(0xE1, _oriented(orientation)))
    transform = _adobe_transform(jpeg)
    if transform is not None:
        parts.append(segment(0xEE, b"Adobe\0\x64\0\0\0\0" + bytes([transform])))
    if data := profile(jpeg):
        starts = range(0, len(data), _MAX_CHUNK)
        for number, start in enumerate(starts, 1):
            chunk = data[start : start + _MAX_CHUNK]
            place = bytes((number, len(starts)))
            parts.append(segment(0xE2, b"ICC_PROFILE\0" + place + chunk))
    return b"".join(parts)


def profile(jpeg: Jpeg) -> bytes:
    """Return the colour profile with nothing in it but colour; empty without one."""
    parts = jpeg.profile
    if not parts:
        return b""
    written = icc.neutral(b"".join(parts[number] for number in sorted(parts)))
    if written is None or written.identifying:
        jpeg.metadata.saw(Finding.COLOUR_PROFILE)
    return written.data if written else b""


def _adobe_transform(jpeg: Jpeg) -> int | None:
    """The colour transform, where colours would be others without it."""
    transform, components = jpeg.adobe_transform, len(jpeg.components)
    if transform is None:
        return None
    if components == 4:
        return 2 if transform else 0  # unknown ones are taken for YCCK
    return 0 if components == 3 and not transform else None


def _density(jpeg: Jpeg) -> bytes:
    """The pixel density; with it goes that three components are luma and chroma."""
    if len(jpeg.components) not in (1, 3):
        return b""
    if jpeg.density:
        known = jpeg.density[0] in _UNITS and all(struct.unpack(">xHH", jpeg.density))
        return jpeg.density if known else _SQUARE
    as_rgb = [number for number, *_ in jpeg.components] == list(b"RGB")
    return b"" if as_rgb or _adobe_transform(jpeg) is not None else _SQUARE


def _oriented(orientation: int) -> bytes:
    """Return an EXIF block that holds the orientation, and nothing else."""
    entry = struct.pack(">HHIHH", 0x0112, 3, 1, orientation, 0)
    return b"Exif\0\0MM\0*\0\0\0\x08\0\1" + entry + bytes(4)
