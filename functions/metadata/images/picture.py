"""Images: what their headers say; no pixel is decoded.

Pillow reads the headers of three formats. It would read the other files as a whole, or
every page and picture in them, or tell neither orientation nor durations.
"""

import io
import warnings
from collections.abc import Callable, Mapping

from PIL import ImageFile
from PIL.BmpImagePlugin import BmpImageFile
from PIL.Jpeg2KImagePlugin import Jpeg2KImageFile
from PIL.JpegImagePlugin import JpegImageFile

from functions.metadata.blocks import Blocks
from functions.metadata.errors import damaged_image
from functions.metadata.images.facts import ImageFacts
from functions.metadata.images.gif import describe_gif
from functions.metadata.images.heif import describe_heif
from functions.metadata.images.ico import describe_ico
from functions.metadata.images.jxl import describe_jxl
from functions.metadata.images.png import describe_png
from functions.metadata.images.tiff import describe_tiff, orientation_in
from functions.metadata.images.webp import describe_webp
from functions.metadata.kinds import Kind

# A profile and Exif data may take more than the usual blocks before a JPEG's size.
_BLOCKS_OF_JPEG = 64
_BUFFER = 1 << 12


def describe_image(
    blocks: Blocks, kind: Kind
) -> Mapping[str, int | float | str | bool]:
    """Return width, height, frames and mode; duration_seconds of an animation.

    Raises:
        Exception: whatever Pillow raises for what is no image.
    """
    facts = _READERS[kind](blocks)
    return facts.model_dump(exclude_none=True)


def _jpeg(blocks: Blocks) -> ImageFacts:
    blocks.budget = _BLOCKS_OF_JPEG
    image = _opened(JpegImageFile, blocks)
    exif = image.info.get("exif")
    facts = ImageFacts(width=image.width, height=image.height, mode=image.mode)
    return facts.turned(orientation_in(exif)) if isinstance(exif, bytes) else facts


def _bmp(blocks: Blocks) -> ImageFacts:
    image = _opened(BmpImageFile, blocks)
    return ImageFacts(width=image.width, height=image.height, mode=image.mode)


def _jpeg2000(blocks: Blocks) -> ImageFacts:
    image = _opened(Jpeg2KImageFile, blocks)
    return ImageFacts(width=image.width, height=image.height, mode=image.mode)


def _opened(plugin: type[ImageFile.ImageFile], blocks: Blocks) -> ImageFile.ImageFile:
    """Return what one plugin makes of the header: no other gets to see the bytes."""
    blocks.seek(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        # Pillow looks for a lost marker byte by byte.
        image = plugin(io.BufferedReader(blocks, _BUFFER))
    if min(image.size) < 1:
        raise damaged_image()
    return image


_READERS: dict[Kind, Callable[[Blocks], ImageFacts]] = {
    Kind.JPEG: _jpeg,
    Kind.PNG: describe_png,
    Kind.GIF: describe_gif,
    Kind.WEBP: describe_webp,
    Kind.TIFF: describe_tiff,
    Kind.BMP: _bmp,
    Kind.ICO: describe_ico,
    Kind.HEIF: describe_heif,
    Kind.JPEG_2000: _jpeg2000,
    Kind.JPEG_XL: describe_jxl,
}
