"""BMPs, icons and cursors written by hand: Pillow writes few of their kinds.

Formats: wingdi.h (BITMAPINFOHEADER to BITMAPV5HEADER), "The evolution of ICO".
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Dib:
    """A bitmap's header and what follows it; *rows* come without padding."""

    width: int
    rows: Sequence[bytes]
    bits: int
    palette: bytes = b""  # four bytes an entry
    top_down: bool = False
    compression: int = 0
    masks: bytes = b""  # behind a short header
    extension: bytes = b""  # of a longer one
    padding: bytes = b"\0"
    pixels: bytes = b""  # instead of rows

    def head(self, extra_rows: int = 0, used: int | None = None) -> bytes:
        """Return everything before the pixels."""
        height = (len(self.rows) + extra_rows) * (-1 if self.top_down else 1)
        entries = len(self.palette) // 4 if used is None else used
        head = struct.pack(
            *("<IiiHHIIiiII", 40 + len(self.extension), self.width, height, 1),
            *(self.bits, self.compression, 0, 2835, 2835, entries, 0),
        )
        return head + self.extension + self.masks + self.palette

    def body(self) -> bytes:
        """Return the pixels."""
        padded = (row + self.padding * (-len(row) % 4) for row in self.rows)
        return self.pixels or b"".join(padded)


def bmp(dib: Dib, *, gap: bytes = b"", trailer: bytes = b"") -> bytes:
    """Return a BMP file.

    Args:
        gap: bytes before the pixels.
        trailer: bytes behind them.
    """
    head, body = dib.head(), dib.body()
    at = 14 + len(head) + len(gap)
    file_header = struct.pack("<2sIII", b"BM", at + len(body), 0, at)
    return file_header + head + gap + body + trailer


def icon(
    *images: tuple[int, bytes], cursor: bool = False, spot: tuple[int, int] = (0, 0)
) -> bytes:
    """Return an icon of images with their side lengths, or a cursor."""
    out = struct.pack("<HHH", 0, 2 if cursor else 1, len(images))
    at = 6 + 16 * len(images)
    for side, data in images:
        first = spot if cursor else (1, 32)
        out += struct.pack("<BBBBHHII", side, side, 0, 0, *first, len(data), at)
        at += len(data)
    return out + b"".join(data for _, data in images)


def icon_bitmap(dib: Dib, mask: bytes) -> bytes:
    """Return a bitmap as icons have it, with a mask of four bytes a row."""
    return dib.head(extra_rows=len(dib.rows)) + dib.body() + mask
