"""AV1 in AVIF: open bitstream units that show the picture, and none that do not.

Source: AV1 Bitstream & Decoding Process Specification, 5.3 to 5.9 (OBU syntax); AV1
Codec ISO Media File Format Binding, 2.4 (samples) and 2.3 (configuration).
"""

import struct
from collections.abc import Iterator
from typing import NamedTuple

from functions.sanitizer.findings import Finding
from functions.sanitizer.images.heif.bits import Bits, Budget
from functions.sanitizer.images.isobmff import packed

_SEQUENCE, _DELIMITER, _FRAME_HEADER, _TILES, _METADATA = 1, 2, 3, 4, 5
_FRAME, _COPY, _PADDING = 6, 7, 15
_HIDDEN = {
    _METADATA: Finding.APPLICATION_DATA,
    _PADDING: Finding.PADDING,
    _DELIMITER: None,
    _COPY: None,  # of a frame header that was there before
}
_SRGB = (1, 13, 0)
# Headers of frames are short, but nothing says how short.
_HEADER_BYTES = 4
# 32 operating points of nine bytes, and some.
_MAX_SEQUENCE_BYTES = 512


class Sequence(NamedTuple):
    """What a sequence header says."""

    size: tuple[int, int]
    reduced: bool  # every frame is a key frame that is shown
    colours: bytes  # primaries, transfer, matrix and range as `colr` writes them
    payload: bytes  # without what follows its last field


class Unit(NamedTuple):
    """An open bitstream unit."""

    kind: int
    layer: int | None  # the extension byte: temporal and spatial layer
    payload: bytes

    @property
    def spatial(self) -> int:
        """The spatial layer."""
        return (self.layer or 0) >> 3 & 3

    def packed(self) -> bytes:
        """Return it with its size in as few bytes as possible."""
        head = bytes([self.kind << 3 | (self.layer is not None) << 2 | 2])
        if self.layer is not None:
            head += bytes([self.layer & 0xF8])
        size, rest = b"", len(self.payload)
        while rest > 0x7F:
            size += bytes([rest & 0x7F | 0x80])
            rest >>= 7
        return head + size + bytes([rest]) + self.payload


def units(stream: bytes, budget: Budget) -> Iterator[Unit]:
    """Yield the units of an item or a sample.

    Raises:
        ValueError: they do not fill it.
    """
    at = 0
    while at < len(stream):
        budget.spend()
        head, at = stream[at], at + 1
        layer = None
        if head & 4:
            layer, at = stream[at], at + 1
        size = len(stream) - at
        if head & 2:
            size, at = _leb128(stream, at)
        if head & 0x80 or at + size > len(stream):
            raise ValueError("a unit that is cut off")
        yield Unit(head >> 3 & 15, layer, stream[at : at + size])
        at += size


def _leb128(stream: bytes, at: int) -> tuple[int, int]:
    value = 0
    for index in range(8):
        byte = stream[at + index]
        value |= (byte & 0x7F) << 7 * index
        if byte < 0x80:
            return value, at + index + 1
    raise ValueError("a size that does not end")


