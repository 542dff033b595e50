"""What a rebuilt GIF may consist of: a screen, pictures with their timing, a loop."""

from collections.abc import Iterator

from functions.sanitizer.verify.gif_codes import code_carriers
from functions.sanitizer.verify.icc import profile_carriers

_TRAILER = b"\x3b"
_FULL = 255  # bytes in the largest sub-block
_STRETCHES = 16, 4096  # so many of these are looked at at once


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
            yield from code_carriers(b"".join(blocks), data[codes_at])
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
        full = _full_blocks(data, at) if size == _FULL else 0
        stretch = bytearray(data[at : at + (256 * full or 1 + size)])
        del stretch[::256]
        blocks.append(bytes(stretch))
        at += 256 * full or 1 + size
    return blocks, at + 1


def _full_blocks(data: bytes, at: int) -> int:
    """How many of the largest sub-blocks follow each other: at most a stretch."""
    run = 0
    for stretch in _STRETCHES:
        sizes = data[at : min(at + 256 * stretch, len(data) - 255) : 256]
        run = len(sizes) - len(sizes.lstrip(b"\xff"))
        if run < stretch:
            break
    return run


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
