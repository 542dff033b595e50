"""What HEVC data in a HEIF may consist of: parameter sets and one picture's slices."""

import struct
from collections.abc import Iterator

from functions.sanitizer.verify.heif.hevc_sets import ends_well

_SETS = (32, 33, 34)
_MAX_SET = 4096


def configuration_carriers(content: bytes) -> Iterator[str]:
    """Name what is in an `hvcC` box beside a configuration and parameter sets."""
    version, fixed = content[0], content[13:16]
    if version != 1 or fixed != b"\xf0\x00\xfc" or any(content[19:21]):
        yield "a configuration with fields of its own"
    reserved = content[16] >> 2, content[17] >> 3, content[18] >> 3, content[21] >> 6
    if reserved != (0x3F, 0x1F, 0x1F, 0):
        yield "a configuration with bits in reserve"
    at = 23
    first_profile = b""
    for _ in range(content[22]):
        kind, count = struct.unpack_from(">BH", content, at)
        at += 3
        for _ in range(count):
            (size,) = struct.unpack_from(">H", content, at)
            unit = content[at + 2 : at + 2 + size]
            at += 2 + size
            if unit[0] >> 1 != kind & 0x7F:
                yield "a parameter set in another's place"
            if kind & 0x7F == 33 and not first_profile:
                first_profile = unit[3:24].replace(b"\0\0\3", b"\0\0")[:12]
            yield from _unit(unit, _SETS)
    if at != len(content):
        yield "bytes behind the parameter sets"
    if first_profile and first_profile != content[1:13]:
        yield "a profile that no picture has"


def picture_carriers(stream: bytes, configuration: bytes) -> Iterator[str]:
    """Name what is in an item or a sample beside one picture."""
    width = (configuration[21] & 3) + 1
    at = begun = 0
    while at < len(stream):
        size = int.from_bytes(stream[at : at + width], "big")
        unit = stream[at + width : at + width + size]
        if len(unit) != size:
            yield "a unit that is cut off"
            return
        at += width + size
        yield from _unit(unit, (*_SETS, *range(10), *range(16, 22)))
        if unit and unit[0] >> 1 not in _SETS and unit[2] & 0x80:
            begun += 1
    if begun != 1:
        yield f"{begun} pictures in one"


def _unit(unit: bytes, allowed: tuple[int, ...]) -> Iterator[str]:
    if len(unit) < 3 or unit[0] >> 1 not in allowed:
        yield "a unit that is no picture"
    elif unit[0] & 0x81 or unit[1] >> 3:
        yield "a unit of another layer"
    elif not unit[-1]:
        yield "zeros behind a unit"
    elif unit[0] >> 1 in _SETS and len(unit) > _MAX_SET:
        yield "a parameter set of many bytes"
    elif unit[0] >> 1 in _SETS and not ends_well(unit):
        yield "bytes behind a parameter set"
