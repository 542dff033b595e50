"""Writes a HEIF or AVIF anew: brands, `meta`, `moov` if it moves, and its data.

Item numbers are counted from one, names are empty, properties are shared, and `mdat`
holds nothing but the data of items and samples.
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass, field

from functions.sanitizer.images.heif.items import Shown
from functions.sanitizer.images.heif.pictures import Picture
from functions.sanitizer.images.heif.properties import ESSENTIAL
from functions.sanitizer.images.isobmff import full, packed

# https://mp4ra.org/registered-types/brands: what a reader has to be able to do.
_STILL = b"mif1 mif2 miaf heic heix heim heis avif MA1A MA1B".split()
_MOVING = b"msf1 hevc hevx hevm hevs avis iso4 iso5 iso6 iso7 iso8 iso9 av01".split()
_MOST_OFFSET = (1 << 32) - 1


@dataclass
class Store:
    """The content of `mdat`: equal data are stored once."""

    pieces: list[bytes] = field(default_factory=list)
    size: int = 0
    _places: dict[bytes, int] = field(default_factory=dict)

    def place(self, data: bytes) -> int:
        """Return where *data* lies, from the start of `mdat`'s content."""
        if data not in self._places:
            self._places[data] = self.size
            self.pieces.append(data)
            self.size += len(data)
        return self._places[data]

    def place_row(self, samples: list[bytes]) -> int:
        """Return where *samples* lie one behind the other."""
        start = self.size
        for sample in samples:
            self._places.setdefault(sample, self.size)
            self.pieces.append(sample)
            self.size += len(sample)
        return start


def brands(
    wanted: list[bytes], kinds: set[bytes], *, still: bool, moves: bool
) -> bytes:
    """Return `ftyp` with the known ones of the brands of the original.

    Args:
        wanted: the major brand and the compatible ones.
        kinds: how the pictures are coded.
    """
    allowed = [*(_STILL if still else []), *(_MOVING if moves else [])]
    coding = b"avif" if b"av01" in kinds else b"heic"
    needed = [coding, b"mif1"] if still else []
    kept = dict.fromkeys(b for b in [*wanted, *needed] if b in allowed)
    major = next(iter(kept), b"mif1")
    return packed(b"ftyp", major, bytes(4), *kept)


def meta(
    shown: Shown, pictures: dict[int, Picture], store: Store
) -> Callable[[int], bytes]:
    """Return what writes `meta` once it is known where `mdat`'s content begins.

    Its length is the same wherever that is.
    """
    if not pictures:
        return lambda start: b""
    numbers = {number: index for index, number in enumerate(pictures, 1)}
    properties: dict[bytes, int] = {}
    for picture in pictures.values():
        for box in picture.properties:
            properties.setdefault(box, len(properties) + 1)
    places = [(numbers[p.number], store.place(p.data), p) for p in pictures.values()]
    around = (
        full(b"hdlr", bytes(4), b"pict", bytes(13)),
        full(b"pitm", struct.pack(">H", 1)),
    )
    behind = (
        _entries(shown, pictures),
        _references(shown, pictures, numbers),
        _properties(pictures, properties),
    )

    def written(start: int) -> bytes:
        located = [
            struct.pack(">HHHII", number, 0, 1, start + offset, len(picture.data))
            for number, offset, picture in places
            if picture.data
        ]
        count = struct.pack(">BBH", 0x44, 0, len(located))
        return full(b"meta", *around, full(b"iloc", count, *located), *behind)

    return written


def _entries(shown: Shown, pictures: dict[int, Picture]) -> bytes:
    entries = [
        full(
            b"infe",
            struct.pack(">HH4sB", index, 0, picture.kind, 0),
            version=2,
            flags=number in shown.hidden,
        )
        for index, (number, picture) in enumerate(pictures.items(), 1)
    ]
    return full(b"iinf", struct.pack(">H", len(entries)), *entries)


def _references(
    shown: Shown, pictures: dict[int, Picture], numbers: dict[int, int]
) -> bytes:
    references = [
        _reference(b"dimg", numbers[number], [numbers[n] for n in picture.inputs])
        for number, picture in pictures.items()
        if picture.inputs
    ]
    for number, alpha in shown.alpha.items():
        references.append(_reference(b"auxl", numbers[alpha], [numbers[number]]))
        if number in shown.premultiplied:
            references.append(_reference(b"prem", numbers[number], [numbers[alpha]]))
    return full(b"iref", *references) if references else b""


def _reference(kind: bytes, source: int, targets: list[int]) -> bytes:
    count = len(targets)
    return packed(kind, struct.pack(f">HH{count}H", source, count, *targets))


def _properties(pictures: dict[int, Picture], properties: dict[bytes, int]) -> bytes:
    wide = len(properties) > 0x7F
    form, high = (">H", 0x8000) if wide else (">B", 0x80)
    entries = b""
    for index, picture in enumerate(pictures.values(), 1):
        entries += struct.pack(">HB", index, len(picture.properties))
        for box in picture.properties:
            needed = high if box[4:8] in ESSENTIAL else 0
            entries += struct.pack(form, needed | properties[box])
    count = struct.pack(">I", len(pictures))
    table = full(b"ipma", count, entries, flags=wide)
    return packed(b"iprp", packed(b"ipco", *properties), table)
