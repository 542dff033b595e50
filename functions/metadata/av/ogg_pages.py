"""Ogg's pages, and where they are found without reading all of them.

Source: RFC 3533, 6.
"""

import struct
from typing import NamedTuple

from fastcrc import crc32

from functions.metadata.blocks import BLOCK, Blocks
from functions.metadata.errors import cut_off

_CAPTURE = b"OggS\0"
_TAIL = 2 * BLOCK  # the longest page has 65,307 bytes
_MAX_STREAMS = 16
_MAX_PAGES = 1 << 13  # the shortest ones are 4,681 in 128 KiB
_FIRST, _LAST = 2, 4


class Page(NamedTuple):
    """A whole, undamaged page."""

    start: int
    raw: bytes

    @property
    def end(self) -> int:
        """Where the next page starts."""
        return self.start + len(self.raw)

    @property
    def first(self) -> bool:
        """Whether its stream starts with it."""
        return bool(self.raw[5] & _FIRST)

    @property
    def last(self) -> bool:
        """Whether its stream ends with it."""
        return bool(self.raw[5] & _LAST)

    @property
    def granule(self) -> int:
        """The position that its stream has reached; -1 where no packet ends."""
        return int.from_bytes(self.raw[6:14], "little", signed=True)

    @property
    def serial(self) -> bytes:
        """Which stream it belongs to."""
        return self.raw[14:18]

    @property
    def body(self) -> bytes:
        """The packets' bytes."""
        return self.raw[27 + self.raw[26] :]


def page_at(blocks: Blocks, at: int) -> Page | None:
    """Return the page that starts there, if it is whole and undamaged."""
    head = blocks.read_at(at, 27 + 255)
    if len(head) < 27 or head[:5] != _CAPTURE:
        return None
    size = 27 + head[26] + sum(head[27 : 27 + head[26]])
    raw = blocks.read_at(at, size)
    if len(raw) < size:
        return None
    crc = crc32.cksum(raw[:22] + bytes(4) + raw[26:]) ^ 0xFFFFFFFF
    return Page(at, raw) if raw[22:26] == struct.pack("<I", crc) else None


def openings(blocks: Blocks) -> list[Page]:
    """Return the first page of every stream that starts with the file."""
    pages: list[Page] = []
    at = 0
    while len(pages) < _MAX_STREAMS:
        page = page_at(blocks, at)
        if page is None or not page.first:
            break
        pages.append(page)
        at = page.end
    return pages


def endings(blocks: Blocks) -> list[Page]:
    """Return the whole pages near the end of the file, the last one first.

    Raises:
        Rejected: the last page is cut.
    """
    # From a block's border, not to touch a third block for a few bytes.
    origin = max(0, -(-(blocks.size_bytes - _TAIL) // BLOCK) * BLOCK)
    pages = pages_between(blocks, origin, blocks.size_bytes)
    tail = blocks.read_at(pages[-1].end, 4) if pages else b""
    if not pages or tail == _CAPTURE[:4]:
        raise cut_off()
    return pages[::-1]


def pages_between(blocks: Blocks, start: int, end: int) -> list[Page]:
    """Return the pages that lie wholly between two places."""
    window = blocks.read_at(start, end - start)
    pages: list[Page] = []
    at = window.find(_CAPTURE)
    while at >= 0 and len(pages) < _MAX_PAGES:
        page = page_at(blocks, start + at) if _fits(window, at) else None
        if page:
            pages.append(page)
        at = window.find(_CAPTURE, page.end - start if page else at + 1)
    return pages


def _fits(window: bytes, at: int) -> bool:
    """Whether a page ends within *window*: its rest is not to be fetched."""
    table = window[at + 26 : at + 27 + 255]
    return bool(table) and at + 27 + table[0] + sum(table[1 : 1 + table[0]]) <= len(
        window
    )
