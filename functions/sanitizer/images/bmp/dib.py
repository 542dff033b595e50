"""Device-independent bitmaps: what BMP files and old icons consist of.

Headers: Windows' BITMAPCOREHEADER to BITMAPV5HEADER (wingdi.h) and OS/2's second one.
"""

import struct
from dataclasses import dataclass, replace
from functools import cached_property

from functions.sanitizer.images.pictures import View
from schemas.errors import Rejected

RGB, RLE8, RLE4, BIT_FIELDS = 0, 1, 2, 3
_ALPHA_BIT_FIELDS = 6
_CORE, _INFO, _OS2, _V2, _V3, _V4, _V5 = 12, 40, 64, 52, 56, 108, 124
_SIZES = (_CORE, 16, _INFO, _V2, _V3, _OS2, _V4, _V5)
_BITS = (1, 4, 8, 16, 24, 32)
_COMPRESSIONS = {RLE8: 8, RLE4: 4, RGB: None, BIT_FIELDS: None, _ALPHA_BIT_FIELDS: None}
DEFAULT_MASKS = {
    16: (0x7C00, 0x3E0, 0x1F, 0),
    24: (0xFF0000, 0xFF00, 0xFF, 0),
    32: (0xFF0000, 0xFF00, 0xFF, 0),
}
BGRA = (0xFF0000, 0xFF00, 0xFF, 0xFF000000)
_CALIBRATED, _SRGB, _EMBEDDED, _LINKED = bytes(4), b"BGRs", b"DEBM", b"KNIL"
_INTENTS = (1, 2, 4, 8)


