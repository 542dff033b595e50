"""Bitmaps inside icons: pixels, and a mask of the ones that are not seen."""

from dataclasses import dataclass, replace

from PIL import Image

from functions.sanitizer.images.bmp.dib import (
    BGRA,
    DEFAULT_MASKS,
    RGB,
    Dib,
    header,
    only_used,
    palette,
    read_dib,
)
from functions.sanitizer.images.bmp.pixels import Pixels
from schemas.errors import Rejected

_NEAREST = Image.Resampling.NEAREST


@dataclass(frozen=True)
class Bitmap:
    """A bitmap as it may be written, and whether colours were hidden in it."""

    size: tuple[int, int]
    bits: int
    data: bytes
    hid: bool


def rebuilt(coded: bytes, *, inverts: bool) -> Bitmap:
    """Write a bitmap again without anything but its picture.

    Args:
        inverts: of a cursor, whose masked pixels invert what is below them.

    Raises:
        Rejected: `unsupported_image`.
        ValueError, struct.error: it is damaged.
    """
    dib = _read(coded)
    with_alpha = _with_alpha(coded, dib)
    pixels = Pixels(coded, dib.pixels_at, with_alpha)
    shown = b"".join(block for block, _ in pixels.blocks())
    stored = b"".join(block for _, block in pixels.blocks())
    entries = palette(coded, dib) if dib.indexed else []
    if with_alpha is not dib:
        mask = _mask_of_alpha(shown, dib)
    else:
        mask = _mask(coded, pixels.end, dib)
        if not inverts and dib.bits > 1:
            shown = _under(shown, mask, dib, entries)
    used = Pixels(shown, 0, dib).used() if dib.indexed else set()
    kept = only_used(entries, used)
    hid = shown != stored or kept != entries
    table = b"".join(entry + b"\0" for entry in kept)
    head = header(dib, len(shown) + len(mask), b"", 2 * dib.height)
    data = head + table + shown + mask
    return Bitmap((dib.width, dib.height), dib.bits, data, hid)


def _read(coded: bytes) -> Dib:
    """Return the header; its height counts the mask as well."""
    dib = read_dib(coded, 0)
    plain = dib.indexed or dib.masks == DEFAULT_MASKS[dib.bits]
    if not plain or dib.compression != RGB or dib.top_down:
        raise Rejected("unsupported_image", "an icon that no system shows")
    return replace(dib, height=dib.height // 2)


def _with_alpha(coded: bytes, dib: Dib) -> Dib:
    """Return *dib* with an alpha mask, if any pixel has alpha."""
    if dib.bits != 32:
        return dib
    pixels = coded[dib.pixels_at : dib.pixels_at + dib.stride * dib.height]
    return replace(dib, masks=BGRA) if any(pixels[3::4]) else dib


def _mask_stride(dib: Dib) -> int:
    return (dib.width + 31) // 32 * 4


def _mask(coded: bytes, at: int, dib: Dib) -> bytes:
    stride = _mask_stride(dib)
    mask = coded[at : at + stride * dib.height]
    # Pillow among others writes masks whose rows are too short: what lacks is seen.
    mask = mask.ljust(stride * dib.height, b"\0")
    image = Image.frombytes("1", (dib.width, dib.height), mask, "raw", "1", stride, 1)
    return image.tobytes("raw", "1", stride, 1)


def _mask_of_alpha(shown: bytes, dib: Dib) -> bytes:
    """What is fully transparent: for those who know no alpha."""
    alpha = Image.frombytes("L", (dib.width, dib.height), shown[3::4])
    unseen = alpha.point([255] + [0] * 255, "1")
    return unseen.tobytes("raw", "1", _mask_stride(dib), 1)


def _under(shown: bytes, mask: bytes, dib: Dib, entries: list[bytes]) -> bytes:
    """Return pixels that are black where the mask hides them; a palette without black
    leaves them as they are.
    """
    size = (dib.width, dib.height)
    unseen = Image.frombytes("1", size, mask, "raw", "1", _mask_stride(dib), 1)
    if not dib.indexed:
        step = dib.bits // 8
        wide = unseen.convert("L").resize((dib.width * step, dib.height), _NEAREST)
        hidden = int.from_bytes(wide.tobytes("raw", "L", dib.stride, 1), "little")
        kept = int.from_bytes(shown, "little") & ~hidden
        return kept.to_bytes(len(shown), "little")
    if bytes(3) not in entries:
        return shown
    rawmode = "P" if dib.bits == 8 else "P;4"
    image = Image.frombytes("P", size, shown, "raw", rawmode, dib.stride, 1)
    image.paste(entries.index(bytes(3)), (0, 0), unseen)
    return image.tobytes("raw", rawmode, dib.stride, 1)
