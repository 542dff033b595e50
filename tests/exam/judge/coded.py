"""What HEVC and AV1 streams hold besides pictures: messages, metadata, padding."""

from tests.exam.judge.scan import Scan

_SUPPLEMENTAL = (39, 40)  # ITU-T H.265, table 7-1
_OTHER_NAL = 41
_PICTURES = frozenset((1, 2, 3, 4, 6, 7))  # AV1, 6.2.2: sequence, frames, tiles
_MOST_UNITS = 10_000


def scan_hevc(found: Scan, at: int, end: int) -> None:
    """Note messages between the units of an item; lengths take four bytes."""
    for _ in range(_MOST_UNITS):
        if at + 6 > end:
            break
        size, kind = found.number(at, 4), found.data[at + 4] >> 1 & 63
        if kind in _SUPPLEMENTAL or kind >= _OTHER_NAL:
            found.leak("coded_text", f"HEVC unit {kind}", at + 4, at + 4 + size)
        at += 4 + size
    if at < end:
        found.leak("slack", "bytes behind the last unit", at, end)


def scan_av1(found: Scan, at: int, end: int) -> None:
    """Note metadata and padding among an item's units."""
    for _ in range(_MOST_UNITS):
        if at >= end:
            break
        head = found.data[at]
        kind, start = head >> 3 & 15, at + 1 + (head >> 2 & 1)
        size = end - start
        if head & 2:
            size, start = _leb128(found.data, start)
        if kind not in _PICTURES:
            found.leak("coded_text", f"AV1 unit {kind}", start, start + size)
        at = start + size


def _leb128(data: bytes, at: int) -> tuple[int, int]:
    """Return a number of up to eight bytes and where it ends (AV1, 4.10.5)."""
    value = 0
    for number in range(8):
        byte = data[at + number]
        value |= (byte & 0x7F) << 7 * number
        if not byte & 0x80:
            return value, at + number + 1
    return value, at + 8
