"""The items that are kept, each with its coded data and properties written anew."""

import struct
from dataclasses import dataclass, field

from functions.sanitizer.findings import Finding
from functions.sanitizer.images.heif.av1 import Av1
from functions.sanitizer.images.heif.bits import Budget
from functions.sanitizer.images.heif.hevc import Hevc
from functions.sanitizer.images.heif.items import Shown
from functions.sanitizer.images.heif.meta import Item, Meta
from functions.sanitizer.images.heif.properties import clean_property
from functions.sanitizer.images.isobmff import Box, Reader
from functions.sanitizer.images.pictures import View
from functions.sanitizer.limits import Limits
from schemas.errors import Rejected

_CONFIGURATIONS = (b"av1C", b"hvcC")
_TURNING = (b"irot", b"imir", b"clap")
# Items may share bytes, but not so often that reading them takes for ever.
_MOST_BYTES = 64 << 20
_MOST_CONFIGURATION = 1 << 16
# Of a picture of the largest size with alpha, and the edges of its tiles.
_DECODED = 3


@dataclass
class Picture:
    """An item to write: its properties are boxes, its data what decoders get."""

    number: int
    kind: bytes
    size: tuple[int, int]
    data: bytes
    inputs: list[int]
    properties: list[bytes] = field(default_factory=list)
    pixels: int = 0  # to decode, all inputs included


class Pictures:
    """Reads the kept items of one file."""

    def __init__(self, data: View, meta: Meta, limits: Limits, budget: Budget) -> None:
        self._data = data
        self._meta = meta
        self._limits = limits
        self._budget = budget
        self._bytes_left = 2 * len(data) + _MOST_BYTES
        self._cleaned: dict[Box, bytes | None] = {}
        self._coded: dict[tuple[object, ...], tuple[bytes, int, bytes]] = {}
        self.findings: set[Finding] = set()

    def read(self, shown: Shown) -> dict[int, Picture]:
        """Return the pictures by number, in the order of *shown*.

        Raises:
            Rejected: `too_many_pixels`, `unsupported_image`.
            ValueError: something is broken.
        """
        pictures: dict[int, Picture] = {}
        for number in reversed(shown.order):  # inputs before what is made of them
            item = self._meta.items[number]
            pictures[number] = self._picture(item, shown.inputs[number], pictures)
        primary = shown.order[0]
        alpha = [pictures[n].pixels for n in shown.alpha.values() if n in pictures]
        total = pictures[primary].pixels + sum(alpha)
        if total > _DECODED * self._limits.max_pixels:
            raise Rejected("too_many_pixels", "in all parts of the picture")
        return {number: pictures[number] for number in shown.order}

    def _picture(
        self, item: Item, inputs: list[int], pictures: dict[int, Picture]
    ) -> Picture:
        stored = self._stored(item)
        size = self._size(item)
        properties = self._properties(item)
        pixels = 0
        parts = [pictures[number] for number in inputs]
        match item.kind:
            case b"grid":
                stored, count = grid(stored, size, [part.size for part in parts])
                inputs, parts = inputs[:count], parts[:count]
            case b"iovl":
                stored = overlay(stored, size, len(parts))
            case b"iden":
                stored = b""
            case _:
                tidy, pixels, configuration = self._decodable(item, stored)
                if tidy != stored:  # where its layers end may not be there any more
                    properties = [box for box in properties if box[4:8] != b"a1lx"]
                stored = tidy
                properties.append(configuration)
        pixels += sum(part.pixels for part in parts)
        return Picture(item.number, item.kind, size, stored, inputs, properties, pixels)

    def _stored(self, item: Item) -> bytes:
        pieces = []
        for start, end in item.extents:
            self._bytes_left -= end - start
            if end > len(self._data) or self._bytes_left < 0:
                raise ValueError("it is truncated")
            pieces.append(self._data[start:end])
        return b"".join(pieces)

    def _size(self, item: Item) -> tuple[int, int]:
        for box, _ in self._meta.properties_of(item):
            if box.kind == b"ispe":
                width, height = struct.unpack(">II", box.of(self._data)[4:12])
                self._limits.admit(width, height)
                return width, height
        raise ValueError("a picture without a size")

    def _properties(self, item: Item) -> list[bytes]:
        written: list[bytes] = []
        for box, essential in self._meta.properties_of(item):
            if box.kind in _CONFIGURATIONS:
                continue
            if box not in self._cleaned:
                content = box.of(self._data)
                self._cleaned[box] = clean_property(box.kind, content, self.findings)
            clean = self._cleaned[box]
            # Turning twice is not turning once.
            if clean and (clean not in written or box.kind in _TURNING):
                written.append(clean)
            elif essential and not clean and box.kind != b"colr":
                raise Rejected("unsupported_image", "it needs an unknown property")
        return written

    def _decodable(self, item: Item, stored: bytes) -> tuple[bytes, int, bytes]:
        """Return coded data, how many pixels they make, and their configuration."""
        boxes = [box for box, _ in self._meta.properties_of(item)]
        wanted = b"av1C" if item.kind == b"av01" else b"hvcC"
        box = next((box for box in boxes if box.kind == wanted), None)
        if box is None:
            raise ValueError("a picture that no decoder is told about")
        key = (box, *item.extents)
        if key not in self._coded:
            stream = open_stream(wanted, box.of(self._data), self._budget)
            tidy = stream.tidy(stored)
            self._coded[key] = tidy, most_pixels(stream, self._limits), stream.box
            self.findings |= stream.findings
        return self._coded[key]


