"""Damage that a fuzzer does to files: seeded, so that it can be done again."""

from collections.abc import Callable, Sequence
from random import Random

_MOST_BYTES = 4 << 20
_CURIOUS = (
    b"\0\0\0\0",
    b"\xff\xff\xff\xff",
    b"\x7f\xff\xff\xff",
    b"\x80\0\0\0",
    b"\0\0\0\1",
)
# Bytes that start something in one format or another.
_MARKS = (
    b"\xff\xd8\xff",
    b"\xff\xda",
    b"\xff\xe1",
    b"IDAT",
    b"IEND",
    b"fdAT",
    b"acTL",
    b"\x21\xf9",
    b"\x2c\0\0",
    b"VP8 ",
    b"VP8L",
    b"ANMF",
    b"ALPH",
    b"iloc",
    b"iinf",
    b"ipco",
    b"moov",
    b"mdat",
    b"stsz",
    b"data",
    b"OggS",
    b"\xff\xfb",
    b"II*\0",
)
Mutation = Callable[[bytes, bytes, Random], bytes]


def mutated(seeds: Sequence[bytes], dice: Random) -> bytes:
    """Return one of *seeds* after one to four damages; another one may be mixed in."""
    data, other = dice.choice(seeds), dice.choice(seeds)
    for _ in range(dice.randint(1, 4)):
        if data:
            data = dice.choice(_MUTATIONS)(data, other, dice)
    return data[:_MOST_BYTES]


def _flip(data: bytes, other: bytes, dice: Random) -> bytes:
    """Turn some bits, mostly near the start, where headers are."""
    changed = bytearray(data)
    for _ in range(dice.choice((1, 3, 20))):
        changed[_place(data, dice)] ^= 1 << dice.randrange(8)
    return bytes(changed)


def _place(data: bytes, dice: Random) -> int:
    return dice.randrange(min(len(data), dice.choice((64, 1024, len(data)))) or 1)


def _number(data: bytes, other: bytes, dice: Random) -> bytes:
    """Put a number where a length may be: zero, huge, one more, one less."""
    changed, at = bytearray(data), _place(data, dice)
    size = dice.choice((1, 2, 4))
    order = "big" if dice.random() < 0.5 else "little"
    known = int.from_bytes(data[at : at + size], "big" if order == "big" else "little")
    near = (known + dice.choice((-1, 1, 8, 255))) % (1 << 8 * size)
    told = near.to_bytes(size, "big" if order == "big" else "little")
    new = told if dice.random() < 0.5 else dice.choice(_CURIOUS)[:size]
    changed[at : at + size] = new
    return bytes(changed)


def _cut(data: bytes, other: bytes, dice: Random) -> bytes:
    return data[: dice.randrange(len(data))]


def _drop(data: bytes, other: bytes, dice: Random) -> bytes:
    start, end = _span(data, dice)
    return data[:start] + data[end:]


def _double(data: bytes, other: bytes, dice: Random) -> bytes:
    start, end = _span(data, dice)
    return data[:end] + data[start:end] * dice.choice((1, 1, 8)) + data[end:]


def _splice(data: bytes, other: bytes, dice: Random) -> bytes:
    start, end = _span(other, dice)
    at = _place(data, dice)
    return data[:at] + other[start:end] + data[at:]


def _join(data: bytes, other: bytes, dice: Random) -> bytes:
    return data + other


def _span(data: bytes, dice: Random) -> tuple[int, int]:
    """Return a part: between two marks if there are some, else anywhere."""
    if not data:
        return 0, 0
    marks = [data.find(mark) for mark in _MARKS]
    places = sorted(at for at in marks if at > 0)
    if len(places) > 1 and dice.random() < 0.6:
        start, end = sorted(dice.sample(places, 2))
        return max(start - 4, 0), max(end - 4, start)
    start = dice.randrange(len(data))
    return start, min(start + dice.choice((1, 8, 64, 4096)), len(data))


_MUTATIONS: tuple[Mutation, ...] = (
    _flip,
    _flip,
    _number,
    _number,
    _number,
    _cut,
    _drop,
    _double,
    _splice,
    _join,
)
