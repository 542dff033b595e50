"""JPEG: its coefficients coded again, or its coded picture as it is (ITU-T T.81).

Bytes can hide between restarts, in unused tables and behind the last coded block. So
policy `rebuild` carries nothing coded over: libjpeg writes every byte of the result,
from the same coefficients where they can be kept, else from the pixels.
"""

from typing import BinaryIO

from functions.sanitizer.images.jpeg_head import head
from functions.sanitizer.images.jpeg_picture import encode, opened
from functions.sanitizer.images.jpeg_proof import ends_with_its_codes, prove
from functions.sanitizer.images.jpeg_segments import Jpeg, read
from functions.sanitizer.images.jpeg_transcode import needs_every_byte, transcoded
from functions.sanitizer.images.pictures import Rebuilt, View, turned_size
from functions.sanitizer.limits import Limits

_END_BYTES = 2  # of the end marker


def rebuild(source: BinaryIO, data: View, output: BinaryIO, limits: Limits) -> Rebuilt:
    """Write *source* again without anything but its picture.

    Raises:
        Rejected: `too_many_pixels`, `too_many_scans`, `unreadable_image`; what else
            goes wrong is for `decoding` to name.
    """
    jpeg, size = _admitted(source, data, limits)
    return _rebuilt(source, jpeg, size, output)


def strip(source: BinaryIO, data: View, output: BinaryIO, limits: Limits) -> Rebuilt:
    """Copy the coded picture of *source* as it is, and nothing else.

    Where something may hide in what is coded, it is coded again: see `rebuild`.

    Raises:
        Rejected: as `rebuild` does.
    """
    jpeg, size = _admitted(source, data, limits)
    if not (jpeg.sound and jpeg.exact):
        return _rebuilt(source, jpeg, size, output)
    coded = b"".join([head(jpeg, jpeg.metadata.orientation), *jpeg.coded()])
    output.write(coded)
    last = len(coded) - _END_BYTES - 1
    if coded[last - 1 : last + 1] == b"\xff\0":  # one byte, stuffed
        last -= 1
    if jpeg.plain:
        used = ends_with_its_codes(output, memoryview(coded), last)
    else:
        used = needs_every_byte(coded, last)
    if not used:
        output.seek(0)
        output.truncate()
        return _rebuilt(source, jpeg, size, output)
    return Rebuilt(size, findings=jpeg.metadata.findings)


def _admitted(
    source: BinaryIO, data: View, limits: Limits
) -> tuple[Jpeg, tuple[int, int]]:
    image = opened(source)
    limits.admit(*image.size)
    jpeg = read(data)
    limits.admit_scans(*image.size, jpeg.scans)
    return jpeg, image.size


def _rebuilt(
    source: BinaryIO, jpeg: Jpeg, size: tuple[int, int], output: BinaryIO
) -> Rebuilt:
    """Code the picture again, turned upright."""
    orientation = jpeg.metadata.orientation
    if not _transcode(jpeg, orientation, output):
        encode(source, jpeg, orientation, output)
    prove(output)
    return Rebuilt(turned_size(size, orientation), findings=jpeg.metadata.findings)


def _transcode(jpeg: Jpeg, orientation: int, output: BinaryIO) -> bool:
    """Keep the coefficients, if that can be done; say whether it was."""
    if not jpeg.sound:
        return False
    beside = head(jpeg)
    coded = b"".join([beside, *jpeg.coded()])
    picture = transcoded(coded, orientation, progressive=jpeg.progressive)
    if picture:
        output.write(beside)
        output.write(picture)
    return bool(picture)
