"""What a property of a picture in HEIF or AVIF may say."""

from collections.abc import Iterator

from functions.sanitizer.verify.heif import av1, hevc
from functions.sanitizer.verify.heif.boxes import Part
from functions.sanitizer.verify.icc import profile_carriers

_ALPHA = (
    b"\0\0\0\0urn:mpeg:mpegB:cicp:systems:auxiliary:alpha\0",
    b"\0\0\0\0urn:mpeg:hevc:2015:auxid:1\0",
    b"\0\0\0\0urn:mpeg:avc:2015:auxid:1\0",
)
_LENGTHS = {
    b"ispe": (12,),
    b"clap": (32,),
    b"pasp": (8,),
    b"clli": (4,),
    b"mdcv": (24,),
    b"amve": (8,),
    b"ndwt": (8,),
    b"a1op": (1,),
    b"lsel": (2,),
    b"irot": (1,),
    b"imir": (1,),
    b"a1lx": (7, 13),
    b"pixi": (6, 7, 8, 9),
    b"cclv": tuple(range(1, 38, 4)),
}


def property_carriers(part: Part) -> Iterator[str]:
    """Name what a property says that is not needed to show the picture."""
    content = part.content
    match part.kind:
        case b"av1C":
            yield from av1.configuration_carriers(content)
        case b"hvcC":
            yield from hevc.configuration_carriers(content)
        case b"colr":
            yield from _colour_carriers(content)
        case b"auxC" | b"auxi":
            if content not in _ALPHA:
                yield "an auxiliary picture that is not alpha"
        case kind:
            if len(content) not in _LENGTHS.get(kind, ()):
                yield f"property {kind!r}"
            elif _reserved(kind, content):
                yield f"bits in reserve in {kind!r}"


def _reserved(kind: bytes, content: bytes) -> bool:
    """Whether bits are set that mean nothing."""
    if kind in (b"ispe", b"ndwt", b"pixi"):
        return any(content[:4]) or (kind == b"pixi" and content[4] != len(content) - 5)
    most = {b"irot": 3, b"imir": 1, b"a1lx": 1}.get(kind, 0xFF)
    if kind == b"cclv":
        flags = content[0]
        numbers = 6 * (flags >> 5 & 1) + (flags & 0x1C).bit_count()
        return bool(flags & 0xC3) or len(content) != 1 + 4 * numbers
    return content[0] > most


def _colour_carriers(content: bytes) -> Iterator[str]:
    if content[:4] in (b"prof", b"rICC"):
        yield from profile_carriers(content[4:])
    elif content[:4] == b"nclc":
        if len(content) != 10:
            yield "colours that are none"
    elif content[:4] != b"nclx" or len(content) != 11 or content[10] not in (0, 0x80):
        yield "colours that are none"
