"""What a rebuilt GIF may consist of: a screen, pictures with their timing, a loop."""

from collections.abc import Iterator
from functools import lru_cache

from functions.sanitizer.verify.icc import profile_carriers

_TRAILER = b"\x3b"
_MAX_CODE_BITS = 12
_STRETCH = 4096  # codes that are searched at once
# Encoders clear when the dictionary is full; without one, each 126 codes or more. Who
# clears with every other code wants to keep the reader busy.
_FREE_CLEARS, _BITS_PER_CLEAR = 1000, 800


def gif_carriers(data: bytes) -> Iterator[str]:
    """Name every block and byte that is not picture."""
    if data[:6] != b"GIF89a":
        yield "no signature"
    at = 13 + _table_bytes(data[10])
    pictures = 0
    while data[at : at + 1] != _TRAILER:
        if data[at] == 0x2C:
            codes_at = at + 10 + _table_bytes(data[at + 9])
            blocks, at = _sub_blocks(data, codes_at + 1)
            pictures += 1
            yield from _codes(b"".join(blocks), data[codes_at])
        elif data[at] == 0x21:
            label = data[at + 1]
            blocks, at = _sub_blocks(data, at + 2)
            yield from _extension(label, blocks)
        else:
            yield "bytes between blocks"
            return
    if at + 1 != len(data):
        yield "bytes after the end"
    if not pictures:
        yield "no picture"


def _table_bytes(flags: int) -> int:
    return 3 * (2 << (flags & 7)) if flags & 0x80 else 0


def _sub_blocks(data: bytes, at: int) -> tuple[list[bytes], int]:
    blocks = []
    while size := data[at]:
        full = _full_blocks(data, at)
        stretch = bytearray(data[at : at + (256 * full or 1 + size)])
        del stretch[::256]
        blocks.append(bytes(stretch))
        at += 256 * full or 1 + size
    return blocks, at + 1


def _full_blocks(data: bytes, at: int) -> int:
    """How many of the largest sub-blocks follow each other: at most a stretch."""
    sizes = data[at : min(at + 256 * _STRETCH, len(data) - 255) : 256]
    return len(sizes) - len(sizes.lstrip(b"\xff"))


def _extension(label: int, blocks: list[bytes]) -> Iterator[str]:
    if label == 0xF9 and len(blocks) == 1 and len(blocks[0]) == 4:
        return
    if label == 0xFF and blocks[0] in (b"NETSCAPE2.0", b"ANIMEXTS1.0"):
        if len(blocks) != 2 or len(blocks[1]) != 3 or blocks[1][0] != 1:
            yield "bytes in the loop extension"
    elif label == 0xFF and blocks[0] == b"ICCRGBG1012":
        yield from profile_carriers(b"".join(blocks[1:]))
    else:
        yield f"extension {label:02X}"


def _codes(coded: bytes, code_size: int) -> Iterator[str]:
    """Follow the codes to the end code: behind it there may be nothing.

    How wide a code is follows from how many came since the last clear code, so this
    needs no dictionary, and whole stretches of one width are searched at once.
    """
    at, ended, clears, bits = 0, False, 0, 8 * len(coded)
    while not ended:
        for width, count in _stretches(code_size):
            if bits - at < width + 7 and _ends_at_width(
                coded, at, width - 1, code_size
            ):
                return
            codes = min(count, (bits - at) // width)
            if not codes:
                yield "codes without an end"
                return
            lanes = _lanes(coded, at, width * codes)
            special = _first_special(lanes, width, codes, 1 << code_size)
            if special is None:
                at += width * codes
                continue
            ended = lanes >> width * special & 1 == 1  # the end code is odd
            at += width * (special + 1)
            break
        clears += 1
        if clears > _FREE_CLEARS + at // _BITS_PER_CLEAR:
            yield "codes that are cleared all the time"
            return
    if len(coded) != (at + 7) // 8 or coded[-1] >> (at % 8 or 8):
        yield "bytes behind the end code"


def _ends_at_width(coded: bytes, at: int, width: int, code_size: int) -> bool:
    """Whether nothing but an end code of this width is left.

    Encoders disagree with decoders about its width where codes just became wider.
    """
    left = 8 * len(coded) - at
    end = (1 << code_size) + 1
    return (
        width > code_size and 0 <= left - width < 8 and _lanes(coded, at, left) == end
    )


def _stretches(code_size: int) -> Iterator[tuple[int, int]]:
    """Yield width and number of the codes behind a clear code."""
    width = code_size + 1
    # The first one enters nothing in the dictionary, each other one a string.
    yield width, (1 << width) - (1 << code_size) - 1
    while width < _MAX_CODE_BITS:
        width += 1
        yield width, 1 << width - 1
    while True:
        yield width, _STRETCH


def _lanes(coded: bytes, at: int, size: int) -> int:
    """Return *size* bits from bit *at* as one number, the first code lowest.

    Up to seven bits that follow lie above them.
    """
    whole = coded[at // 8 : (at + size + 7) // 8]
    return int.from_bytes(whole, "little") >> at % 8


def _first_special(lanes: int, width: int, count: int, clear: int) -> int | None:
    """Return which code is the first to equal *clear* or the end code behind it.

    All codes are compared at once: taking one from each lane sets the top bit of the
    first that is zero; what it borrows only spoils those above it.
    """
    ones, top, without_low, wanted = _masks(width, count, clear)
    differing = lanes & without_low ^ wanted
    zero = differing - ones & ~differing & top
    return (zero & -zero).bit_length() // width - 1 if zero else None


@lru_cache(maxsize=64)
def _masks(width: int, count: int, clear: int) -> tuple[int, int, int, int]:
    """Return for *count* lanes: ones, top bits, all bits but the low ones, clears."""
    ones = ((1 << width * count) - 1) // ((1 << width) - 1)
    return ones, ones << width - 1, ones * ((1 << width) - 2), ones * clear
