"""The codes of a picture in a GIF, followed to their end (GIF89a, appendix F).

How wide a code is follows from how many came since the last clear code, so this needs
no dictionary, and many codes are searched at once: they are the lanes of one number.
"""

from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

_CODE_SIZES = range(1, 12)
_MAX_CODE_BITS = 12
_STRETCH = 4096  # codes that are searched at once
# Clear codes may come early: until so many bits were read, few more are looked at.
_EARLY_BITS = 2048
# Encoders clear when the dictionary is full; without one, each 126 codes or more. Who
# clears with every other code wants to keep the reader busy.
_FREE_CLEARS, _BITS_PER_CLEAR = 1000, 800

_Runs = tuple[tuple[int, int], ...]  # width and number of codes


def code_carriers(coded: bytes, code_size: int) -> Iterator[str]:
    """Name what is wrong with a picture's codes: behind the end there is nothing."""
    if code_size not in _CODE_SIZES:
        yield "codes of a size that no encoder uses"
        return
    at, ended, clears = 0, False, 0
    while not ended:
        special = _next_special(coded, at, code_size)
        if special is None:
            yield "codes without an end"
            return
        at, ended = special
        clears += 1
        if clears > _FREE_CLEARS + at // _BITS_PER_CLEAR:
            yield "codes that are cleared all the time"
            return
    if len(coded) != (at + 7) // 8 or coded[-1] >> (at % 8 or 8):
        yield "bytes behind the end code"


def _next_special(coded: bytes, at: int, code_size: int) -> tuple[int, bool] | None:
    """Return the bit behind the next clear or end code, and whether it is the end.

    Bits that are missing behind the last one count as zeros: no special code has that
    value, and one that needs them is none.
    """
    bits = 8 * len(coded)
    for runs in _stretches(code_size):
        lanes = _lanes(runs, 1 << code_size)
        whole = coded[at // 8 : (at + lanes.size + 7) // 8]
        number = int.from_bytes(whole, "little") >> at % 8
        behind = lanes.behind_special(number)
        if behind is not None:
            width, opens = _last(runs, behind)
            ended = number >> behind - width & 1 == 1  # the end code is odd
            # Encoders disagree with decoders about the end code's width where codes
            # just became wider: the highest bit, a zero, may be missing.
            narrow = ended and opens and width > code_size + 1
            if at + behind <= bits + narrow:
                return min(at + behind, bits), ended
        at += lanes.size
        if at >= bits:
            break
    return None


def _stretches(code_size: int) -> Iterator[_Runs]:
    """Yield the codes behind a clear code."""
    yield from _until_full(code_size)
    while True:
        yield ((_MAX_CODE_BITS, _STRETCH),)


@lru_cache(maxsize=len(_CODE_SIZES))
def _until_full(code_size: int) -> tuple[_Runs, ...]:
    """Return the codes that fill a dictionary, and the clear code that follows them."""
    # The first one enters nothing in the dictionary, each other one a string.
    runs = [(code_size + 1, (1 << code_size) - 1)]
    runs += [(width, 1 << width - 1) for width in range(code_size + 2, 13)]
    width, count = runs[-1]
    runs[-1] = width, count + 1
    early = next(n for n in range(1, 13) if _size(runs[:n]) >= _EARLY_BITS)
    return tuple(tuple(part) for part in (runs[:early], runs[early:]) if part)


def _size(runs: list[tuple[int, int]] | _Runs) -> int:
    return sum(width * count for width, count in runs)


class _Lanes(NamedTuple):
    """Numbers that find the first clear or end code among so many bits."""

    size: int
    ones: int  # the lowest bit of each lane, and of one behind them
    raised: int  # these, and one above all that a number can have
    wanted: int  # what a special code looks like with its lowest bit set

    def behind_special(self, number: int) -> int | None:
        """Return the bit behind the first one.

        It becomes zero, and all others even: taking one from each lane borrows only
        from the lane behind it, which is odd no longer.
        """
        odd = ((number | self.raised) ^ self.wanted) - self.ones & self.ones
        if odd == self.ones:
            return None
        borrowed = odd ^ self.ones
        return (borrowed & -borrowed).bit_length() - 1


@lru_cache(maxsize=64)
def _lanes(runs: _Runs, clear: int) -> _Lanes:
    size = ones = 0
    for width, count in runs:
        ones |= ((1 << width * count) - 1) // ((1 << width) - 1) << size
        size += width * count
    end = 1 << size
    above = end << 8  # a number of whole bytes has up to seven bits more
    return _Lanes(size, ones | end, ones | end | above, ones * (clear | 1) | end)


def _last(runs: _Runs, behind: int) -> tuple[int, bool]:
    """Return how wide the lane before a bit is, and whether it opens its run."""
    start = 0
    for width, count in runs:
        if behind <= start + width * count:
            return width, behind == start + width
        start += width * count
    raise LookupError(behind)
