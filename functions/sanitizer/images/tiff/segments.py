"""Strips and tiles of a TIFF page, decoded to the bytes of their samples.

Deflate and bare samples are read here. What else libtiff knows it decodes inside
Pillow, which has no mode for most samples; but compressions work on bytes, so a page of
any samples is handed over as an 8-bit grey one, as wide as its rows are long in bytes.
"""

from collections.abc import Callable, Iterator, Mapping

from PIL import Image

from functions.sanitizer.images.inflating import Inflater
from functions.sanitizer.images.pictures import View
from functions.sanitizer.images.tiff.layout import (
    DEFLATE,
    FAX,
    NONE,
    THUNDERSCAN,
    Layout,
)
from functions.sanitizer.images.tiff.libtiff import Strips, decode

BLOCK_BYTES = 1 << 20
_BATCH_BYTES = 16 << 20
_BITS_REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))
_NIBBLES = bytes(level // 17 for level in range(256))


class Segments:
    """The segments of one page."""

    def __init__(
        self, data: View, layout: Layout, options: Mapping[int, int] | None = None
    ) -> None:
        """Decode nothing yet.

        Args:
            options: what libtiff has to know besides: T4Options and the like.
        """
        self._data = data
        self._layout = layout
        self._options = dict(options or {})
        self._batch: dict[int, Image.Image] = {}
        self._inflated: tuple[int, bytes, Inflater] | None = None
        self.slack = False

    def blocks(self, index: int) -> Iterator[bytes]:
        """Yield all rows of a segment as its predictor left them, many at a time.

        Raises:
            ValueError, zlib.error, OSError: it is damaged or ends early.
        """
        layout = self._layout
        at_once = max(1, BLOCK_BYTES // layout.stride)
        read = self._reader(index)
        for first in range(0, layout.rows(index), at_once):
            count = min(at_once, layout.rows(index) - first)
            block = read(first, count)
            if len(block) != layout.stride * count:
                raise ValueError("a strip or tile ends early")
            yield block

    def deflated(self, index: int) -> bytes | None:
        """Return the segment as it is stored, if that is deflate and ends where its
        last row does; it has to be the one whose rows were read last.
        """
        if self._inflated is None or self._inflated[0] != index:
            return None
        _, coded, inflater = self._inflated
        end = inflater.end()
        self.slack |= end is None or any(coded[end:])
        return None if end is None else coded[:end]

    def _reader(self, index: int) -> Callable[[int, int], bytes]:
        layout = self._layout
        if layout.compression == DEFLATE:
            coded = self._coded(index)
            inflater = Inflater(coded)
            self._inflated = index, coded, inflater
            return lambda first, count: inflater.read(layout.stride * count)
        if layout.compression == NONE:
            return lambda first, count: self._bare(index, first, count)
        if index not in self._batch:
            self._batch = self._decoded(index)
        image = self._batch[index]
        return lambda first, count: self._packed(image, first, count)

    def _coded(self, index: int) -> bytes:
        offset, size = self._layout.segments[index]
        coded = bytes(self._data[offset : offset + size])
        return coded.translate(_BITS_REVERSED) if self._layout.reversed_bits else coded

    def _bare(self, index: int, first: int, count: int) -> bytes:
        stride = self._layout.stride
        offset, _ = self._layout.segments[index]
        offset += first * stride
        block = bytes(self._data[offset : offset + count * stride])
        return block.translate(_BITS_REVERSED) if self._layout.reversed_bits else block

    def _decoded(self, index: int) -> dict[int, Image.Image]:
        """Decode a segment, and those behind it that are as high."""
        layout = self._layout
        rows = layout.rows(index)
        most = max(1, _BATCH_BYTES // (rows * layout.stride))
        indices = [index]
        for following in range(index + 1, min(index + most, layout.count)):
            if layout.rows(following) != rows:
                break
            indices.append(following)
        bits = 1 if layout.compression in FAX else 8
        width = layout.across if bits == 1 else layout.stride
        if layout.compression == THUNDERSCAN:
            bits, width = 4, layout.across
        image = decode(
            Strips(
                width,
                rows,
                bits,
                layout.compression,
                tuple(self._stored(i) for i in indices),
                self._options | {266: 2 if layout.reversed_bits else 1},
            )
        )
        if len(indices) == 1:
            return {index: image}
        return {
            each: image.crop((0, nth * rows, width, (nth + 1) * rows))
            for nth, each in enumerate(indices)
        }

    def _stored(self, index: int) -> memoryview:
        offset, size = self._layout.segments[index]
        return memoryview(self._data)[offset : offset + size]

    def _packed(self, image: Image.Image, first: int, count: int) -> bytes:
        block = image.crop((0, first, image.width, first + count))
        samples = block.tobytes()
        if self._layout.compression != THUNDERSCAN:
            return samples
        nibbles = Image.frombytes("P", block.size, samples.translate(_NIBBLES))
        return nibbles.tobytes("raw", "P;4")
