"""HEVC in HEIF: units that show the picture, and none that do not.

Source: ITU-T H.265, 7.3 (syntax); ISO/IEC 14496-15, 8.3.2 (decoder configuration).
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from functions.sanitizer.findings import Finding
from functions.sanitizer.images.heif.bits import Bits, Budget
from functions.sanitizer.images.heif.hevc_sets import (
    PICTURE,
    SEQUENCE,
    VIDEO,
    Key,
    exact,
    key,
    needs,
    picture_of_slice,
)
from functions.sanitizer.images.isobmff import Reader, packed

_SLICES = frozenset((*range(10), *range(16, 22)))
_SETS = (VIDEO, SEQUENCE, PICTURE)
_DELIMITERS = (35, 36, 37)
_MESSAGES = (39, 40)
# Scaling lists and all reference picture sets fit; a book does not.
_MAX_SET_BYTES = 4096
_PROFILE_BYTES = 12


@dataclass(frozen=True)
class Shape:
    """What a sequence parameter set says of the pictures."""

    profile: bytes
    size: tuple[int, int]
    chroma: int
    depths: tuple[int, int]


def _is_set(unit: bytes) -> bool:
    return _kind(unit) in _SETS and len(unit) <= _MAX_SET_BYTES


def _written(
    head: bytes, shapes: list[Shape], sets: list[tuple[int, list[bytes]]]
) -> bytes:
    profile, chroma, depths = head[1:13], head[16] & 3, (head[17] & 7, head[18] & 7)
    if shapes:
        profile, chroma, depths = shapes[0].profile, shapes[0].chroma, shapes[0].depths
    # No segmentation, parallelism or frame rate: players do not need them.
    formats = (0xFC | chroma, 0xF8 | depths[0], 0xF8 | depths[1])
    record = b"\1" + profile + struct.pack(">HBBBBH", 0xF000, 0xFC, *formats, 0)
    record += bytes([head[21] & 0x3F, len(sets)])
    for kind, units in sets:
        record += struct.pack(">BH", kind, len(units))
        record += b"".join(struct.pack(">H", len(unit)) + unit for unit in units)
    return record


def _kind(unit: bytes) -> int:
    """Return the type of a unit of the base layer; -1 for others."""
    if len(unit) < 3 or unit[0] & 0x81 or unit[1] & 0xF8:
        return -1
    return unit[0] >> 1


class Hevc:
    """Goes through the items or samples that share one configuration.

    Args:
        record: of an `hvcC` box.

    Attributes:
        sizes: what the parameter sets say that pictures need.
    """

    def __init__(self, record: bytes, budget: Budget) -> None:
        self.findings: set[Finding] = set()
        self.sizes: set[tuple[int, int]] = set()
        self._budget = budget
        reader = Reader(record)
        self._head = reader.take(22)
        self._stored: dict[Key, bytes] = {}
        self._arrays: dict[int, int] = {}  # by kind, as the record writes it
        for _ in range(reader.number(1)):
            self._array(reader)
        self._sets = dict(self._stored)  # those inside the pictures as well
        self._used: set[Key] = set()
        self._length_bytes = (self._head[21] & 3) + 1
        if self._length_bytes == 3:
            raise ValueError("units of odd lengths")

    @property
    def box(self) -> bytes:
        """The configuration with the parameter sets that the pictures so far use."""
        kept = [k for k in self._stored if k in self._used]
        if len(kept) < len(self._stored):
            self.findings.add(Finding.APPLICATION_DATA)
        arrays = [
            (written, [self._exact(self._stored[k]) for k in kept if k.kind == kind])
            for kind, written in self._arrays.items()
        ]
        arrays = [(written, units) for written, units in arrays if units]
        shapes = [shape(u) for k, us in arrays if k & 63 == SEQUENCE for u in us]
        return packed(b"hvcC", _written(self._head, shapes, arrays))

    @property
    def colours(self) -> bytes:
        """Nothing: what the pictures say of their colours is not looked at."""
        return b""

    def _array(self, reader: Reader) -> None:
        kind = reader.number(1) & 0xBF
        for _ in range(reader.number(2)):
            unit = reader.take(reader.number(2))
            self._budget.spend()
            if _kind(unit) == kind & 63 and _is_set(unit):
                self._arrays.setdefault(kind & 63, kind)
                self._stored[key(unit)] = unit
            else:
                self._drop(_kind(unit))

    def tidy(self, stream: bytes) -> bytes:
        """Return one picture with nothing in it but what is shown.

        Raises:
            ValueError: it is broken, or shows nothing.
        """
        slices: list[bytes] = []
        needed: dict[Key, None] = {}
        for unit in self._units(stream):
            kind = _kind(unit)
            if kind in _SLICES:
                if unit[2] & 0x80 and slices:
                    self.findings.add(Finding.HIDDEN_IMAGE)
                    break
                slices.append(unit.rstrip(b"\0"))
                needed.update(dict.fromkeys(self._needed(picture_of_slice(unit))))
            elif _is_set(unit):
                known = self._stored.get(key(unit))
                self._sets[key(unit)] = known if known == unit else unit
            else:
                self._drop(kind)
        if not slices:
            raise ValueError("no picture")
        inside = [k for k in needed if self._sets[k] is not self._stored.get(k)]
        self._used |= needed.keys() - set(inside)
        sets = [self._exact(self._sets[k]) for k in sorted(inside)]
        return b"".join(
            len(unit).to_bytes(self._length_bytes, "big") + unit
            for unit in (*sets, *slices)
        )

    def _needed(self, picture: Key) -> list[Key]:
        """Return the sets that a slice needs, and note how large its picture is."""
        sequence = needs(self._sets[picture])
        if sequence is None or sequence not in self._sets:
            raise ValueError("a picture without its parameters")
        self.sizes.add(shape(self._sets[sequence]).size)
        video = needs(self._sets[sequence])
        return [k for k in (picture, sequence, video) if k and k in self._sets]

    def _exact(self, unit: bytes) -> bytes:
        kept = exact(unit)
        if len(kept) < len(unit):
            self.findings.add(Finding.PADDING)
        return kept

    def _units(self, stream: bytes) -> Iterator[bytes]:
        at, filled = 0, len(stream.rstrip(b"\0"))
        while at < filled:
            self._budget.spend()
            start = at + self._length_bytes
            end = start + int.from_bytes(stream[at:start], "big")
            if end > len(stream):
                raise ValueError("a unit that is cut off")
            yield stream[start:end]
            at = end

    def _drop(self, kind: int) -> None:
        if kind in _MESSAGES:
            self.findings.add(Finding.TEXT)
        elif kind not in _DELIMITERS:
            self.findings.add(Finding.APPLICATION_DATA)


def shape(unit: bytes) -> Shape:
    """Read the first fields of a sequence parameter set (H.265, 7.3.2.2).

    Raises:
        ValueError: it is broken.
    """
    # Two zeros are followed by a three that is no part of the fields.
    data = unit[2:_MAX_SET_BYTES].replace(b"\0\0\3", b"\0\0")
    profile = data[1 : 1 + _PROFILE_BYTES]
    bits = Bits(data)
    bits.take(4)
    layers = bits.take(3)
    bits.take(1 + 8 * _PROFILE_BYTES)
    _skip_layers(bits, layers)
    bits.golomb()  # its number
    chroma = bits.golomb()
    if chroma > 3:
        raise ValueError("no such format")
    if chroma == 3:
        bits.flag()
    size = (bits.golomb(), bits.golomb())
    if bits.flag():
        for _ in range(4):
            bits.golomb()  # edges that are not shown
    depths = (bits.golomb(), bits.golomb())
    if max(depths) > 7:
        raise ValueError("no such depth")
    return Shape(profile, size, chroma, depths)


def _skip_layers(bits: Bits, layers: int) -> None:
    present = [(bits.flag(), bits.flag()) for _ in range(layers)]
    if layers:
        bits.take(2 * (8 - layers))
    for profile, level in present:
        bits.take(88 * profile + 8 * level)
