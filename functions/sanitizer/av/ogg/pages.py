"""Ogg pages: read, checked, laid out and written by mutagen (RFC 3533, 6)."""

from collections.abc import Iterator
from io import BytesIO
from typing import BinaryIO

from mutagen.ogg import OggPage

from functions.sanitizer.av.scan import read_at, unreadable

CAPTURE = b"OggS\0"
_WINDOW = 1 << 18
_MAX_STRAYS = 100  # places that look like a page and are none


def encoded(page: OggPage) -> bytes:
    """Return the bytes of *page* with the right checksum."""
    return bytes(page.write())  # type: ignore[no-untyped-call] # mutagen has no types


def laid_out(packets: list[bytes]) -> list[OggPage]:
    """Return pages number 1 and on that hold *packets*."""
    pages: list[OggPage] = OggPage.from_packets(packets, sequence=1)  # type: ignore[no-untyped-call] # mutagen has no types
    for page in pages:
        page.position = 0
    return pages


def pages_of(source: BinaryIO, end: int) -> Iterator[tuple[int, OggPage]]:
    """Return every whole page and where it starts; between them may be other bytes.

    Raises:
        Rejected: a page's checksum is wrong.
    """
    at, strays = 0, 0
    while (start := _find(source, at, end)) < end:
        raw = _page_bytes(source, start)
        page = _decoded(raw) if raw else None
        if page and encoded(page) == raw and raw[5] < 8:
            yield start, page
            at = start + len(raw)
        elif raw and start == at:
            raise unreadable("a page's checksum is wrong")
        else:
            at, strays = start + 1, strays + 1
        if strays > _MAX_STRAYS:
            raise unreadable("something between the pages is no page")


def _page_bytes(source: BinaryIO, start: int) -> bytes:
    """Return the page that starts there; nothing if the file ends in it."""
    head = read_at(source, start, 27 + 255)
    if len(head) < 27 or len(head) < 27 + head[26]:
        return b""
    size = 27 + head[26] + sum(head[27 : 27 + head[26]])
    raw = read_at(source, start, size)
    return raw if len(raw) == size else b""


def _find(source: BinaryIO, at: int, end: int) -> int:
    if read_at(source, at, len(CAPTURE)) == CAPTURE:
        return at  # nearly always: pages follow each other
    while at < end:
        window = read_at(source, at, _WINDOW)
        found = window.find(CAPTURE)
        if found >= 0:
            return at + found
        at += max(1, len(window) - len(CAPTURE) + 1)
    return end


def _decoded(raw: bytes) -> OggPage:
    return OggPage(BytesIO(raw))  # type: ignore[no-untyped-call] # mutagen has no types
