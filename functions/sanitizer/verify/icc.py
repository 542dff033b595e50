"""What a colour profile may hold: colour, and two texts that are everybody's."""

import struct
from collections.abc import Iterator

_ALLOWED = frozenset(
    b"wtpt bkpt chad cicp rXYZ gXYZ bXYZ rTRC gTRC bTRC kTRC"
    b" A2B0 A2B1 A2B2 B2A0 B2A1 B2A2 gamt".split()
)
_TYPES = frozenset(b"XYZ curv para sf32 cicp mft1 mft2 mAB mBA".split())
_TEXTS = (b"desc", b"cprt")
_MAX_TEXT_BYTES = 256
_ZERO_HEADER_FIELDS = ((4, 8), (24, 36), (40, 64), (80, 128))


def profile_carriers(profile: bytes) -> Iterator[str]:
    """Name everything in *profile* that is not colour."""
    if len(profile) != int.from_bytes(profile[:4], "big"):
        yield "profile of another length than it says"
    if any(any(profile[start:end]) for start, end in _ZERO_HEADER_FIELDS):
        yield "profile with a date, maker or identifier"
    (count,) = struct.unpack_from(">I", profile, 128)
    ends = {132 + 12 * count}
    starts = set()
    for index in range(count):
        name, offset, size = struct.unpack_from(">4sII", profile, 132 + 12 * index)
        yield from _tag(name, profile[offset : offset + size])
        starts.add(offset)
        ends.add(offset + size + -size % 4)
    if starts | {len(profile)} != ends:
        yield "bytes between the tags of a profile"


def _tag(name: bytes, element: bytes) -> Iterator[str]:
    if any(element[4:8]):
        yield f"reserved bytes of profile tag {name!r}"
    if name in _TEXTS:
        if len(element) > _MAX_TEXT_BYTES or _identifies(element):
            yield f"profile text {name!r}"
    elif name not in _ALLOWED:
        yield f"profile tag {name!r}"
    elif element[:4].strip() not in _TYPES:
        yield f"profile tag {name!r} of another type"


def _identifies(element: bytes) -> bool:
    """Whether a text is any other than those that name a standard colour space."""
    text = element[8:].replace(b"\0", b"")
    common = (b"RGB", b"Gray", b"CMYK", b"Lab", b"P3", b"Dot Gain", b"Coated")
    return not text.endswith(b"No copyright") and not any(c in text for c in common)
