"""Names what the parameter sets of AVC, HEVC and AV1 carry besides parameters.

Sources: ISO/IEC 14496-15, 5.3.3 and 8.3.3; ITU-T H.265, annex D; the AV1 binding, 2.3.
"""

from collections.abc import Iterator

from functions.sanitizer.verify.mp4.boxes import integer, zero

_LOOK = {47, 129, 137, 144, 147, 148, 165, 176}  # messages that change the picture
_LONGEST = 64


def avc(content: memoryview) -> Iterator[str]:
    """Check `avcC`."""
    at = 5
    groups = [(0x1F, (7, 15)), (0xFF, (8,)), (0xFF, (13,))]
    for index, (mask, kinds) in enumerate(groups):
        if index == 2:
            if len(content) - at < 4 or content[at] & 0xFC != 0xFC:
                break
            at += 3
        at, count = at + 1, integer(content, at, 1) & mask
        for _ in range(count):
            unit = content[at + 2 : at + 2 + integer(content, at, 2)]
            if len(unit) and unit[0] & 31 not in kinds:
                yield f"a unit of kind {unit[0] & 31}"
            at += 2 + len(unit)
    if not zero(content[at:]):
        yield "bytes behind the parameter sets"


def hevc(content: memoryview, start: int) -> Iterator[str]:
    """Check `hvcC`, `hvcE` and `lhvC`, whose arrays begin at *start*."""
    at = start + 1
    for _ in range(integer(content, start, 1)):
        count, at = integer(content, at + 1, 2), at + 3
        for _ in range(count):
            unit = bytes(content[at + 2 : at + 2 + integer(content, at, 2)])
            kind = unit[0] >> 1 & 63
            if kind not in (32, 33, 34) and not (
                kind in (39, 40) and _LOOK.issuperset(_messages(unit[2:]))
            ):
                yield f"a unit of kind {kind}"
            at += 2 + len(unit)
    if not zero(content[at:]):
        yield "bytes behind the parameter sets"


def _messages(unit: bytes) -> list[int]:
    """Return the kinds of messages for players; -1 for what can't be followed."""
    unit, kinds = unit.replace(b"\0\0\3", b"\0\0"), []
    while len(unit) > 1:
        kind, size = unit[0], unit[1]
        kinds.append(kind if size <= _LONGEST and len(unit) > 2 + size else -1)
        unit = unit[2 + size :]
    return kinds if unit == b"\x80" else [-1]


def av1(content: memoryview) -> Iterator[str]:
    """Check `av1C`."""
    at = 4
    while at < len(content):
        if not any(content[at:]):
            return
        head, at = content[at], at + (2 if content[at] & 4 else 1)
        size, shift = 0, 0
        while head & 2:
            size, shift, at = size | (content[at] & 127) << shift, shift + 7, at + 1
            if not content[at - 1] & 128 or shift > 49:
                break
        size = size if head & 2 else len(content) - at
        kind, first = head >> 3 & 15, content[at : at + 1]
        light = kind == 5 and bytes(first) in (b"\1", b"\2") and size <= _LONGEST
        if kind != 1 and not light:
            yield f"a unit of kind {kind}"
        at += size
