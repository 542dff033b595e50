"""The pixels of a bitmap, row by row, with nothing among them that nobody sees."""

from collections.abc import Iterator

from PIL import Image

from functions.sanitizer.images.bmp.dib import RGB, RLE4, Dib
from functions.sanitizer.images.bmp.rle import decoded
from functions.sanitizer.images.pictures import View

_BLOCK_BYTES = 1 << 20
_IS_ZERO = b"\xff" + bytes(255)


class Pixels:
    """Decoded pixels, in the order in which the file has its rows."""

    def __init__(self, data: View, at: int, dib: Dib) -> None:
        """Decode run lengths; anything else stays where it is.

        Raises:
            ValueError, IndexError: it ends early.
            Rejected: `too_many_pixels`.
        """
        self._dib = dib
        self._data, self._at = data, at
        if dib.compression == RGB:
            self.end = at + dib.stride * dib.height
            # Many leave out the padding behind the last row.
            if len(data) < self.end - dib.stride + dib.row_bytes:
                raise ValueError("pixels end early")
            return
        size, nibbles = (dib.width, dib.height), dib.compression == RLE4
        indices, self.end = decoded(
            data, at, size, nibbles=nibbles, top_down=dib.top_down
        )
        self._data, self._at = self._packed(indices), 0

    def _packed(self, indices: bytearray) -> bytes:
        dib = self._dib
        image = Image.frombytes("P", (dib.width, dib.height), bytes(indices))
        rawmode = "P" if dib.bits == 8 else "P;4"
        return image.tobytes("raw", rawmode, dib.stride, 1)

    def blocks(self) -> Iterator[tuple[bytes, bytes]]:
        """Yield many rows at a time, as they may be written and as they were."""
        dib = self._dib
        at_once = max(1, _BLOCK_BYTES // dib.stride)
        for first in range(0, dib.height, at_once):
            count = min(at_once, dib.height - first)
            at = self._at + first * dib.stride
            block = bytes(self._data[at : at + count * dib.stride])
            block = block.ljust(count * dib.stride, b"\0")
            yield self._cleared(self._within(block)), block

    def used(self) -> set[int]:
        """Return the palette entries that pixels have."""
        dib = self._dib
        rawmode = "P" if dib.bits == 8 else f"P;{dib.bits}"
        counts = [0] * 256
        for block, _ in self.blocks():
            size = (dib.width, len(block) // dib.stride)
            image = Image.frombytes("P", size, block, "raw", rawmode, dib.stride, 1)
            counts = [a + b for a, b in zip(counts, image.histogram(), strict=True)]
        return {index for index, count in enumerate(counts) if count}

    def _within(self, block: bytes) -> bytes:
        """Clear what is behind the last pixel of a row, and bits that mean nothing."""
        dib = self._dib
        if dib.gapless:
            return block
        out = bytearray(block)
        if not dib.indexed:
            for lane, bits in enumerate(dib.used_bits):
                _keep(out, lane, dib.bits // 8, bits)
        elif odd := dib.width * dib.bits % 8:
            _keep(out, dib.row_bytes - 1, dib.stride, 0xFF00 >> odd & 0xFF)
        for column in range(dib.row_bytes, dib.stride):
            _keep(out, column, dib.stride, 0)
        return bytes(out)

    def _cleared(self, block: bytes) -> bytes:
        """Make black what a whole byte of alpha hides; viewers ignore smaller ones."""
        alpha = self._dib.masks[3]
        if self._dib.bits != 32 or alpha not in (0xFF, 0xFF00, 0xFF0000, 0xFF000000):
            return block
        lane = (alpha.bit_length() - 1) // 8
        unseen = int.from_bytes(block[lane::4].translate(_IS_ZERO), "little")
        if not unseen:
            return block
        out, count = bytearray(block), len(block) // 4
        for colour in {0, 1, 2, 3} - {lane}:
            values = int.from_bytes(block[colour::4], "little")
            out[colour::4] = (values & ~unseen).to_bytes(count, "little")
        return bytes(out)


def _keep(out: bytearray, first: int, step: int, bits: int) -> None:
    """Leave *bits* of every byte from *first* on in steps of *step*."""
    if bits != 0xFF:
        table = bytes(byte & bits for byte in range(256))
        out[first::step] = out[first::step].translate(table)
