"""Proofs that a JPEG opens, at an eighth of its size: no coefficient is transformed."""

from typing import Any, BinaryIO

from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile

from schemas.errors import Rejected

_BROKEN = (OSError, SyntaxError, ValueError)
_SMALLEST = (1, 1)  # draft() takes the nearest size that libjpeg can scale to
# Rows that no picture ends with, to see whether a row was written over.
_UNTOUCHED = bytes(range(1, 256, 2))


def prove(output: BinaryIO) -> None:
    """Decode what was written, by Pillow's own libjpeg.

    Raises:
        Rejected: `verification_failed`.
    """
    output.seek(0)
    try:
        image = JpegImageFile(output)
        image.draft(None, _SMALLEST)
        image.load()
    except _BROKEN as exc:
        raise Rejected("verification_failed", "the result does not open") from exc


def ends_with_its_codes(output: BinaryIO, data: memoryview, last: int) -> bool:
    """Whether a JPEG of one plain scan opens, and its picture needs the scan's end.

    A decoder that is refused the last coded byte must still wait for it in its last
    row: it reads up to eight bytes ahead, so nine that it does not need are noticed.

    Args:
        output: holds *data*.
        last: where the last coded byte is.
    """
    output.seek(0)
    image = JpegImageFile(output)
    image.draft("L" if image.mode == "RGB" else None, _SMALLEST)
    name, _, _, arguments = image.tile[0]
    shown = Image.new(image.mode, image.size)
    bottom = (0, image.height - 1, image.width, image.height)
    row = _UNTOUCHED * (1 + 4 * image.width // len(_UNTOUCHED))
    row = row[: image.width * len(image.getbands())]
    untouched = Image.frombytes(image.mode, (image.width, 1), row)
    shown.paste(untouched, bottom)
    decoder: Any = Image._getdecoder(image.mode, name, arguments, image.decoderconfig)
    decoder.setimage(shown.im, (0, 0, *image.size))
    taken, error = decoder.decode(data[:last])
    waits = not error and shown.crop(bottom).tobytes() == untouched.tobytes()
    finished, error = decoder.decode(data[taken:])
    written = shown.crop(bottom).tobytes() != untouched.tobytes()
    return waits and written and not error and finished < 0
