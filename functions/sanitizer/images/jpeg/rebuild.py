"""JPEG: its coefficients coded again, or its coded picture as it is (ITU-T T.81).

Bytes can hide between restarts, in unused tables and behind the last coded block. So
policy `rebuild` carries nothing coded over: libjpeg writes every byte of the result,
from the same coefficients where they can be kept, else from the pixels.
"""

from typing import BinaryIO

from functions.sanitizer.images.jpeg.head import head
from functions.sanitizer.images.jpeg.picture import encode
from functions.sanitizer.images.jpeg.proof import ends_with_its_codes, prove
from functions.sanitizer.images.jpeg.segments import Jpeg, read
from functions.sanitizer.images.jpeg.transcode import (
    AVAILABLE,
    needs_every_byte,
    transcoded,
)
from functions.sanitizer.images.pictures import Rebuilt, View, turned_size
from functions.sanitizer.limits import Limits


def rebuild(_source: BinaryIO, data: View, output: BinaryIO, limits: Limits) -> Rebuilt:
    """Write a JPEG again without anything but its picture.

    Raises:
        Rejected: `too_many_pixels`, `too_many_scans`, `unreadable_image`; what else
            goes wrong is for `decoding` to name.
    """
    return _rebuilt(_admitted(data, limits), output)


def strip(_source: BinaryIO, data: View, output: BinaryIO, limits: Limits) -> Rebuilt:
    """Copy the coded picture of a JPEG as it is, and nothing else.

    Where something may hide in what is coded, it is coded again: see `rebuild`.

    Raises:
        Rejected: as `rebuild` does.
    """
    jpeg = _admitted(data, limits)
    if not (jpeg.sound and jpeg.exact):
        return _rebuilt(jpeg, output)
    coded = b"".join([head(jpeg, jpeg.metadata.orientation), *jpeg.coded()])
    proves = ends_with_its_codes if jpeg.plain else needs_every_byte
    if not proves(coded):
        return _rebuilt(jpeg, output)
    output.write(coded)
    return Rebuilt(jpeg.size, findings=jpeg.metadata.findings)


def _admitted(data: View, limits: Limits) -> Jpeg:
    jpeg = read(data)
    limits.admit(*jpeg.size)
    limits.admit_scans(*jpeg.size, jpeg.scans)
    return jpeg


def _rebuilt(jpeg: Jpeg, output: BinaryIO) -> Rebuilt:
    """Code the picture again, turned upright."""
    orientation = jpeg.metadata.orientation
    beside = head(jpeg)
    coded = b"".join([beside, *jpeg.coded()])
    intact = jpeg.sound and jpeg.complete
    picture = _transcoded(coded, beside, jpeg) if intact else b""
    if picture:
        output.write(picture)
    else:
        # What TurboJPEG refuses is off its grid or damaged: samples are no longer
        # what their tables made them.
        exact = intact and not AVAILABLE
        encode(coded, jpeg, orientation, output, exact=exact)
    if jpeg.progressive or not picture:
        prove(output)
    size = turned_size(jpeg.size, orientation)
    return Rebuilt(size, findings=jpeg.metadata.findings)


def _transcoded(coded: bytes, beside: bytes, jpeg: Jpeg) -> bytes:
    """Return the picture with its coefficients kept; empty where that can't be."""
    for own_codes in (True,) if jpeg.tables.odd else (False, True):
        picture = transcoded(
            coded,
            beside,
            jpeg.metadata.orientation,
            progressive=jpeg.progressive,
            own_codes=own_codes,
        )
        # Coefficients out of range spoil a plain scan; others have codes of their own.
        if not picture or jpeg.progressive or ends_with_its_codes(picture, enough=True):
            return picture
    return b""
