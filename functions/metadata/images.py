"""Images: what their headers say, by Pillow; no pixel is decoded."""

import warnings
from typing import BinaryIO, cast

from PIL import Image
from pydantic import BaseModel, PositiveInt

from functions.metadata.blocks import Blocks

# An explicit list: the rest of Pillow's decoders never sees a file.
_FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "TIFF", "BMP", "AVIF")


class ImageFacts(BaseModel):
    """What an image is."""

    width: PositiveInt
    height: PositiveInt
    frames: PositiveInt
    mode: str


def describe_image(blocks: Blocks) -> dict[str, int | float | str | bool]:
    """Return width, height, frames and mode.

    Raises:
        Exception: whatever Pillow raises for what is no image.
    """
    with warnings.catch_warnings():
        # Size limits are the sanitizer's; nothing is decoded here.
        warnings.simplefilter("ignore")
        with Image.open(cast(BinaryIO, blocks), formats=_FORMATS) as image:
            facts = ImageFacts(
                width=image.width,
                height=image.height,
                frames=getattr(image, "n_frames", 1),
                mode=image.mode,
            )
    return facts.model_dump()