@dataclass(frozen=True)
class Dib:
    """A bitmap's header, and where the parts that it speaks of are."""

    width: int
    height: int
    top_down: bool
    bits: int
    compression: int
    masks: tuple[int, int, int, int]  # of red, green, blue, alpha; zeros: a palette
    resolution: tuple[int, int]
    palette_at: int
    palette_entries: int
    palette_step: int
    calibration: bytes = b""  # end points and gammas, or nothing
    profile: tuple[int, int] = (0, 0)  # offset and size
    linked: bool = False  # the profile is a path
    intent: int = 0

    @cached_property
    def stride(self) -> int:
        """How many bytes a row takes, with its padding."""
        return (self.width * self.bits + 31) // 32 * 4

    @cached_property
    def row_bytes(self) -> int:
        """How many of them hold pixels."""
        return -(-self.width * self.bits // 8)

    @cached_property
    def indexed(self) -> bool:
        """Whether pixels are numbers of palette entries."""
        return self.bits <= 8

    @cached_property
    def pixels_at(self) -> int:
        """Where pixels begin that follow at once."""
        return self.palette_at + self.palette_entries * self.palette_step

    @cached_property
    def used_bits(self) -> bytes:
        """The bits of one pixel that mean something; of whole bytes."""
        red, green, blue, alpha = self.masks
        return (red | green | blue | alpha).to_bytes(4, "little")[: self.bits // 8]

    @cached_property
    def gapless(self) -> bool:
        """Whether every bit of a row means something."""
        used = self.indexed or self.used_bits == b"\xff" * (self.bits // 8)
        return used and self.width * self.bits == 8 * self.stride

    @cached_property
    def plain(self) -> bool:
        """Whether pixels are what their number of bits alone says."""
        return self.indexed or self.masks == DEFAULT_MASKS[self.bits]


def read_dib(data: View, at: int) -> Dib:
    """Read the header at *at*.

    Raises:
        Rejected: `unsupported_image`.
        ValueError, struct.error: it contradicts itself or ends early.
    """
    (size,) = struct.unpack_from("<I", data, at)
    if size not in _SIZES or at + size > len(data):
        raise ValueError("no such header")
    width, height, bits, compression, across, down, used = _fields(data, at, size)
    _admit(size, bits, compression)
    masks, behind = _masks(data, at, size, bits, compression)
    limit = 1 << bits if bits <= 8 else 0
    dib = Dib(
        width=width,
        height=abs(height),
        top_down=height < 0,
        bits=bits,
        compression=compression if compression in (RLE4, RLE8) else RGB,
        masks=masks,
        resolution=(max(0, across), max(0, down)),
        palette_at=at + size + behind,
        palette_entries=min(used or limit, limit),
        palette_step=3 if size == _CORE else 4,
    )
    return _with_colour_space(dib, data, at, size)


def _fields(data: View, at: int, size: int) -> tuple[int, int, int, int, int, int, int]:
    """Return width, height, bits, compression, density across and down, and colours."""
    if size == _CORE:
        width, height, _, bits = struct.unpack_from("<4H", data, at + 4)
        return width, height, bits, RGB, 0, 0, 0
    width, height, _, bits = struct.unpack_from("<iiHH", data, at + 4)
    rest = bytes(data[at + 16 : at + size]).ljust(20, b"\0")
    compression, _, across, down, used = struct.unpack_from("<IIiiI", rest)
    return width, height, bits, compression, across, down, used


def _admit(size: int, bits: int, compression: int) -> None:
    known = bits in _BITS and compression in _COMPRESSIONS
    # What are bit fields to others is Huffman coding to OS/2.
    if not known or (size in (16, _OS2) and compression not in (RGB, RLE8, RLE4)):
        raise Rejected("unsupported_image", f"{bits=} {compression=}")
    if _COMPRESSIONS[compression] not in (None, bits):
        raise Rejected("unsupported_image", f"{bits=} {compression=}")


def _masks(
    data: View, at: int, size: int, bits: int, compression: int
) -> tuple[tuple[int, int, int, int], int]:
    """Return the masks, and how many bytes of them stand behind the header."""
    if bits <= 8:
        return (0, 0, 0, 0), 0
    if compression == RGB:
        return DEFAULT_MASKS[bits], 0
    alpha = size >= _V3 or compression == _ALPHA_BIT_FIELDS
    fields = bytes(data[at + 40 : at + 56]).ljust(16, b"\0")
    red, green, blue, opacity = struct.unpack("<4I", fields)
    masks = (red, green, blue, opacity if alpha else 0)
    behind = (16 if alpha else 12) if size == _INFO else 0
    if not any(masks) and bits == 32:
        return BGRA, behind
    if bits == 24 and masks[:3] != DEFAULT_MASKS[24][:3]:
        raise Rejected("unsupported_image", "24 bits in an order of their own")
    if not all(masks[:3]) or max(masks) >> bits:
        raise ValueError("no such masks")
    return masks, behind


def _with_colour_space(dib: Dib, data: View, at: int, size: int) -> Dib:
    if size not in (_V4, _V5):
        return dib
    kind = bytes(data[at + 56 : at + 60])
    calibration = bytes(data[at + 60 : at + 108])
    if kind == _CALIBRATED and any(calibration):
        dib = replace(dib, calibration=calibration)
    if size != _V5 or kind not in (_EMBEDDED, _LINKED):
        return dib
    intent, offset, length = struct.unpack_from("<III", data, at + 108)
    if kind == _LINKED:
        return replace(dib, linked=True)
    intent = intent if intent in _INTENTS else _INTENTS[2]
    return replace(dib, profile=(at + offset, length), intent=intent)


def palette(data: View, dib: Dib) -> list[bytes]:
    """Return blue, green and red of each palette entry."""
    step = dib.palette_step
    table = bytes(data[dib.palette_at : dib.pixels_at])
    table = table.ljust(dib.palette_entries * step, b"\0")
    return [table[at : at + 3] for at in range(0, len(table), step)]


def only_used(entries: list[bytes], used: set[int]) -> list[bytes]:
    """Return palette entries without the colours of unused ones.

    These get the first used colour: Pillow takes a palette of black and white for none.
    """
    blank = next((e for n, e in enumerate(entries) if n in used), bytes(3))
    return [entry if n in used else blank for n, entry in enumerate(entries)]


def header(dib: Dib, pixel_bytes: int, profile: bytes, height: int) -> bytes:
    """Return a header for uncompressed pixels and what follows it before the palette.

    Args:
        height: as it is to be written: negative if rows go down.
    """
    compression = RGB if dib.plain else BIT_FIELDS
    size = _INFO
    if dib.masks[3] or dib.calibration or profile:
        size = _V5 if profile else _V4
    head = struct.pack(
        "<IiiHHII", size, dib.width, height, 1, dib.bits, compression, pixel_bytes
    )
    head += struct.pack("<iiII", *dib.resolution, dib.palette_entries, 0)
    masks = struct.pack(
        "<4I", *(dib.masks if compression == BIT_FIELDS else (0, 0, 0, 0))
    )
    if size == _INFO:
        return head + (masks[:12] if compression == BIT_FIELDS else b"")
    kind = _EMBEDDED if profile else _CALIBRATED if dib.calibration else _SRGB
    head += masks + kind + dib.calibration.ljust(48, b"\0")
    if size == _V5:
        profile_at = size + 4 * dib.palette_entries + pixel_bytes
        head += struct.pack("<IIII", dib.intent, profile_at, len(profile), 0)
    return head