class Av1:
    """Goes through the items or samples that share one configuration.

    Args:
        record: of an `av1C` box.

    Attributes:
        box: the configuration, written anew.
        sizes: what sequence headers say that pictures may need.
    """

    def __init__(self, record: bytes, budget: Budget) -> None:
        self.sequence: Sequence | None = None
        self.findings: set[Finding] = set()
        self.sizes: set[tuple[int, int]] = set()
        self._budget = budget
        if len(record) < 4 or record[0] != 0x81:
            raise ValueError("no configuration")
        kept = b""
        for unit in units(record[4:], budget):
            if unit.kind == _SEQUENCE and not kept:
                kept = self._begun(unit).packed()
            else:
                self._drop(unit)
        head = bytes((0x81, record[1], record[2], record[3] & 0x1F))
        self.box = packed(b"av1C", head, kept)

    def _begun(self, unit: Unit) -> Unit:
        self.sequence = sequence(unit.payload)
        self.sizes.add(self.sequence.size)
        return unit._replace(payload=self.sequence.payload)

    @property
    def colours(self) -> bytes:
        """The `colr` box that would say what the pictures say themselves."""
        return packed(b"colr", b"nclx", self.sequence.colours) if self.sequence else b""

    def tidy(self, stream: bytes) -> bytes:
        """Return one temporal unit with nothing in it but what is shown.

        Raises:
            ValueError: it is broken, or shows nothing.
        """
        kept: list[Unit] = []
        shown = -1  # the spatial layer that was shown last
        for unit in units(stream, self._budget):
            if unit.kind == _SEQUENCE and shown < 0:
                if kept and kept[-1].kind == _SEQUENCE:
                    kept.pop()
                kept.append(self._begun(unit))
                continue
            if unit.kind in (_FRAME, _FRAME_HEADER):
                if unit.spatial <= shown:
                    self.findings.add(Finding.HIDDEN_IMAGE)
                    break
                visible, key = self._frame(unit.payload)
                if visible:
                    shown = unit.spatial
                if key and visible and shown == 0:
                    kept = self._without_frames(kept)
            elif unit.kind != _TILES:
                self._drop(unit)  # a sequence behind the picture is another picture's
                continue
            kept.append(unit)
        if shown < 0:
            raise ValueError("no frame that is shown")
        return b"".join(unit.packed() for unit in kept)

    def _without_frames(self, kept: list[Unit]) -> list[Unit]:
        """A key frame needs none before it: those were never shown."""
        rest = [unit for unit in kept if unit.kind == _SEQUENCE]
        if len(rest) < len(kept):
            self.findings.add(Finding.HIDDEN_IMAGE)
        return rest

    def _frame(self, payload: bytes) -> tuple[bool, bool]:
        """Say whether a frame is shown, and whether it is a key frame."""
        if self.sequence is None:
            raise ValueError("a frame without a sequence header")
        if self.sequence.reduced:
            return True, True
        bits = Bits(payload[:_HEADER_BYTES])
        if bits.flag():
            return True, False  # an earlier frame is shown
        kind = bits.take(2)
        return bits.flag(), kind == 0

    def _drop(self, unit: Unit) -> None:
        found = _HIDDEN.get(unit.kind, Finding.APPLICATION_DATA)
        if found and unit.payload:
            self.findings.add(found)


def sequence(payload: bytes) -> Sequence:
    """Read a sequence header.

    Raises:
        ValueError: it is broken.
    """
    payload = payload[:_MAX_SEQUENCE_BYTES]
    bits = Bits(payload)
    profile = bits.take(3)
    bits.flag()  # still picture
    reduced = bits.flag()
    if reduced:
        bits.take(5)  # level
    else:
        _operating_points(bits)
    lengths = [bits.take(4) + 1, bits.take(4) + 1]
    width, height = (bits.take(length) + 1 for length in lengths)
    if not reduced and bits.flag():
        bits.take(7)  # lengths of frame numbers
    bits.take(3)
    if not reduced:
        _tools(bits)
    bits.take(3)
    colours = _colours(bits, profile)
    bits.flag()  # film grain
    return Sequence((width, height), reduced, colours, _ended(payload, bits.at))


def _operating_points(bits: Bits) -> None:
    delay_bits = -1
    if bits.flag():  # timing
        bits.take(64)
        if bits.flag():
            bits.golomb()
        if bits.flag():  # decoder model
            delay_bits = bits.take(5) + 1
            bits.take(42)
    delayed = bits.flag()
    for _ in range(bits.take(5) + 1):
        bits.take(12)
        if bits.take(5) > 7:
            bits.flag()  # tier
        if delay_bits > 0 and bits.flag():
            bits.take(2 * delay_bits + 1)
        if delayed and bits.flag():
            bits.take(4)


def _tools(bits: Bits) -> None:
    bits.take(4)
    ordered = bits.flag()
    if ordered:
        bits.take(2)
    chosen = bits.flag()  # screen content tools: chosen by each frame
    if (chosen or bits.flag()) and not bits.flag():
        bits.flag()
    if ordered:
        bits.take(3)


def _colours(bits: Bits, profile: int) -> bytes:
    high = bits.flag()
    twelve = profile == 2 and high and bits.flag()
    grey = profile != 1 and bits.flag()
    codes = (2, 2, 2)  # not specified
    if bits.flag():
        codes = bits.take(8), bits.take(8), bits.take(8)
    if grey:
        return struct.pack(">3HB", *codes, bits.flag() << 7)
    full_range = codes == _SRGB or bits.flag()
    if codes != _SRGB:
        halved = (profile == 0, profile == 0)
        if profile == 2:
            across = bits.flag() if twelve else True
            halved = (across, twelve and across and bits.flag())
        if all(halved):
            bits.take(2)  # where the chroma samples lie
    bits.flag()  # separate steps for u and v
    return struct.pack(">3HB", *codes, full_range << 7)


def _ended(payload: bytes, size: int) -> bytes:
    """Return the first *size* bits of *payload* and the bits that end a unit."""
    kept = int.from_bytes(payload, "big") >> (8 * len(payload) - size)
    length = size // 8 + 1
    return (((kept << 1) | 1) << (8 * length - size - 1)).to_bytes(length, "big")
