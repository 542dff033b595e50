"""Parameter sets of HEVC, read to their last field: what lies behind it is dropped.

Source: ITU-T H.265, 7.3.2.1 to 7.3.2.3 (sets), 7.3.4 (scaling lists), 7.3.7 (reference
pictures), E.2 (VUI and HRD).
"""

import re
from typing import NamedTuple

from functions.sanitizer.images.heif.bits import Bits

VIDEO, SEQUENCE, PICTURE = 32, 33, 34
_PROFILE_BITS = 96
_TO_STUFF = re.compile(rb"\x00\x00(?=[\x00-\x03])")
_EXTENDED_ASPECT = 255
_MOST_REFERENCE_SETS, _MOST_REFERENCES = 64, 16
_MOST_TILES, _MOST_OFFSETS, _MOST_RATES = 64, 6, 32
_ID_BYTES = 160  # the number of a set lies in front, behind eight layers at most


class Key(NamedTuple):
    """What a set is called by others: its kind and number."""

    kind: int
    number: int


def key(unit: bytes) -> Key:
    """Return how a set is called.

    Raises:
        ValueError: it ends early.
    """
    kind = unit[0] >> 1
    bits = Bits(_plain(unit[: 2 + _ID_BYTES]))
    if kind == VIDEO:
        return Key(kind, bits.take(4))
    if kind == SEQUENCE:
        _profile(bits)
    return Key(kind, bits.golomb())


def needs(unit: bytes) -> Key | None:
    """Return which set a sequence's or picture's set refers to."""
    bits = Bits(_plain(unit[: 2 + _ID_BYTES]))
    if unit[0] >> 1 == SEQUENCE:
        return Key(VIDEO, bits.take(4))
    if unit[0] >> 1 == PICTURE:
        bits.golomb()
        return Key(SEQUENCE, bits.golomb())
    return None


def picture_of_slice(unit: bytes) -> Key:
    """Return the set that a slice refers to (7.3.6.1)."""
    bits = Bits(_plain(unit[:16]))
    bits.flag()
    if 16 <= unit[0] >> 1 <= 23:
        bits.flag()  # whether earlier pictures are not shown
    return Key(PICTURE, bits.golomb())


