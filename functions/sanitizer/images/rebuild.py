"""Images: each format's rebuilding or stripping, and the proof that the result opens.

Policy `rebuild` writes every byte of the picture anew. Policy `lossless` drops what is
not on a list and keeps the coded picture bit by bit; a format without a stripper of its
own is rebuilt under either policy, and so is a picture that hides something in itself.
"""

from collections.abc import Callable
from typing import BinaryIO

from PIL import ImageFile
from PIL.GifImagePlugin import GifImageFile
from PIL.Jpeg2KImagePlugin import Jpeg2KImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.WebPImagePlugin import WebPImageFile

from functions.sanitizer.findings import Finding
from functions.sanitizer.images.bmp import rebuild as bmp
from functions.sanitizer.images.gif import rebuild as gif
from functions.sanitizer.images.heif import rebuild as heif
from functions.sanitizer.images.ico import rebuild as ico
from functions.sanitizer.images.jp2 import rebuild as jp2
from functions.sanitizer.images.jpeg import rebuild as jpeg
from functions.sanitizer.images.pictures import Rebuilt, View, decoding, view
from functions.sanitizer.images.png import rebuild as png
from functions.sanitizer.images.tiff import rebuild as tiff
from functions.sanitizer.images.webp import rebuild as webp
from functions.sanitizer.limits import Limits
from schemas.errors import Rejected

_Rebuild = Callable[[BinaryIO, View, BinaryIO, Limits], Rebuilt]
_REBUILDERS: dict[str, _Rebuild] = {
    "image/jpeg": jpeg.rebuild,
    "image/png": png.rebuild,
    "image/gif": gif.rebuild,
    "image/webp": webp.rebuild,
    "image/avif": heif.rebuild,
    "image/heif": heif.rebuild,
    "image/jp2": jp2.rebuild,
    "image/tiff": tiff.rebuild,
    "image/bmp": bmp.rebuild,
    "image/vnd.microsoft.icon": ico.rebuild,
}
_STRIPPERS: dict[str, _Rebuild] = {
    "image/jpeg": jpeg.strip,
    "image/png": png.strip,
    "image/gif": gif.strip,
    "image/webp": webp.strip,
}
# One decoder each: nothing else of Pillow gets to see the bytes.
_OPENERS: dict[str, Callable[[BinaryIO], ImageFile.ImageFile]] = {
    "image/jpeg": JpegImageFile,
    "image/png": PngImageFile,
    "image/gif": GifImageFile,
    "image/webp": WebPImageFile,
    "image/avif": heif.opened,
    "image/heif": heif.opened,
    "image/jp2": Jpeg2KImageFile,
    "image/tiff": tiff.TiffOfAnyKind,
    "image/bmp": bmp.BmpOfAnyKind,
    "image/vnd.microsoft.icon": ico.IconOrCursor,
}


def rebuild(
    source: BinaryIO,
    output: BinaryIO,
    media_type: str,
    limits: Limits,
    *,
    lossless: bool = False,
) -> list[Finding]:
    """Write the image again without anything but what it shows; return what went.

    Raises:
        Rejected: `unsupported_image`, `unreadable_image`, `too_many_pixels`,
            `too_many_frames`, `verification_failed`: the result does not open.
    """
    if media_type not in _REBUILDERS:
        raise Rejected("unsupported_image", media_type)
    write = _REBUILDERS[media_type]
    if lossless:
        write = _STRIPPERS.get(media_type, write)
    with decoding():
        rebuilt = write(source, view(source), output, limits)
    _reopen(output, media_type, rebuilt)
    return sorted(rebuilt.findings)


def _reopen(output: BinaryIO, media_type: str, rebuilt: Rebuilt) -> None:
    output.seek(0)
    try:
        with decoding():
            image = _OPENERS[media_type](output)
            frames = getattr(image, "n_frames", 1)
    except Rejected as exc:
        raise Rejected("verification_failed", "the result does not open") from exc
    if image.size != rebuilt.size or frames != rebuilt.frames:
        raise Rejected("verification_failed", "the result shows something else")
