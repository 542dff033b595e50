"""Names what the descriptions of how tracks are coded (`stsd`) carry besides that.

Sources: ISO/IEC 14496-12, -14 and -15; Apple's QuickTime File Format.
"""

import re
from collections.abc import Callable, Iterator

from functions.sanitizer.verify.mp4.boxes import inside, integer, zero
from functions.sanitizer.verify.mp4.parameters import av1, avc, hevc

# Four letters each, one behind the other.
_SOUND = (
    "mp4a alac Opus fLaC ac-3 ec-3 ac-4 .mp3 samr sawb lpcm ipcm fpcm dtsc dtsh dtsl "
    "dtse sowt twos in24 in32 fl32 fl64 ulaw alaw NONE ima4 MAC3 MAC6 raw "
)
_FILM = (
    "avc1 avc2 avc3 avc4 hvc1 hvc2 hev1 hev2 dvh1 dvhe dva1 dvav dav1 vp08 vp09 av01 "
    "mp4v s263 h263 H263 SVQ1 cvid rpza apco apcs apcn apch ap4h ap4x"
)
_SOUND_LENGTHS = {"alac": 52, "dOps": 64, "dfLa": 42, "dac3": 3, "dec3": 32}
_SOUND_LENGTHS |= {"dac4": 64, "ddts": 20, "damr": 9, "btrt": 12, "frma": 4, "enda": 2}
_SOUND_LENGTHS |= {"mp4a": 4, "pcmC": 6, "srat": 8, "SA3D": 268, "\0\0\0\0": 0}
_FILM_LENGTHS = {"vpcC": 12, "dvcC": 24, "dvvC": 24, "dvwC": 24, "d263": 7, "bitr": 8}
_FILM_LENGTHS |= {"pasp": 8, "clap": 32, "fiel": 2, "gama": 4, "btrt": 12, "mdcv": 24}
_FILM_LENGTHS |= {"clli": 4, "amve": 8, "SmDm": 28, "CoLL": 8, "st3d": 5, "prhd": 16}
_FILM_LENGTHS |= {"equi": 20, "cbmp": 12, "\0\0\0\0": 0}
_COLOURS = {b"nclx": 11, b"nclc": 10}
_VENDORS = ("damr", "d263")
_USER_DATA = re.compile(rb"\x00\x00\x01\xb2(.*?)(?=\x00\x00\x01|\Z)", re.DOTALL)
_ENCODER = re.compile(
    rb"(Lavc[0-9.]+|XviD[0-9]{4}C?|DivX[0-9]{3,4}(b|Build)[0-9]+p?)\0?"
)


def descriptions(content: memoryview) -> Iterator[str]:
    """Check `stsd`."""
    for coding, entry in inside(content[8:]):
        if _listed(coding, _FILM) and len(entry) >= 78:
            yield from _picture(entry)
        elif _listed(coding, _SOUND) and len(entry) >= 28:
            yield from _sound(entry, quicktime=content[0] == 0)
        else:
            yield f"coding {coding!r}"


def _listed(coding: str, codings: str) -> bool:
    return any(codings[at : at + 4] == coding for at in range(0, len(codings), 5))


def _sound(entry: memoryview, *, quicktime: bool) -> Iterator[str]:
    if any(entry[:6]) or any(entry[10:16]):
        yield "a vendor"
    version = integer(entry, 8, 2) if quicktime else 0
    yield from _sound_set_up(entry[28 + {1: 16, 2: 36}.get(version, 0) :])


def _sound_set_up(content: memoryview, depth: int = 0) -> Iterator[str]:
    for kind, inner in inside(content):
        if kind == "wave" and depth == 0:
            yield from _sound_set_up(inner, 1)
        elif kind == "esds":
            yield from _stream(inner, 64)
        elif kind == "chan":
            yield from _rest(kind, inner, 16 + 20 * integer(inner, 12))
        elif kind == "free":
            yield from _rest(kind, inner, 0)
        elif len(inner) > _SOUND_LENGTHS.get(kind, -1):
            yield f"set-up {kind!r}"
        if kind in _VENDORS and any(inner[:4]):
            yield "a vendor"


