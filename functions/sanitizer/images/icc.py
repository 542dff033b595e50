"""Colour profiles with nothing in them but colour (ICC.1:2022, ICC.1:2001-04).

A profile is written anew: the tags that take part in a conversion are copied by their
own structure, to their own length; description and copyright become constants; date,
makers, serial numbers and private tags are gone. The colours stay exactly the same.
"""

import struct
from dataclasses import dataclass

from functions.sanitizer.images.icc_elements import colorimetric

# CMYK profiles reach 3 MB; a "profile" beyond this is something else.
MAX_PROFILE_BYTES = 8 << 20
_CLASSES = (b"scnr", b"mntr", b"prtr", b"spac")
_D50 = bytes.fromhex("0000f6d6000100000000d32d")
_COLOUR_TAGS = frozenset(
    b"wtpt bkpt chad cicp rXYZ gXYZ bXYZ rTRC gTRC bTRC kTRC"
    b" A2B0 A2B1 A2B2 B2A0 B2A1 B2A2 gamt".split()
)
# Tags that say nothing about one device or person when their profile is a known one.
_HARMLESS_TAGS = _COLOUR_TAGS.union(
    b"desc cprt dmnd dmdd vued view lumi meas tech chrm dscm rig0 ciis aarg".split()
)
# Descriptions that are kept because they are everybody's.
_KNOWN = (
    "sRGB IEC61966-2.1",
    "sRGB",
    "Display P3",
    "Adobe RGB (1998)",
    "ProPhoto RGB",
    "Apple RGB",
    "Generic RGB Profile",
    "Generic Gray Gamma 2.2 Profile",
    "Dot Gain 20%",
    "U.S. Web Coated (SWOP) v2",
    "Coated FOGRA39 (ISO 12647-2:2004)",
    "Generic RGB",
    "Generic Gray",
    "Generic CMYK",
    "Generic Lab",
)
_SPACES = {
    b"RGB ": "Generic RGB",
    b"GRAY": "Generic Gray",
    b"CMYK": "Generic CMYK",
    b"Lab ": "Generic Lab",
}
_COPYRIGHT = "No copyright"


@dataclass(frozen=True)
class Profile:
    """A rewritten profile, and whether the one it replaces could identify."""

    data: bytes
    identifying: bool


def neutral(profile: bytes) -> Profile | None:
    """Rewrite *profile*; None if it is not one that any viewer could apply."""
    size = int.from_bytes(profile[:4], "big")
    if not 132 <= size <= len(profile) <= MAX_PROFILE_BYTES:
        return None
    if profile[36:40] != b"acsp" or profile[12:16] not in _CLASSES:
        return None
    if profile[8] not in (2, 4) or profile[16:20] not in _SPACES:
        return None
    tags = _tags(profile)
    kept = _kept(tags)
    if not kept or not all(kept.values()):
        return None
    title = _title(tags.get(b"desc", b""))
    identifying = not title or not _HARMLESS_TAGS.issuperset(tags)
    title = title or _SPACES[profile[16:20]]
    return Profile(_written(profile, title, kept), identifying)


def _tags(profile: bytes) -> dict[bytes, bytes]:
    (count,) = struct.unpack_from(">I", profile, 128)
    tags: dict[bytes, bytes] = {}
    for index in range(min(count, 100)):
        at = 132 + 12 * index
        if at + 12 > len(profile):
            break
        name, offset, size = struct.unpack_from(">4sII", profile, at)
        tags.setdefault(name, profile[offset : offset + size])
    return tags


def _kept(tags: dict[bytes, bytes]) -> dict[bytes, bytes]:
    """The tags that make colours; what is broken in them is empty."""
    return {
        name: colorimetric(element) or b""
        for name, element in sorted(tags.items())
        if name in _COLOUR_TAGS
    }


def _title(desc: bytes) -> str:
    """The description if it is a known one, else nothing."""
    if desc.startswith(b"desc"):
        (size,) = struct.unpack_from(">I", desc.ljust(12, b"\0"), 8)
        text = desc[12 : 12 + size].decode("latin-1")
    elif desc.startswith(b"mluc") and len(desc) >= 28:
        size, offset = struct.unpack_from(">II", desc, 20)
        text = desc[offset : offset + size].decode("utf-16-be", "replace")
    else:
        return ""
    text = text.rstrip("\0").strip()
    return text if text in _KNOWN else ""


def _written(profile: bytes, title: str, kept: dict[bytes, bytes]) -> bytes:
    describe = _localized if profile[8] == 4 else _plain
    tags = {b"desc": describe(title, True), b"cprt": describe(_COPYRIGHT, False)}
    tags |= kept
    table, body = struct.pack(">I", len(tags)), b""
    body_at = 132 + 12 * len(tags)
    placed: dict[bytes, int] = {}
    for name, element in tags.items():
        if element not in placed:  # the three curves are often one
            placed[element] = body_at + len(body)
            body += element + bytes(-len(element) % 4)
        table += struct.pack(">4sII", name, placed[element], len(element))
    return _header(profile, body_at + len(body)) + table + body


def _header(profile: bytes, size: int) -> bytes:
    intent = min(profile[67], 3)
    minor = profile[9] & 0xF0
    return (
        struct.pack(">I4xBBxx", size, profile[8], minor)
        + profile[12:16]
        + profile[16:20]
        + (b"Lab " if profile[20:24] == b"Lab " else b"XYZ ")
        + bytes(12)  # no date
        + b"acsp"
        + bytes(24)  # no platform, flags, maker, model, attributes
        + struct.pack(">I", intent)
        + _D50
        + bytes(48)  # no creator, no identifier
    )


def _plain(text: str, described: bool) -> bytes:
    ascii_text = text.encode("ascii") + b"\0"
    if not described:
        return b"text" + bytes(4) + ascii_text
    size = struct.pack(">I", len(ascii_text))
    return b"desc" + bytes(4) + size + ascii_text + bytes(8 + 3 + 67)


def _localized(text: str, _described: bool) -> bytes:
    encoded = text.encode("utf-16-be")
    record = struct.pack(">II2s2sII", 1, 12, b"en", b"US", len(encoded), 28)
    return b"mluc" + bytes(4) + record + encoded