def open_stream(kind: bytes, record: bytes, budget: Budget) -> Av1 | Hevc:
    """Return what tidies pictures under the configuration of an av1C or hvcC box.

    Raises:
        ValueError: it is broken.
    """
    if len(record) > _MOST_CONFIGURATION:
        raise ValueError("a configuration that is too long")
    return Av1(record, budget) if kind == b"av1C" else Hevc(record, budget)


def most_pixels(stream: Av1 | Hevc, limits: Limits) -> int:
    """Return how many pixels a decoder will make room for.

    Raises:
        Rejected: `too_many_pixels`.
    """
    for width, height in stream.sizes:
        limits.admit(width, height)
    return max((width * height for width, height in stream.sizes), default=0)


def grid(
    payload: bytes, size: tuple[int, int], tiles: list[tuple[int, int]]
) -> tuple[bytes, int]:
    """Return an ImageGrid (HEIF, 6.6.2.3) written anew, and its number of tiles.

    Raises:
        ValueError: its tiles are too few, or some lie where nobody sees them.
    """
    reader = Reader(payload)
    reader.take(1)
    width = 4 if reader.number(1) & 1 else 2
    rows, columns = reader.number(1) + 1, reader.number(1) + 1
    output = reader.number(width), reader.number(width)
    if output != size or len(tiles) < rows * columns:
        raise ValueError("a grid of another size")
    across, down = tiles[0]
    unseen = (columns - 1) * across >= size[0] or (rows - 1) * down >= size[1]
    if unseen or columns * across < size[0] or rows * down < size[1]:
        raise ValueError("tiles that do not fit")
    head = bytes([0, width == 4, rows - 1, columns - 1])
    return head + struct.pack(">II" if width == 4 else ">HH", *output), rows * columns


def overlay(payload: bytes, size: tuple[int, int], layers: int) -> bytes:
    """Return an ImageOverlay (HEIF, 6.6.2.4) written anew.

    Raises:
        ValueError: it is broken.
    """
    reader = Reader(payload)
    reader.take(1)
    width = 4 if reader.number(1) & 1 else 2
    fill = reader.take(8)
    output = reader.take(2 * width)
    places = reader.take(2 * width * layers)
    if (
        int.from_bytes(output[:width], "big"),
        int.from_bytes(output[width:], "big"),
    ) != size:
        raise ValueError("an overlay of another size")
    return bytes([0, width == 4]) + fill + output + places


def shown_size(picture: Picture) -> tuple[int, int]:
    """Return width and height after cropping and turning."""
    width, height = picture.size
    for box in picture.properties:
        if box[4:8] == b"clap":
            across, by, down, by_down = struct.unpack_from(">4I", box, 8)
            width, height = across // by, down // by_down
        elif box[4:8] == b"irot" and box[8] & 1:
            width, height = height, width
    return width, height
