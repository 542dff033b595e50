"""JPEG: its coefficients coded again, or its coded picture as it is (ITU-T T.81).

Bytes can hide between restarts, in unused tables and behind the last coded block. So
policy `rebuild` carries nothing coded over: libjpeg writes every byte of the result,
from the same coefficients where they can be kept, else from the pixels.
"""

from typing import BinaryIO

from functions.sanitizer.images.jpeg_head import head
from functions.sanitizer.images.jpeg_picture import encode
from functions.sanitizer.images.jpeg_proof import ends_with_its_codes, prove
from functions.sanitizer.images.jpeg_segments import Jpeg, read
from functions.sanitizer.images.jpeg_transcode import needs_every_byte, transcoded
from functions.sanitizer.images.pictures import Rebuilt, View, turned_size
from functions.sanitizer.limits import Limits

_END_BYTES = 2  # of the end marker


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
    if jpeg.sound and jpeg.exact and _copy(jpeg, output):
        return Rebuilt(jpeg.size, findings=jpeg.metadata.findings)
    output.seek(0)
    output.truncate()
    return _rebuilt(jpeg, output)


def _admitted(data: View, limits: Limits) -> Jpeg:
    jpeg = read(data)
    limits.admit(*jpeg.size)
    limits.admit_scans(*jpeg.size, jpeg.scans)
    return jpeg


def _copy(jpeg: Jpeg, output: BinaryIO) -> bool:
    """Write the picture as it is coded; say whether nothing can hide in it."""
    coded = b"".join([head(jpeg, jpeg.metadata.orientation), *jpeg.coded()])
    output.write(coded)
    last = len(coded) - _END_BYTES - 1
    if coded[last - 1 : last + 1] == b"\xff\0":  # one byte, stuffed
        last -= 1
    if jpeg.plain:
        return ends_with_its_codes(output, memoryview(coded), last)
    return needs_every_byte(coded, last)


def _rebuilt(jpeg: Jpeg, output: BinaryIO) -> Rebuilt:
    """Code the picture again, turned upright."""
    orientation = jpeg.metadata.orientation
    beside = head(jpeg)
    coded = b"".join([beside, *jpeg.coded()])
    picture = memoryview(b"")
    if jpeg.sound and jpeg.complete:
        picture = transcoded(coded, orientation, progressive=jpeg.progressive)
    if picture:
        output.write(beside)
        output.write(picture)
    else:
        encode(coded, jpeg, orientation, output)
    prove(output)
    size = turned_size(jpeg.size, orientation)
    return Rebuilt(size, findings=jpeg.metadata.findings)
