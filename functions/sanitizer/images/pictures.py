"""What the rebuilding of every image format shares."""

import mmap
import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import BinaryIO

from PIL import Image

from functions.sanitizer.findings import Finding
from schemas.errors import Rejected

View = bytes | mmap.mmap

# Everything that Pillow and our own readers raise on broken bytes. MemoryError is not
# among them: it is the sandbox's to judge.
_BROKEN = (
    OSError,
    SyntaxError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    ArithmeticError,
    EOFError,
    RuntimeError,
    struct.error,
    zlib.error,
)
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


@dataclass(frozen=True)
class Rebuilt:
    """What was written: the displayed size, the frames, and what is gone."""

    size: tuple[int, int]
    frames: int = 1
    findings: set[Finding] = field(default_factory=set)


def view(source: BinaryIO) -> View:
    """Return the bytes of *source*, mapped rather than read where that is possible."""
    try:
        return mmap.mmap(source.fileno(), 0, access=mmap.ACCESS_READ)
    except (OSError, ValueError):
        source.seek(0)
        return source.read()


@contextmanager
def decoding() -> Iterator[None]:
    """Turn whatever broken bytes make Pillow or us raise into a verdict.

    Pillow's own guard against bombs is off: ours has judged the header already.

    Raises:
        Rejected: `unreadable_image`.
    """
    guard, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except _BROKEN as exc:
        raise Rejected("unreadable_image", "it is truncated or corrupt") from exc
    finally:
        Image.MAX_IMAGE_PIXELS = guard


def turned(image: Image.Image, orientation: int) -> Image.Image:
    """Return *image* as it is meant to be seen; *orientation* as Exif numbers it."""
    if orientation not in _TURNS:
        return image
    return image.transpose(_TURNS[orientation])


def turned_size(size: tuple[int, int], orientation: int) -> tuple[int, int]:
    """Return the size that `turned` leads to."""
    return (size[1], size[0]) if orientation >= 5 else size


def invisible(alpha: Image.Image) -> Image.Image:
    """Return a mask of the pixels that nobody sees."""
    return alpha.point([255] + [0] * 255)


def hides_colours(image: Image.Image, mask: Image.Image) -> bool:
    """Say whether pixels under *mask* have a colour; the last band is alpha."""
    return any(
        any(image.getchannel(band).histogram(mask)[1:])
        for band in image.getbands()[:-1]
    )


def clear_hidden_colours(image: Image.Image, mask: Image.Image) -> None:
    """Make *image* black under *mask*, in place; alpha is zero there already."""
    image.paste((0,) * len(image.getbands()), (0, 0), mask)
