"""What nobody sees among the samples of a TIFF page: beside the page in its last tiles,
behind the last pixel of a row, under full transparency, in unused palette entries.

Rows are taken as their predictor left them. Differences are cleared as they are: a
difference of zero repeats the last pixel that is seen.
"""

import sys
import zlib
from array import array
from collections.abc import Iterator
from typing import Protocol

from PIL import Image, ImageChops

from functions.sanitizer.images.tiff.layout import DEFLATE, Layout
from functions.sanitizer.images.tiff.libtiff import Strips, decode

_PREDICTOR = 317
_IS_ZERO = b"\xff" + bytes(255)
_MODES = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}
_WHOLE = (8, 16, 24, 32, 64)


class Source(Protocol):
    """Where decoded segments come from; *slack*: more than samples was met there."""

    slack: bool

    def blocks(self, index: int) -> Iterator[bytes]:
        """Yield the rows of a segment, many at a time."""

    def deflated(self, index: int) -> bytes | None:
        """Return a segment that is stored exactly as it may be written.

        Nothing if that is not known: its rows have to be read to their end before.
        """


def within(layout: Layout, index: int, source: Source) -> Iterator[tuple[bytes, bytes]]:
    """Yield the rows of a segment with nothing beside what lies on the page, and as
    they were: the same object where nothing was to be cleared.
    """
    width, height = layout.shown(index)
    if layout.predictor == 3:
        yield from _floats_within(layout, width, height, source.blocks(index))
        return
    mask = _mask(layout, width, layout.subsampling[1])
    if mask == b"\xff" * len(mask) and height == layout.rows(index):
        yield from ((block, block) for block in source.blocks(index))
        return
    last = height % layout.subsampling[1]
    rows = -(-height // layout.subsampling[1])
    first = 0
    for block in source.blocks(index):
        count = len(block) // layout.stride
        masks = [mask] * min(count, max(0, rows - first))
        if last and first < rows <= first + count:
            masks[-1] = _mask(layout, width, last)
        yield _both(block, b"".join(masks).ljust(len(block), b"\0")), block
        first += count


def _mask(layout: Layout, width: int, height: int) -> bytes:
    """Set bits for what is seen of a row; of a row of blocks, its upper *height*."""
    across, down = layout.subsampling
    if layout.subsampling == (1, 1):
        whole, rest = divmod(width * layout.channels * layout.bits, 8)
        seen = b"\xff" * whole + (bytes((0xFF00 >> rest & 0xFF,)) if rest else b"")
        return seen.ljust(layout.stride, b"\0")
    size = across * down + 2
    blocks = -(-width // across)
    mask = bytearray(b"\xff" * (size * blocks)).ljust(layout.stride, b"\0")
    for y in range(down):
        for x in range(across):
            if y >= height:
                mask[y * across + x :: size] = bytes(layout.stride // size)
            elif (blocks - 1) * across + x >= width:
                mask[size * (blocks - 1) + y * across + x] = 0
    return bytes(mask)


def _both(one: bytes, other: bytes) -> bytes:
    if other == b"\xff" * len(other):
        return one
    both = int.from_bytes(one, "little") & int.from_bytes(other, "little")
    return both.to_bytes(len(one), "little")


def _floats_within(
    layout: Layout, width: int, height: int, blocks: Iterator[bytes]
) -> Iterator[tuple[bytes, bytes]]:
    """As `within`, for predictor 3: a row holds the highest bytes of all its samples,
    then the next ones, each as difference to the one before it of its channel.
    """
    first = 0
    for block in blocks:
        out = bytearray(block)
        for at in range(0, len(block), layout.stride):
            seen = width if first < height else 0
            first += 1
            if seen == 0:
                out[at : at + layout.stride] = bytes(layout.stride)
            elif seen < layout.across:
                row = block[at : at + layout.stride]
                out[at : at + layout.stride] = _float_row(layout, seen, row)
        yield bytes(out), block


def _float_row(layout: Layout, seen: int, row: bytes) -> bytes:
    out = bytearray(row)
    channels, lanes = layout.channels, layout.bits // 8
    lane_bytes = layout.across * channels
    for start in range(0, lanes * lane_bytes, lane_bytes):
        begin, end = start + seen * channels, start + lane_bytes
        for channel in range(channels):
            # The next lane goes on from where this one ended before.
            if end < lanes * lane_bytes:
                carried = sum(row[begin + channel : end : channels])
                out[end + channel] = (out[end + channel] + carried) & 0xFF
        out[begin:end] = bytes(end - begin)
    return bytes(out)


def clearable(layout: Layout) -> bool:
    """Say whether there is alpha, in samples whose colours can be cleared."""
    plain = layout.predictor == 1 or (layout.predictor == 2 and layout.bits in (8, 16))
    return layout.alpha is not None and layout.bits in _WHOLE and plain


def uncovered(
    layout: Layout, index: int, source: Source
) -> Iterator[tuple[bytes, bool]]:
    """Yield the rows of a segment without predictor and black where alpha is zero, and
    whether there was anything else.
    """
    assert layout.alpha is not None
    rows = (undone(layout, block) for block, _ in within(layout, index, source))
    if not layout.planar:
        yield from (_cleared(layout, block, block) for block in rows)
        return
    per_plane = layout.count // layout.planes
    alphas = within(layout, layout.alpha * per_plane + index % per_plane, source)
    is_alpha = index // per_plane == layout.alpha
    for block, (alpha, _) in zip(rows, alphas, strict=True):
        yield (
            (block, False)
            if is_alpha
            else _cleared(layout, block, undone(layout, alpha))
        )


def _cleared(layout: Layout, block: bytes, beside: bytes) -> tuple[bytes, bool]:
    """Clear colours in *block* by the alpha in *beside*, which may be the same."""
    assert layout.alpha is not None
    size = layout.bits // 8
    step = size * layout.channels
    alpha = (
        range(size)
        if layout.planar
        else range(layout.alpha * size, layout.alpha * size + size)
    )
    unseen = -1
    for lane in alpha:
        zeros = beside[lane::step].translate(_IS_ZERO)
        unseen &= int.from_bytes(zeros, "little")
    if not unseen:
        return block, False
    out, count = bytearray(block), len(block) // step
    for lane in range(step):
        if layout.planar or lane not in alpha:
            values = int.from_bytes(block[lane::step], "little")
            out[lane::step] = (values & ~unseen).to_bytes(count, "little")
    return bytes(out), out != block


def undone(layout: Layout, block: bytes) -> bytes:
    """Return rows as they are without predictor 2; samples of 8 or 16 bits."""
    if layout.predictor == 1:
        return block
    if layout.bits == 8 and layout.channels in _MODES and layout.stride >= 64:
        return _summed(layout, block)
    letter = "B" if layout.bits == 8 else "H"
    samples, out = array(letter, block), array(letter, bytes(len(block)))
    rows = len(block) // layout.stride
    for channel in range(layout.channels):
        coded = zlib.compress(samples[channel :: layout.channels].tobytes(), 0)
        options = {_PREDICTOR: 2}
        strips = Strips(
            layout.across, rows, layout.bits, DEFLATE, (coded,), options, layout.order
        )
        lane = array(letter, decode(strips).tobytes())
        out[channel :: layout.channels] = lane
    return out.tobytes()


def _summed(layout: Layout, block: bytes) -> bytes:
    """As `undone`, faster: predictor 2 of 8 bits is the first filter of PNG."""
    stride, mode = layout.stride, _MODES[layout.channels]
    rows = [b"\1" + block[at : at + stride] for at in range(0, len(block), stride)]
    coded = zlib.compress(b"".join(rows), 0)
    size = (layout.across, len(rows))
    return Image.frombytes(mode, size, coded, "zip", mode, 0).tobytes()


def predicted(layout: Layout, block: bytes) -> bytes:
    """Return rows of 8-bit samples with predictor 2: each less the one before it."""
    size = (layout.stride, len(block) // layout.stride)
    rows = Image.frombytes("L", size, block)
    before = Image.new("L", size)
    before.paste(rows, (layout.channels, 0))
    return ImageChops.subtract_modulo(rows, before).tobytes()


def used_entries(layout: Layout, source: Source) -> set[int]:
    """Return the palette entries that pixels on the page have."""
    used: set[int] = set()
    if layout.predictor == 3:
        return set(range(1 << layout.bits))
    for index in range(layout.count // layout.planes):
        width, height = layout.shown(index)
        rows = (undone(layout, block) for block in source.blocks(index))
        first = 0
        for block in rows:
            seen = min(len(block) // layout.stride, height - first)
            used |= _indices(layout, block[: max(0, seen) * layout.stride], width)
            first += len(block) // layout.stride
    return used


def _indices(layout: Layout, block: bytes, width: int) -> set[int]:
    rows = len(block) // layout.stride
    if not rows:
        return set()
    if layout.channels > 1 or layout.bits not in (1, 2, 4, 8):
        return _odd_indices(layout, block)
    rawmode = "P" if layout.bits == 8 else f"P;{layout.bits}"
    image = Image.frombytes("P", (layout.across, rows), block, "raw", rawmode)
    counts = image.crop((0, 0, width, rows)).histogram()
    return {index for index, count in enumerate(counts) if count}


def _odd_indices(layout: Layout, block: bytes) -> set[int]:
    """As `_indices`, where palettes hardly are: nothing is cropped."""
    if layout.bits == 8:
        return set(block[:: layout.channels])
    if layout.bits != 16:
        return set(range(1 << layout.bits))
    samples = array("H", block)
    if (layout.order == "<") != (sys.byteorder == "little"):
        samples.byteswap()
    return set(samples[:: layout.channels])
