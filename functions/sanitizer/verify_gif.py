"""What a rebuilt GIF may consist of: a screen, pictures with their timing, a loop."""

from collections.abc import Iterator

from functions.sanitizer.verify_icc import profile_carriers

_TRAILER = b"\x3b"
_MAX_CODE_BITS = 12


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
        blocks.append(data[at + 1 : at + 1 + size])
        at += 1 + size
    return blocks, at + 1


def _extension(label: int, blocks: list[bytes]) -> Iterator[str]:
    if label == 0xF9 and len(blocks) == 1 and len(blocks[0]) == 4:
        return
    if label == 0xFF and blocks[0] == b"NETSCAPE2.0":
        if len(blocks) != 2 or len(blocks[1]) != 3 or blocks[1][0] != 1:
            yield "bytes in the loop extension"
    elif label == 0xFF and blocks[0] == b"ICCRGBG1012":
        yield from profile_carriers(b"".join(blocks[1:]))
    else:
        yield f"extension {label:02X}"


def _codes(coded: bytes, code_size: int) -> Iterator[str]:
    """Follow the codes to the end code: behind it there may be nothing.

    How wide a code is follows from how many came since the last clear code, so this
    needs no dictionary.
    """
    clear = 1 << code_size
    width, known = code_size + 1, clear + 2
    bits, held, at = 0, 0, 0
    first = True  # the code behind a clear code enters nothing in the dictionary
    while True:
        while held < width:
            bits |= coded[at] << held
            held, at = held + 8, at + 1
        code = bits & (1 << width) - 1
        bits, held = bits >> width, held - width
        if code == clear:
            width, known, first = code_size + 1, clear + 2, True
            continue
        if code == clear + 1:
            break
        if first:
            first = False
            continue
        known += 1
        if known == 1 << width and width < _MAX_CODE_BITS:
            width += 1
    if at != len(coded) or bits:
        yield "bytes behind the end code"