def exact(unit: bytes) -> bytes:
    """Return a set without what lies behind its last field.

    Raises:
        ValueError: it is broken, or extended in a way not known here.
    """
    content = _plain(unit)
    bits = Bits(content)
    _FIELDS[unit[0] >> 1](bits)
    # A video's set may go on with times and extensions, which two zeros deny.
    size = bits.at + (3 if unit[0] >> 1 == VIDEO else 1)
    kept = int.from_bytes(content, "big") >> (8 * len(content) - bits.at)
    length = -(-size // 8)
    value = (kept << (size - bits.at) | 1) << (8 * length - size)
    return unit[:2] + _TO_STUFF.sub(b"\0\0\3", value.to_bytes(length, "big"))


def _plain(unit: bytes) -> bytes:
    """Return a unit's content without the bytes that keep start codes out of it."""
    return unit[2:].replace(b"\0\0\3", b"\0\0")


def _profile(bits: Bits) -> int:
    """Take what a sequence's set begins with; return its sub-layers but one."""
    bits.take(4)
    layers = bits.take(3)
    bits.flag()
    _levels(bits, layers)
    return layers


def _levels(bits: Bits, layers: int) -> None:
    bits.take(_PROFILE_BITS)
    present = [(bits.flag(), bits.flag()) for _ in range(layers)]
    if layers:
        bits.take(2 * (8 - layers))
    for profile, level in present:
        bits.take(88 * profile + 8 * level)


def _numbers(bits: Bits, count: int) -> None:
    for _ in range(count):
        bits.golomb()


def _at_most(number: int, most: int) -> int:
    if number > most:
        raise ValueError("a parameter set that counts too much")
    return number


def _ordering(bits: Bits, layers: int) -> None:
    _numbers(bits, 3 * (layers + 1 if bits.flag() else 1))


def _video(bits: Bits) -> None:
    bits.take(12)
    layers = bits.take(3)
    bits.take(17)
    _levels(bits, layers)
    _ordering(bits, layers)
    ids = bits.take(6) + 1
    bits.take(ids * _at_most(bits.golomb(), 1023))


def _sequence(bits: Bits) -> None:
    layers = _profile(bits)
    bits.golomb()
    if bits.golomb() == 3:  # chroma
        bits.flag()
    _numbers(bits, 2)
    if bits.flag():  # edges that are not shown
        _numbers(bits, 4)
    _numbers(bits, 2)
    order_bits = _at_most(bits.golomb(), 12) + 4
    _ordering(bits, layers)
    _numbers(bits, 6)
    if bits.flag() and bits.flag():
        _scaling_lists(bits)
    bits.take(2)
    if bits.flag():  # samples that are not coded
        bits.take(8)
        _numbers(bits, 2)
        bits.flag()
    _reference_sets(bits)
    if bits.flag():
        for _ in range(_at_most(bits.golomb(), 32)):
            bits.take(order_bits + 1)
    bits.take(2)
    if bits.flag():
        _usability(bits, layers)
    if _extended(bits):
        bits.take(9)


def _extended(bits: Bits) -> bool:
    """Return whether a range extension follows, the only one that may."""
    if not bits.flag():
        return False
    ranges = bits.flag()
    if bits.take(7):
        raise ValueError("an extension that is not known")
    return ranges


def _reference_sets(bits: Bits) -> None:
    previous = 0
    for index in range(_at_most(bits.golomb(), _MOST_REFERENCE_SETS)):
        if index and bits.flag():
            bits.flag()
            bits.golomb()
            used = [bits.flag() or bits.flag() for _ in range(previous + 1)]
            previous = _at_most(sum(used), _MOST_REFERENCES)
            continue
        previous = _at_most(bits.golomb() + bits.golomb(), _MOST_REFERENCES)
        for _ in range(previous):
            bits.golomb()
            bits.flag()


def _scaling_lists(bits: Bits) -> None:
    for size in range(4):
        for _ in range(0, 6, 3 if size == 3 else 1):
            coded = bits.flag()
            coefficients = min(64, 16 << 2 * size) + (size > 1)
            _numbers(bits, coefficients if coded else 1)


def _usability(bits: Bits, layers: int) -> None:
    if bits.flag() and bits.take(8) == _EXTENDED_ASPECT:
        bits.take(32)
    if bits.flag():  # overscan
        bits.flag()
    if bits.flag():
        bits.take(4)
        if bits.flag():
            bits.take(24)
    if bits.flag():  # where the chroma samples lie
        _numbers(bits, 2)
    bits.take(3)
    if bits.flag():  # default window
        _numbers(bits, 4)
    if bits.flag():
        _timing(bits, layers)
    if bits.flag():
        bits.take(3)
        _numbers(bits, 5)


def _timing(bits: Bits, layers: int) -> None:
    bits.take(64)
    if bits.flag():
        bits.golomb()
    if bits.flag():
        _decoder_model(bits, layers)


def _decoder_model(bits: Bits, layers: int) -> None:
    models = bits.take(2).bit_count()
    parts = bool(models) and bits.flag()
    if models:
        bits.take(19 * parts + 8 + 4 * parts + 15)
    for _ in range(layers + 1):
        general = bits.flag()
        count, low_delay = 1, False
        if general or bits.flag():
            bits.golomb()
        else:
            low_delay = bits.flag()
        if not low_delay:
            count = _at_most(bits.golomb() + 1, _MOST_RATES)
        for _ in range(models * count):
            _numbers(bits, 4 if parts else 2)
            bits.flag()


def _picture(bits: Bits) -> None:
    _numbers(bits, 2)
    bits.take(7)
    _numbers(bits, 3)
    bits.flag()
    skips = bits.flag()
    if bits.flag():
        bits.golomb()
    _numbers(bits, 2)
    bits.take(4)
    if bits.take(2) & 2:  # tiles; behind it, rows in parallel
        columns, rows = bits.golomb(), bits.golomb()
        if not bits.flag():
            _numbers(bits, _at_most(columns + rows, _MOST_TILES))
        bits.flag()
    bits.flag()
    if bits.flag():
        bits.flag()
        if not bits.flag():
            _numbers(bits, 2)
    if bits.flag():
        _scaling_lists(bits)
    bits.flag()
    bits.golomb()
    bits.flag()
    if _extended(bits):
        _picture_ranges(bits, skips=skips)


def _picture_ranges(bits: Bits, *, skips: bool) -> None:
    if skips:
        bits.golomb()
    bits.flag()
    if bits.flag():
        bits.golomb()
        _numbers(bits, 2 * (_at_most(bits.golomb(), _MOST_OFFSETS - 1) + 1))
    _numbers(bits, 2)


_FIELDS = {VIDEO: _video, SEQUENCE: _sequence, PICTURE: _picture}