def _picture(entry: memoryview) -> Iterator[str]:
    if any(entry[:6]) or any(entry[8:24]) or any(entry[36:40]):
        yield "a vendor"
    if any(entry[42:74]):
        yield "the name of an encoder"
    if bytes(entry[28:36]) != b"\0\x48\0\0" * 2 or bytes(entry[76:78]) != b"\xff\xff":
        yield "a resolution or colour table"
    yield from _picture_set_up(entry[78:])


def _picture_set_up(content: memoryview, depth: int = 0) -> Iterator[str]:
    for kind, inner in inside(content):
        if kind in ("sv3d", "proj") and depth < 2:
            yield from _picture_set_up(inner, depth + 1)
        elif kind in ("free", "svhd"):
            yield from _rest(kind, inner, 0)
        elif kind == "colr":
            yield from _rest(kind, inner, _COLOURS.get(bytes(inner[:4]), 0))
        elif kind in _CHECKS:
            yield from (f"{kind}: {fault}" for fault in _CHECKS[kind](inner))
        elif kind in _FILM_LENGTHS:
            yield from _rest(kind, inner, _FILM_LENGTHS[kind])
        else:
            yield f"set-up {kind!r}"
        if kind in _VENDORS and any(inner[:4]):
            yield "a vendor"


def _rest(kind: str, content: memoryview, used: int) -> Iterator[str]:
    if not zero(content[used:]):
        yield f"bytes behind {kind!r}"


def _stream(content: memoryview, most: int) -> Iterator[str]:
    """Flatten the descriptors: 3, 4, perhaps 5, perhaps 6, with known lengths."""
    rest, tags = content[4:], ""
    while rest:
        tag, at, size = rest[0], 1, 0
        while at < 5:
            size, at = size << 7 | rest[at] & 0x7F, at + 1
            if not rest[at - 1] & 0x80:
                break
        if not tags:
            yield from _rest("esds", rest, at + size)
            rest = rest[: at + size]
        if tag == 5:
            yield from _specific(bytes(rest[at : at + size]), most)
        elif size > {3: 1 << 12, 4: 1 << 12, 6: 16}.get(tag, -1):
            yield f"descriptor {tag} of {size} bytes"
            return
        if tag == 4 and most > 64 and rest[at] not in (0x20, *range(0x60, 0x66), 0x6A):
            yield f"pictures of kind {rest[at]}"
        tags += str(tag)
        # Those that contain others are left behind their own fields.
        rest = rest[at + {3: 3, 4: 13}.get(tag, size) :]
    if tags not in ("345", "3456", "34", "346"):
        yield f"descriptors {tags}"


def _specific(content: bytes, most: int) -> Iterator[str]:
    if most > 64:
        yield from _user_data(content)
    elif content[:2] >= b"\xf8\x80" and content[:2] < b"\xf8\xa0":
        # MPEG-4 ALS keeps the header and the end of the file that was coded.
        at = content.index(b"ALS\0")
        begin = at + 22 + (content[at + 20] & 2)
        lengths = (
            int.from_bytes(content[i : i + 4], "big") for i in (begin, begin + 4)
        )
        copied = sum(length for length in lengths if length < (1 << 32) - 1)
        if any(content[begin + 8 : begin + 8 + copied]):
            yield "a copy of a header"
        most += copied
    if len(content) > most:
        yield f"a set-up of {len(content)} bytes"


def _user_data(content: bytes) -> Iterator[str]:
    for match in _USER_DATA.finditer(content):
        if not _ENCODER.fullmatch(match[1]):
            yield "user data"


_CHECKS: dict[str, Callable[[memoryview], Iterator[str]]] = {
    "avcC": avc,
    "avcE": avc,
    "hvcC": lambda content: hevc(content, 22),
    "hvcE": lambda content: hevc(content, 22),
    "lhvC": lambda content: hevc(content, 5),
    "av1C": av1,
    "esds": lambda content: _stream(content, 1024),
}
