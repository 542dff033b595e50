"""One coded WebP picture: carried over if every byte of it is picture, else coded anew.

libwebp does not say where it stopped reading, and a partition may end long after its
last coded symbol. So the decoder is asked: a part without its last bytes has to fail,
or else something may hide in them.
"""

import hashlib
import struct
from dataclasses import dataclass, replace
from io import BytesIO
from typing import NamedTuple

from PIL import Image, ImageChops

from functions.sanitizer.images.pictures import (
    View,
    clear_hidden_colours,
    decoding,
    hides_colours,
    invisible,
    turned,
)
from functions.sanitizer.images.webp import vp8
from functions.sanitizer.images.webp.decoder import decoded, ends_within, opens
from schemas.errors import Rejected

LOSSY, LOSSLESS, ALPHA = b"VP8 ", b"VP8L", b"ALPH"
# Encoders pad an arithmetically coded partition with up to four bytes.
_TAIL = 8
_QUALITY = 95  # where lossy pictures must be coded again
# Lossless at full effort takes seconds a megapixel for a hundredth of the size.
_EFFORT, _LARGE_PIXELS = (30, 3), 12_000_000
_LITTLE_EFFORT = (0, 0)  # takes less memory, too
# To code more again would take more than a gigabyte.
MOST_CODED_PIXELS = 26_000_000
# What is longer than any coded picture of its size hides something: the excess need not
# be copied to be found out.
_HEAD, _MOST_PIXEL_BYTES, _MOST_TABLES = 32, 16, 1 << 20
_MOST_METADATA = 16 << 20
_MOST_CHUNKS = 100_000
# libwebp makes invisible blocks of 8 x 8 flat; what is left is its own noise.
_CELL, _NOISE, _NOISY_SHARE = 8, 32, 256


