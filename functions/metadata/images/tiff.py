"""TIFF: pages are a chain, each with a table of what it is. Exif is one more of them.

Sources: TIFF 6.0, section 2; the BigTIFF design.
"""

import struct
from collections.abc import Mapping
from io import BytesIO
from typing import NamedTuple

from functions.metadata.blocks import Blocks
from functions.metadata.errors import damaged_image
from functions.metadata.images.facts import ImageFacts

_WIDTH, _HEIGHT, _BITS, _PHOTOMETRIC = 256, 257, 258, 262
_ORIENTATION, _SAMPLES, _EXTRA, _FORMAT = 274, 277, 338, 339
_WANTED = (
    _WIDTH,
    _HEIGHT,
    _BITS,
    _PHOTOMETRIC,
    _ORIENTATION,
    _SAMPLES,
    _EXTRA,
    _FORMAT,
)
_CODES = {1: "B", 3: "H", 4: "I", 16: "Q"}
_MOST_ENTRIES = 1 << 12
# Pages lie far from each other: each may take a block of its own.
_MOST_PAGES, _MOST_BLOCKS = 1 << 16, 1 << 12
_MOST_VALUES = 8
_FLOAT = 3
_MODES = {2: "RGB", 3: "P", 5: "CMYK", 6: "RGB", 8: "LAB"}

Page = Mapping[int, tuple[int, ...]]


class _Layout(NamedTuple):
    """How numbers are written, and how wide the tables' columns are."""

    order: str
    big: bool
    first: int

    @property
    def entry_bytes(self) -> int:
        return 20 if self.big else 12


def describe_tiff(blocks: Blocks) -> ImageFacts:
    """Return the facts of the first page, and how many pages there are.

    Raises:
        Rejected: there is no page.
    """
    layout = _layout(blocks.read_at(0, 16))
    if layout is None:
        raise damaged_image()
    page, following = _page(blocks, layout, layout.first)
    blocks.budget = _MOST_BLOCKS
    frames = 1 + _count(blocks, layout, {layout.first}, following)
    facts = ImageFacts(
        width=_value(page, _WIDTH), height=_value(page, _HEIGHT), mode=_mode(page)
    )
    facts = facts.model_copy(update={"frames": frames})
    return facts.turned(_value(page, _ORIENTATION, 1))


def orientation_in(exif: bytes) -> int:
    """Return the orientation that Exif data tells; 1 where it tells none."""
    blocks = Blocks(BytesIO(exif.removeprefix(b"Exif\0\0")))
    layout = _layout(blocks.read_at(0, 16))
    if layout is None:
        return 1
    try:
        page, _ = _page(blocks, layout, layout.first)
    except (struct.error, ValueError):
        return 1
    return _value(page, _ORIENTATION, 1)


def _layout(head: bytes) -> _Layout | None:
    order = {b"II": "<", b"MM": ">"}.get(head[:2])
    if order is None or len(head) < 8:
        return None
    (version,) = struct.unpack_from(order + "H", head, 2)
    if version == 43 and len(head) == 16:
        return _Layout(
            order, big=True, first=struct.unpack_from(order + "Q", head, 8)[0]
        )
    return _Layout(order, big=False, first=struct.unpack_from(order + "I", head, 4)[0])


def _page(blocks: Blocks, layout: _Layout, at: int) -> tuple[Page, int]:
    """Return what a table tells of what is wanted, and where the next table is."""
    width, code = (8, "Q") if layout.big else (2, "H")
    (count,) = struct.unpack(layout.order + code, blocks.read_at(at, width))
    count = min(count, _MOST_ENTRIES)
    table = blocks.read_at(at + width, count * layout.entry_bytes)
    page = {}
    for start in range(0, len(table) - layout.entry_bytes + 1, layout.entry_bytes):
        (tag,) = struct.unpack_from(layout.order + "H", table, start)
        if tag in _WANTED:
            entry = table[start : start + layout.entry_bytes]
            page[tag] = _values(blocks, layout, entry)
    at += width + count * layout.entry_bytes
    return page, _pointer(layout, blocks.read_at(at, 8 if layout.big else 4))


def _pointer(layout: _Layout, raw: bytes) -> int:
    code, width = ("Q", 8) if layout.big else ("I", 4)
    return int(struct.unpack(layout.order + code, raw)[0]) if len(raw) == width else 0


def _values(blocks: Blocks, layout: _Layout, entry: bytes) -> tuple[int, ...]:
    kind, count = struct.unpack_from(
        layout.order + ("HQ" if layout.big else "HI"), entry, 2
    )
    code = _CODES.get(kind)
    if code is None:
        return ()
    form = f"{layout.order}{min(count, _MOST_VALUES)}{code}"
    inline = entry[12:] if layout.big else entry[8:]
    if struct.calcsize(f"{layout.order}{code}") * count > len(inline):
        inline = blocks.read_at(_pointer(layout, inline), struct.calcsize(form))
    return struct.unpack_from(form, inline)


def _count(blocks: Blocks, layout: _Layout, seen: set[int], at: int) -> int:
    """Return how many more pages follow; a chain that bites its tail ends there."""
    width, code = (8, "Q") if layout.big else (2, "H")
    pages = 0
    while at and at not in seen and pages < _MOST_PAGES:
        raw = blocks.read_at(at, width)
        if len(raw) < width:
            break
        seen.add(at)
        pages += 1
        (entries,) = struct.unpack(layout.order + code, raw)
        at += width + entries * layout.entry_bytes
        at = _pointer(layout, blocks.read_at(at, 8 if layout.big else 4))
    return pages


def _value(page: Page, tag: int, default: int = 0) -> int:
    values = page.get(tag)
    return values[0] if values else default


def _mode(page: Page) -> str:
    bits, samples = _value(page, _BITS, 1), _value(page, _SAMPLES, 1)
    mode = _MODES.get(_value(page, _PHOTOMETRIC))
    if mode is None:
        mode = _grey(bits, floats=_value(page, _FORMAT, 1) == _FLOAT)
    alpha = page.get(_EXTRA) and _value(page, _EXTRA) != 0 and mode in ("L", "RGB", "P")
    return mode + "A" if alpha and samples > 1 else mode


def _grey(bits: int, *, floats: bool) -> str:
    if floats:
        return "F"
    if bits > 16:
        return "I"
    return "1" if bits == 1 else "L" if bits <= 8 else "I;16"
