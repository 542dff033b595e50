"""The sample tables that stay; nothing may lie behind their last entry.

Source: ISO/IEC 14496-12, 8.6, 8.7 and 8.9; Apple's QuickTime File Format for `stps`.
"""

from collections.abc import Callable

from functions.sanitizer.av.mp4.boxes import Box, blank, find, free, number
from functions.sanitizer.av.scan import unreadable
from functions.sanitizer.findings import Finding

# How a decoder warms up, and where it may start: bytes of a group's description.
_GROUPS = {b"roll": 2, b"prol": 2, b"rap ": 1, b"sync": 1}


def _table(entry_bytes: int, head: int = 8) -> Callable[[bytearray, Box], set[Finding]]:
    """Return what zeroes the bytes behind a table's last entry."""

    def scrub(data: bytearray, box: Box) -> set[Finding]:
        entries = number(data, box.start + head - 4, box.end)
        return _leftover(data, box, box.start + head + entries * entry_bytes)

    return scrub


def _leftover(data: bytearray, box: Box, end: int) -> set[Finding]:
    if end > box.end:
        raise unreadable("a table in the table of contents is cut off")
    return {Finding.PADDING} if blank(data, end, box.end) else set()


def _elst(data: bytearray, box: Box) -> set[Finding]:
    return _table(20 if data[box.start] == 1 else 12)(data, box)


def _stsz(data: bytearray, box: Box) -> set[Finding]:
    same_size = number(data, box.start + 4, box.end)
    return _table(0 if same_size else 4, head=12)(data, box)


def _stz2(data: bytearray, box: Box) -> set[Finding]:
    bits, entries = data[box.start + 7], number(data, box.start + 8, box.end)
    blank(data, box.start + 4, box.start + 7)
    return _leftover(data, box, box.start + 12 + (entries * bits + 7) // 8)


def _cslg(data: bytearray, box: Box) -> set[Finding]:
    return _leftover(data, box, box.start + (44 if data[box.start] else 24))


def _group(data: bytearray, box: Box) -> set[Finding]:
    """Keep groups of samples that tell a decoder where to start; drop every other."""
    described = box.kind == b"sgpd"
    head = bytes(data[box.start : box.start + 12])
    size = _GROUPS.get(head[4:8], 0)
    stays = size > 0 and head[0] == described
    if described:
        stays &= head[8:] == size.to_bytes(4, "big")
    if not stays:
        free(data, box)
        return set()
    scrub = _table(size, head=16) if described else _table(8, head=12)
    return scrub(data, box)


def scrub_dependencies(data: bytearray, tables: Box) -> None:
    """Zero what `sdtp` has behind its last sample: it does not say how many it has."""
    box = find(data, tables, b"sdtp")
    if box is None:
        return
    sizes = find(data, tables, b"stsz") or find(data, tables, b"stz2")
    samples = number(data, sizes.start + 8, sizes.end) if sizes else 0
    blank(data, box.start + 4 + samples, box.end)


TABLES: dict[bytes, Callable[[bytearray, Box], set[Finding]]] = {
    b"elst": _elst,
    b"stts": _table(8),
    b"ctts": _table(8),
    b"cslg": _cslg,
    b"stsc": _table(12),
    b"stsz": _stsz,
    b"stz2": _stz2,
    b"stco": _table(4),
    b"co64": _table(8),
    b"stss": _table(4),
    b"stps": _table(4),
    b"stsh": _table(8),
    b"sdtp": lambda data, box: set(),
    b"sgpd": _group,
    b"sbgp": _group,
}