@dataclass(frozen=True)
class Picture:
    """A VP8 or VP8L bitstream, and its alpha plane if that is apart."""

    kind: bytes
    coded: bytes
    alpha: bytes = b""

    @property
    def size(self) -> tuple[int, int]:
        """Width and height, from the bitstream."""
        if self.kind == LOSSY:
            return vp8.size(self.coded)
        if len(self.coded) < 5 or self.coded[0] != 0x2F or self.coded[4] >> 5:
            raise ValueError("no VP8L bitstream")
        bits = int.from_bytes(self.coded[1:5], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1

    @property
    def has_alpha(self) -> bool:
        """Whether it may be transparent somewhere."""
        return bool(self.alpha) or (self.kind == LOSSLESS and self.coded[4] & 0x10 > 0)

    def chunks(self) -> bytes:
        """Return it as chunks of a RIFF file."""
        alpha = chunk(ALPHA, self.alpha) if self.alpha else b""
        return alpha + chunk(self.kind, self.coded)


def chunk(kind: bytes, payload: bytes) -> bytes:
    """Return one RIFF chunk, padded."""
    return kind + struct.pack("<I", len(payload)) + payload + bytes(len(payload) & 1)


def riff(chunks: bytes) -> bytes:
    """Return a WebP file of these chunks."""
    return b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WEBP" + chunks


def extended(flags: int, size: tuple[int, int]) -> bytes:
    """Return a VP8X chunk."""
    width, height = size[0] - 1, size[1] - 1
    dimensions = width.to_bytes(3, "little") + height.to_bytes(3, "little")
    return chunk(b"VP8X", bytes([flags, 0, 0, 0]) + dimensions)


def settled(picture: Picture, orientation: int = 1) -> tuple[Picture, bool]:
    """Return the picture without anything hidden, upright, and whether it hid colours.

    Raises:
        Rejected: `unreadable_image`: it cannot be decoded.
    """
    hidden = False
    if picture.has_alpha:
        image = _image(picture)
        hidden = _hides(picture, image)
        needed = _sha256_of_alpha(image) if picture.alpha else b""
        del image  # two at once would be too large
    else:
        needed = b""
    if not hidden and orientation == 1 and all_needed(picture, needed):
        return picture, False
    image = _image(picture)
    if hidden:
        clear_hidden_colours(image, invisible(image.getchannel("A")))
    if not picture.has_alpha:
        image = image.convert("RGB")
    return _encoded(turned(image, orientation), picture.kind == LOSSLESS), hidden


def _image(picture: Picture) -> Image.Image:
    if not picture.alpha:
        return decoded(picture.coded, picture.size)
    chunks = extended(0x10, picture.size) + picture.chunks()
    return decoded(riff(chunks), picture.size)


def _hides(picture: Picture, image: Image.Image) -> bool:
    if picture.kind == LOSSLESS:
        return hides_colours(image, invisible(image.getchannel("A")))
    return _detailed_where_invisible(image)


def _detailed_where_invisible(image: Image.Image) -> bool:
    """Whether cells that nobody sees are anything but flat."""
    alpha = image.getchannel("A").point([0] + [255] * 255)
    unseen = alpha.reduce(_CELL).point([255] + [0] * 255)
    if not unseen.getbbox():
        return False
    grey = image.convert("L")
    flat = _widened(grey.reduce(_CELL), image.size)
    counts = ImageChops.difference(grey, flat).histogram(_widened(unseen, image.size))
    return sum(counts[_NOISE:]) > sum(counts) / _NOISY_SHARE


def _widened(cells: Image.Image, size: tuple[int, int]) -> Image.Image:
    whole = (cells.width * _CELL, cells.height * _CELL)
    return cells.resize(whole, Image.Resampling.NEAREST).crop((0, 0, *size))


def all_needed(picture: Picture, alpha: bytes = b"") -> bool:
    """Say whether each part is read to its end: costs a decoding each.

    Args:
        alpha: the digest of the alpha that is seen.

    Raises:
        ValueError: it cannot be decoded.
    """
    if not ends_within(picture.coded, _TAIL):
        return False
    if picture.kind == LOSSY:
        cuts = vp8.shortened(picture.coded, _TAIL)
        if any(opens(shortened) for shortened in cuts):
            return False
    return not alpha or _without_alpha_tail(picture) != alpha


def _without_alpha_tail(picture: Picture) -> bytes:
    """Return the digest of the alpha that is seen with its last bytes inverted."""
    end = len(picture.alpha)
    start = max(end - _TAIL, 1)
    tail = bytes(byte ^ 0xFF for byte in picture.alpha[start:])
    other = replace(picture, alpha=picture.alpha[:start] + tail)
    try:
        with decoding():
            return _sha256_of_alpha(_image(other))
    except Rejected:
        return b""


def _sha256_of_alpha(image: Image.Image) -> bytes:
    return hashlib.sha256(image.getchannel("A").tobytes()).digest()


def _encoded(image: Image.Image, lossless: bool) -> Picture:
    pixels = image.width * image.height
    if pixels > MOST_CODED_PIXELS:
        raise Rejected("too_many_pixels", "too large to be coded again")
    quality, method = _QUALITY, 4
    if lossless:
        quality, method = _LITTLE_EFFORT if pixels > _LARGE_PIXELS else _EFFORT
    stream = BytesIO()
    image.info = {}
    image.save(stream, "WEBP", lossless=lossless, quality=quality, method=method)
    data = stream.getvalue()
    return picture_of(data, split(data, 12, len(data)))


class Chunk(NamedTuple):
    """A chunk: its four letters and where its payload lies."""

    kind: bytes
    start: int
    end: int

    def of(self, data: View, most_bytes: int = _MOST_METADATA) -> bytes:
        """Return the payload, or as much of it as anything here is as long as."""
        return data[self.start : min(self.end, self.start + most_bytes)]


def split(data: View, start: int, end: int) -> list[Chunk]:
    """Return the chunks between *start* and *end*.

    Raises:
        Rejected: `unreadable_image`: the last one is truncated.
        ValueError: they are too many.
    """
    found: list[Chunk] = []
    at = start
    while at + 8 <= end:
        kind, size = struct.unpack_from("<4sI", data, at)
        if at + 8 + size > end:
            raise Rejected("unreadable_image", "it is truncated")
        if len(found) == _MOST_CHUNKS:
            raise ValueError("too many chunks")
        found.append(Chunk(kind, at + 8, at + 8 + size))
        at += 8 + size + (size & 1)
    return found


def picture_of(data: View, chunks: list[Chunk]) -> Picture:
    """Return the picture among *chunks*.

    Raises:
        ValueError: there is none.
    """
    alpha = None
    for found in chunks:
        if found.kind == ALPHA and not alpha and found.start < found.end:
            alpha = found
        elif found.kind in (LOSSY, LOSSLESS):
            width, height = Picture(found.kind, found.of(data, _HEAD)).size
            most = _MOST_PIXEL_BYTES * width * height + _MOST_TABLES
            plane = alpha.of(data, most) if alpha and found.kind == LOSSY else b""
            plane = plane[:1] and bytes([plane[0] & 0x3F]) + plane[1:]
            return Picture(found.kind, found.of(data, most), plane)
    raise ValueError("no picture")
