"""Parameter sets of AVC, HEVC and AV1: messages that encoders add for people go.

The coded pictures may hold such messages too; those stay, as every packet does.

Sources: ISO/IEC 14496-15, 5.3.3 and 8.3.3; ITU-T H.265, 7.3.5 and annex D; the AV1
codec ISO media file format binding, 2.3.
"""

from collections.abc import Iterator

from functions.sanitizer.av.mp4.boxes import Box, blank, number, shorten
from functions.sanitizer.av.scan import unreadable
from functions.sanitizer.findings import Finding

_AVC_SETS = (((7, 15), 0x1F), ((8,), 0xFF))
_AVC_EXTENSION = (13,)
_HEVC_SETS = frozenset((32, 33, 34))
_HEVC_MESSAGES = (39, 40)
# Which parameter sets count, how the picture is turned, mastering display, light
# levels, alpha, depth: numbers that change the look.
_HEVC_LOOK = frozenset((47, 129, 137, 144, 147, 148, 165, 176))
_MAX_MESSAGE = 64
_AV1_SEQUENCE, _AV1_METADATA = 1, 5
_AV1_LOOK = (b"\1", b"\2")  # light levels, mastering display


def scrub_avc(data: bytearray, box: Box) -> set[Finding]:
    """Check that there are only parameter sets, and zero what follows them."""
    at = box.start + 5
    for kinds, mask in _AVC_SETS:
        sets = number(data, at, box.end, 1) & mask
        at = _skip_sets(data, at + 1, box.end, sets, kinds)
    if box.end - at >= 4 and data[at] & 0xFC == 0xFC:
        at = _skip_sets(data, at + 4, box.end, data[at + 3], _AVC_EXTENSION)
    return {Finding.PADDING} if blank(data, at, box.end) else set()


def _skip_sets(
    data: bytearray, at: int, end: int, sets: int, kinds: tuple[int, ...]
) -> int:
    for _ in range(sets):
        size = number(data, at, end, 2)
        if at + 2 + size > end or (size and data[at + 2] & 31 not in kinds):
            raise unreadable("the set-up of the pictures is broken")
        at += 2 + size
    return at


def scrub_hevc(data: bytearray, box: Box, *, arrays_at: int) -> set[Finding]:
    """Drop messages for people from the parameter sets."""
    first = box.start + arrays_at
    arrays = number(data, first, box.end, 1)
    written, kept, at = bytearray(data[box.start : first + 1]), 0, first + 1
    for _ in range(arrays):
        kind, sets = number(data, at, box.end, 1), number(data, at + 1, box.end, 2)
        units, at = _units(data, at + 3, box.end, sets)
        units = [unit for unit in units if _stays(kind & 0x3F, unit)]
        if units:
            written += bytes((kind,)) + len(units).to_bytes(2, "big")
            written += b"".join(len(unit).to_bytes(2, "big") + unit for unit in units)
            kept += 1
    written[arrays_at] = kept
    gone = at - box.start > len(written)
    gone |= blank(data, at, box.end)
    shorten(data, box, bytes(written))
    return {Finding.COMMENT} if gone else set()


def _units(data: bytearray, at: int, end: int, units: int) -> tuple[list[bytes], int]:
    found = []
    for _ in range(units):
        size = number(data, at, end, 2)
        if at + 2 + size > end:
            raise unreadable("the set-up of the pictures is broken")
        found.append(bytes(data[at + 2 : at + 2 + size]))
        at += 2 + size
    return found, at


def _stays(kind: int, unit: bytes) -> bool:
    if len(unit) < 3 or unit[0] >> 1 & 0x3F != kind:
        return False
    if kind in _HEVC_SETS:
        return True
    return kind in _HEVC_MESSAGES and _HEVC_LOOK.issuperset(_messages(unit[2:]))


def _messages(unit: bytes) -> Iterator[int]:
    """Return the kinds of the messages in an SEI unit; -1 for what is none."""
    unit = unit.replace(b"\0\0\3", b"\0\0")
    at = 0
    while unit[at:] != b"\x80":
        if len(unit) - at < 3 or 0xFF in unit[at : at + 2]:
            yield -1
            return
        kind, size = unit[at], unit[at + 1]
        at += 2 + size
        yield kind if size <= _MAX_MESSAGE else -1


def scrub_av1(data: bytearray, box: Box) -> set[Finding]:
    """Keep the sequence header and what says how bright the pictures are."""
    kept, at = bytes(data[box.start : box.start + 4]), box.start + 4
    while at < box.end:
        end, kind, content = _av1_unit(data, at, box.end)
        metadata = kind == _AV1_METADATA and data[content : content + 1] in _AV1_LOOK
        if kind == _AV1_SEQUENCE or (metadata and end - content <= _MAX_MESSAGE):
            kept += data[at:end]
        at = end
    gone = len(kept) < box.end - box.start
    shorten(data, box, kept)
    return {Finding.COMMENT} if gone else set()


def _av1_unit(data: bytearray, at: int, end: int) -> tuple[int, int, int]:
    """Return where a unit ends, of which kind it is and where its content starts."""
    head = data[at]
    content, size = at + (2 if head & 4 else 1), 0
    if not head & 2:
        return end, head >> 3 & 15, content
    for place in range(8):
        byte = number(data, content, end, 1)
        content, size = content + 1, size | (byte & 0x7F) << 7 * place
        if not byte & 0x80:
            break
    if content + size > end:
        raise unreadable("the set-up of the pictures is broken")
    return content + size, head >> 3 & 15, content
