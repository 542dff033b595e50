"""JPEG: its coefficients coded again, or its coded picture as it is (ITU-T T.81).

Bytes can hide between restarts, in unused tables and behind the last coded block. So
policy `rebuild` carries nothing coded over: libjpeg writes every byte of the result,
from the same coefficients where they can be kept, else from the pixels.
"""

import mmap
from typing import BinaryIO

from functions.sanitizer.images.jpeg.head import head
from functions.sanitizer.images.jpeg.picture import encode
from functions.sanitizer.images.jpeg.proof import ends_with_its_codes, prove
from functions.sanitizer.images.jpeg.segments import Jpeg, read
from functions.sanitizer.images.jpeg.transcode import AVAILABLE, surplus, transcoded
from functions.sanitizer.images.pictures import Rebuilt, View, turned_size
from functions.sanitizer.limits import Limits

# Turning holds all coefficients twice: 53 megapixels with chroma at half size.
_MOST_TURNED_BYTES = 160_000_000


def rebuild(_source: BinaryIO, data: View, output: BinaryIO, limits: Limits) -> Rebuilt:
    """Write a JPEG again without anything but its picture.

    It is turned upright, unless it is so large that its orientation stays a tag.

    Raises:
        Rejected: `too_many_pixels`, `too_many_scans`, `unreadable_image`; what else
            goes wrong is for `decoding` to name.
    """
    jpeg = _admitted(data, limits)
    if jpeg.sound and jpeg.progressive and not jpeg.staged:
        # A pass that tells whether others are worth their seconds.
        _examined(jpeg, surplus([head(jpeg), *jpeg.coded()]))
    return _rebuilt(jpeg, data, output)


def strip(_source: BinaryIO, data: View, output: BinaryIO, limits: Limits) -> Rebuilt:
    """Copy the coded picture of a JPEG as it is, and nothing else.

    Where something may hide in what is coded, it is coded again: see `rebuild`.

    Raises:
        Rejected: as `rebuild` does.
    """
    jpeg = _admitted(data, limits)
    if not (jpeg.sound and jpeg.exact):
        return _rebuilt(jpeg, data, output)
    parts = [head(jpeg, jpeg.metadata.orientation), *jpeg.coded()]
    if jpeg.plain:
        proved = ends_with_its_codes(b"".join(parts))
    else:
        proved = _examined(jpeg, surplus(parts))
    if not proved:
        return _rebuilt(jpeg, data, output)
    output.writelines(parts)
    return Rebuilt(jpeg.size, findings=jpeg.metadata.findings)


def _admitted(data: View, limits: Limits) -> Jpeg:
    jpeg = read(data)
    limits.admit(*jpeg.size)
    limits.admit_scans(jpeg.scanned, jpeg.effort)
    return jpeg


def _examined(jpeg: Jpeg, over: int | None) -> bool:
    """Note what decoding told about the end; say whether nothing is amiss."""
    jpeg.damaged = over is None and AVAILABLE
    if over:
        jpeg.cut(over)
    return over == 0


def _rebuilt(jpeg: Jpeg, data: View, output: BinaryIO) -> Rebuilt:
    """Code the picture again, turned upright where that is no burden."""
    meant = jpeg.metadata.orientation
    intact = jpeg.sound and jpeg.complete and not jpeg.damaged
    kept = meant if intact and jpeg.coefficient_bytes > _MOST_TURNED_BYTES else 1
    beside = head(jpeg, kept)
    coded = b"".join([beside, *jpeg.coded()])
    _let_go(data)
    applied = meant if kept == 1 else 1
    picture = _transcoded(coded, beside, jpeg, applied) if intact else b""
    if picture:
        output.write(picture)
    else:
        # What TurboJPEG refuses is off its grid or damaged: samples are no longer
        # what their tables made them.
        applied = meant
        encode(coded, jpeg, applied, output, exact=intact and not AVAILABLE)
    if jpeg.staged or not picture:
        prove(output)
    size = turned_size(jpeg.size, applied)
    return Rebuilt(size, findings=jpeg.metadata.findings)


def _let_go(data: View) -> None:
    """Give the memory of a mapped source back: from here on its copy counts."""
    if isinstance(data, mmap.mmap):
        data.madvise(mmap.MADV_DONTNEED)


def _transcoded(coded: bytes, beside: bytes, jpeg: Jpeg, orientation: int) -> bytes:
    """Return the picture with its coefficients kept; empty where that can't be."""
    # A progressive picture has codes of its own; written in one scan it gets such too.
    own_first = jpeg.tables.odd or jpeg.progressive
    for own_codes in (True,) if own_first else (False, True):
        picture = transcoded(
            coded, beside, orientation, progressive=jpeg.staged, own_codes=own_codes
        )
        # Coefficients out of range spoil a plain scan; others have codes of their own.
        if not picture or jpeg.staged or ends_with_its_codes(picture, enough=True):
            return picture
    return b""
