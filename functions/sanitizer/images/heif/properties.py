"""Item properties of HEIF and AVIF: which stay, written field by field.

Source: ISO/IEC 23008-12 (HEIF), 6.5; ISO/IEC 14496-12, 12.1 (colr, pasp, clap, clli,
mdcv, amve); AV1 Image File Format, 2.3.2.
"""

from collections.abc import Callable

from functions.sanitizer.findings import Finding
from functions.sanitizer.images import icc
from functions.sanitizer.images.isobmff import Reader, full, packed

ALPHA = (
    b"urn:mpeg:mpegB:cicp:systems:auxiliary:alpha",
    b"urn:mpeg:hevc:2015:auxid:1",
    b"urn:mpeg:avc:2015:auxid:1",
)
# Without these, readers would show something else; a1lx must not be essential.
ESSENTIAL = frozenset(b"av1C hvcC irot imir clap lsel a1op".split())
_DROPPED = {
    b"uuid": Finding.APPLICATION_DATA,
    b"udes": Finding.TEXT,
    b"altt": Finding.TEXT,
    b"crtt": Finding.TIMESTAMP,
    b"mdft": Finding.TIMESTAMP,
}
# Structure that says nothing about anybody.
_IDLE = (b"free", b"skip", b"rloc", b"rref", b"iscl", b"tols", b"oinf")
_MOST_CHANNELS = 4


def clean_property(kind: bytes, content: bytes, findings: set[Finding]) -> bytes | None:
    """Return the property written anew; None if it is not on the list.

    Raises:
        ValueError: it is broken.
    """
    if kind == b"colr":
        return _colours(content, findings)
    if kind in _WRITERS:
        return _WRITERS[kind](Reader(content))
    if kind not in _IDLE:
        findings.add(_DROPPED.get(kind, Finding.APPLICATION_DATA))
    return None


def auxiliary_type(content: bytes) -> bytes:
    """Return what an auxiliary picture is for, as `auxC` says it."""
    reader = Reader(content)
    reader.head()
    return reader.text()


def _colours(content: bytes, findings: set[Finding]) -> bytes | None:
    reader = Reader(content)
    kind = reader.take(4)
    if kind == b"nclx":
        codes = reader.take(6)
        # Some writers leave out the last byte.
        full_range = reader.number(1) & 0x80 if reader.left else 0
        return packed(b"colr", kind, codes, bytes([full_range]))
    if kind == b"nclc":  # QuickTime's, without a range
        return packed(b"colr", kind, reader.take(6))
    profile = icc.neutral(content[4:]) if kind in (b"prof", b"rICC") else None
    if profile is None or profile.identifying:
        findings.add(Finding.COLOUR_PROFILE)
    return packed(b"colr", kind, profile.data) if profile else None


def _extent(reader: Reader) -> bytes:
    reader.head()
    return full(b"ispe", reader.take(8))


def _depths(reader: Reader) -> bytes:
    reader.head()
    count = reader.number(1)
    if not 1 <= count <= _MOST_CHANNELS:
        raise ValueError("no such number of channels")
    return full(b"pixi", bytes([count]), reader.take(count))


def _purpose(reader: Reader) -> bytes:
    reader.head()
    kind = reader.text()
    if kind not in ALPHA:
        raise ValueError("not alpha")
    return full(b"auxC", kind + b"\0")


def _angle(reader: Reader) -> bytes:
    return packed(b"irot", bytes([reader.number(1) & 3]))


def _mirror(reader: Reader) -> bytes:
    return packed(b"imir", bytes([reader.number(1) & 1]))


def _layer_sizes(reader: Reader) -> bytes:
    wide = reader.number(1) & 1
    return packed(b"a1lx", bytes([wide]), reader.take(12 if wide else 6))


def _content_volume(reader: Reader) -> bytes:
    flags = reader.number(1) & 0x3C
    numbers = 6 * (flags >> 5 & 1) + (flags >> 4 & 1) + (flags >> 3 & 1)
    numbers += flags >> 2 & 1
    return packed(b"cclv", bytes([flags]), reader.take(4 * numbers))


def _white(reader: Reader) -> bytes:
    reader.head()
    return full(b"ndwt", reader.take(4))


def _fixed(kind: bytes, size: int) -> Callable[[Reader], bytes]:
    """Return what writes a property of numbers only."""
    return lambda reader: packed(kind, reader.take(size))


_WRITERS: dict[bytes, Callable[[Reader], bytes]] = {
    b"ispe": _extent,
    b"pixi": _depths,
    b"auxC": _purpose,
    b"irot": _angle,
    b"imir": _mirror,
    b"a1lx": _layer_sizes,
    b"cclv": _content_volume,
    b"ndwt": _white,
    b"clap": _fixed(b"clap", 32),
    b"pasp": _fixed(b"pasp", 8),
    b"clli": _fixed(b"clli", 4),
    b"mdcv": _fixed(b"mdcv", 24),
    b"amve": _fixed(b"amve", 8),
    b"a1op": _fixed(b"a1op", 1),
    b"lsel": _fixed(b"lsel", 2),
}
