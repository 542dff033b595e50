"""A JPEG's picture, decoded and encoded so that its coefficients come back.

For pictures whose coefficients can't be kept: those that are turned off their grid of
blocks, and those that decoders have to guess at.

The same quantisation tables on the same grid of blocks bring back what was quantised
with them, as long as the samples in between are those that were coded. So luma and
chroma stay apart instead of becoming RGB, and chroma at half size is taken as it was
coded instead of smoothed to full size and averaged again (12 dB on colourful pictures).
"""

from io import BytesIO
from typing import Any, BinaryIO

from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile

from functions.sanitizer.images.jpeg.head import profile
from functions.sanitizer.images.jpeg.segments import Jpeg
from functions.sanitizer.images.pictures import turned, turned_size

_FULL, _HALF_WIDTH, _HALF = 0, 1, 2  # Pillow's numbers for chroma subsampling
_BLOCK = 8
# Off the grid (or smoothed, or damaged) the tables would quantise anew: finer ones hold
# the loss down.
_FINER = 8


def encode(
    coded: bytes, jpeg: Jpeg, orientation: int, output: BinaryIO, *, exact: bool
) -> None:
    """Decode a picture and code it again with its own tables, turned upright.

    Args:
        coded: a JPEG with nothing beside the picture.
        jpeg: says what stood beside it.
        exact: whether samples are what the tables made them; on the grid they stay so.
    """
    image = JpegImageFile(BytesIO(coded))
    lossless = not image.quantization  # it has no tables: the finest are as good
    as_rgb = image.mode == "RGB" and (lossless or _stored_as_rgb(jpeg, image))
    exact &= _on_grid(image, orientation)
    options = _encoding(image, orientation, as_rgb=as_rgb, exact=exact)
    options |= {"progressive": jpeg.staged, "icc_profile": profile(jpeg)}
    in_inches = image.info.get("jfif_unit") in (1, 2)
    density = image.info.get("dpi") if in_inches else None
    if density and all(1 <= value <= 65535 for value in density):
        options["dpi"] = density
    picture = _as_coded(coded, image, orientation, as_rgb=as_rgb)
    picture.info = {}  # the encoder would take a comment from here
    try:
        picture.save(output, "JPEG", **options)
    except OSError:
        if not jpeg.staged:
            raise
        # Pillow's room for a progressive one is a byte a pixel; noise needs more.
        output.seek(0)
        output.truncate()
        picture.save(output, "JPEG", **options | {"progressive": False})


def _stored_as_rgb(jpeg: Jpeg, image: JpegImageFile) -> bool:
    """Whether libjpeg takes three components for RGB rather than YCbCr."""
    if jpeg.density:
        return False
    if jpeg.adobe_transform is not None:
        return jpeg.adobe_transform == 0
    return [component[0] for component in image.layer] == list(b"RGB")


def _as_coded(
    coded: bytes, image: JpegImageFile, orientation: int, *, as_rgb: bool
) -> Image.Image:
    """Decode *image*, opened from *coded*, into the planes that it codes; turn it."""
    if image.mode != "RGB" or as_rgb:
        image.load()
        return turned(image, orientation)
    if _subsampling(image) == _HALF and min(image.size) > 1:
        return _from_planes(coded, image, orientation)
    image.draft("YCbCr", image.size)
    image.load()
    return turned(image, orientation)


def _from_planes(coded: bytes, image: JpegImageFile, orientation: int) -> Image.Image:
    """Decode luma, then chroma at half size; a large picture is held only once."""
    size = image.size
    image.draft("L", size)
    image.load()
    luma = turned(image, orientation).im
    image.close()
    picture = Image.new("YCbCr", luma.size)
    picture.im.putband(luma, 0)
    del luma
    half = JpegImageFile(BytesIO(coded))
    # At half size luma is scaled down by its transform, chroma is not touched at all.
    half.draft("YCbCr", (size[0] // 2, size[1] // 2))
    half.load()
    for number, band in ((1, "Cb"), (2, "Cr")):
        # No name holds a plane until the next is made.
        picture.im.putband(
            _doubled(half.getchannel(band), size, orientation).im, number
        )
    half.close()
    return picture


def _encoding(
    image: JpegImageFile, orientation: int, *, as_rgb: bool, exact: bool
) -> dict[str, Any]:
    """Return how the encoder is to code the picture again, once it is turned."""
    known, finest = image.quantization, [1] * 64
    tables = [list(known.get(component[3], finest)) for component in image.layer]
    if image.mode == "CMYK":  # is coded as such again, also if it came as YCCK
        tables = tables[:1]
    while len(tables) > 1 and tables[-1] == tables[-2]:
        tables.pop()
    if orientation >= 5:
        swap = [8 * (index % 8) + index // 8 for index in range(64)]
        tables = [[table[index] for index in swap] for table in tables]
    if not exact:
        tables = [[max(1, round(v / _FINER)) for v in table] for table in tables]
    subsampling = _subsampling(image)
    if subsampling == _HALF_WIDTH and orientation >= 5:
        subsampling = _FULL  # half height has no number
    return {
        "qtables": tables,
        "subsampling": subsampling,
        "keep_rgb": as_rgb,
    }


def _subsampling(image: JpegImageFile) -> int:
    """Pillow's number for the chroma subsampling; full chroma if it has none."""
    if len(image.layer) != 3:
        return -1
    (_, wide, high, _), *chroma = image.layer
    if any(component[1:3] != chroma[0][1:3] for component in chroma):
        return _FULL
    across, down = chroma[0][1:3]
    if wide == 2 * across:
        return {2 * down: _HALF, down: _HALF_WIDTH}.get(high, _FULL)
    return _FULL


def _on_grid(image: JpegImageFile, orientation: int) -> bool:
    """Whether blocks stay blocks: a mirrored side must be made of whole ones."""
    mirrored_across, mirrored_down = _mirrored(orientation)
    across = _BLOCK * max(component[1] for component in image.layer)
    down = _BLOCK * max(component[2] for component in image.layer)
    whole_across = image.width % across == 0 or not mirrored_across
    whole_down = image.height % down == 0 or not mirrored_down
    return whole_across and whole_down


def _mirrored(orientation: int) -> tuple[bool, bool]:
    """Whether turning mirrors the coded width, and the coded height."""
    return orientation in (2, 3, 7, 8), orientation in (3, 4, 6, 7)


def _doubled(
    plane: Image.Image, size: tuple[int, int], orientation: int
) -> Image.Image:
    """Return a plane that was coded at half of *size* at full size, turned."""
    # Where a side is odd its last sample counts once, also when it is mirrored.
    left, top = (
        0.5 * (length % 2) * mirrored
        for length, mirrored in zip(size, _mirrored(orientation), strict=True)
    )
    if orientation >= 5:
        left, top = top, left
    wide, high = turned_size(size, orientation)
    box = (left, top, left + wide / 2, top + high / 2)
    nearest = Image.Resampling.NEAREST
    return turned(plane, orientation).resize((wide, high), nearest, box)
