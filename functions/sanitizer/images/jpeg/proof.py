"""Proofs that a JPEG opens, at an eighth of its size: no coefficient is transformed."""

from io import BytesIO
from typing import Any, BinaryIO

from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile

from functions.sanitizer.images.jpeg.segments import last_code
from schemas.errors import Rejected

_BROKEN = (OSError, SyntaxError, ValueError)
_SMALLEST = (1, 1)  # draft() takes the nearest size that libjpeg can scale to
_FINISHED = -1  # said by the decoder, once it has every row
_READ_AHEAD = bytes(8)


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


def ends_with_its_codes(coded: bytes, *, enough: bool = False) -> bool:
    """Whether a JPEG of one plain scan opens, and its picture needs the scan's end.

    A decoder that is refused the last coded byte must still wait for it: it reads up
    to eight bytes ahead, so nine that it does not need are noticed.

    Args:
        enough: ask too whether eight bytes more let it finish. It makes the rest up
            where codes run out, as they do if coefficients were out of range.
    """
    image = JpegImageFile(BytesIO(coded))
    image.draft("L" if image.mode == "RGB" else None, _SMALLEST)
    name, _, _, arguments = image.tile[0]
    shown = Image.new(image.mode, image.size)
    decoder: Any = Image._getdecoder(image.mode, name, arguments, image.decoderconfig)
    decoder.setimage(shown.im, (0, 0, *image.size))
    taken, error = decoder.decode(memoryview(coded)[: last_code(coded)])
    if error or taken == _FINISHED:
        return False
    rest = coded[taken:]
    if enough:
        rest = rest.removesuffix(b"\xff\xd9") + _READ_AHEAD
    taken, error = decoder.decode(rest)
    return taken == _FINISHED and not error
