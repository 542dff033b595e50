"""Formats whose first bytes alone would also fit plain text or anything else.

Each is known by as much of its header as makes a chance hit unlikely, in time that
grows with the length of what is looked at and no faster.
"""

import re
import zlib
from collections.abc import Callable

_BMP_HEADER_SIZES = frozenset((12, 16, 40, 52, 56, 64, 108, 124))
_INFLATED_BYTES = 1 << 16
# Comments may stand anywhere in a header of the portable anymaps.
_GAP = rb"(?>(?:\s|#[^\n]*\n)+)"
_ANYMAP = re.compile(
    rb"P(?:1%(gap)s\d+%(gap)s\d+%(gap)s[01]"
    rb"|[23]%(gap)s\d+%(gap)s\d+(?:%(gap)s\d+){2}"
    rb"|4%(gap)s\d+%(gap)s\d+\s"
    rb"|[56]%(gap)s\d+%(gap)s\d+%(gap)s\d+\s"
    rb"|[Ff]\s\d+\s\d+\s-?[\d.]+\s"
    rb"|7\n(?:#|WIDTH|HEIGHT|DEPTH|MAXVAL|TUPLTYPE)|7 332\n)" % {b"gap": _GAP}
)
# What is atomic is not tried again: a prolog could be cut in exponentially many ways.
_SVG = re.compile(
    rb"(?:\xef\xbb\xbf|\xff\xfe|\xfe\xff)?\s*+(?>(?:<\?.*?\?>\s*|<!--.*?-->\s*"
    rb"|<!DOCTYPE\s[^>\[]*(?>\[.*?\]\s*>|>)\s*)*)<(?:\w+:)?svg[\s>/]",
    re.DOTALL | re.IGNORECASE,
)
_METAFILE = rb"[\1\2]\0\x09\0\0[\1\3].{12}"
# (offset, expression, media type)
_HEADERS: tuple[tuple[int, bytes, str], ...] = (
    (0, rb"BA.{12}(?:BM|CI|CP|IC|PT)", "image/x-os2-bitmap-array"),
    (0, rb"%!PS-Adobe-\d\.\d EPSF", "image/x-eps"),
    (0, rb"/\*\s*XPM\s*\*/", "image/x-xpixmap"),
    (0, rb"\xffWPC.{4}\x01\x16", "image/x-wpg"),
    (0, rb"\x01\xda[\0\1][\1\2]\0[\1-\3]", "image/x-sgi"),
    (0, _METAFILE, "image/wmf"),
    (522, rb"\0\x11\x02\xff\x0c\0", "image/x-pict"),
)


def plausible(head: bytes) -> str | None:
    """Return the media type of what *head* begins, or None."""
    if head.startswith(b"\x1f\x8b\x08"):
        return _compressed(head)
    if _ANYMAP.match(head):
        return "image/x-portable-anymap"
    if is_svg(head):
        return "image/svg+xml"
    return _picture(head) or _elementary_audio(head)


def is_svg(head: bytes) -> bool:
    """Whether the first element is an SVG, in an encoding that keeps ASCII readable."""
    return bool(_SVG.match(head) or _SVG.match(head.replace(b"\0", b"")))


def _compressed(head: bytes) -> str | None:
    """SVGZ, EMZ and WMZ are image formats; other things in a gzip are archives."""
    try:
        inner = zlib.decompressobj(31).decompress(head, _INFLATED_BYTES)
    except zlib.error:
        return None
    if is_svg(inner):
        return "image/svg+xml"
    if re.match(rb"\xd7\xcd\xc6\x9a|" + _METAFILE, inner, re.DOTALL):
        return "image/wmf"
    return "image/emf" if inner.startswith(b" EMF", 40) else None


def _picture(head: bytes) -> str | None:
    for offset, expression, media_type in _HEADERS:
        if re.match(expression, head[offset : offset + 64], re.DOTALL):
            return media_type
    for fits, media_type in _FITTING:
        if fits(head):
            return media_type
    return None


def _is_bmp(head: bytes) -> bool:
    return head.startswith(b"BM") and _number(head, 14, 4) in _BMP_HEADER_SIZES


def _is_icon(head: bytes) -> bool:
    if head[:4] not in (b"\0\0\1\0", b"\0\0\2\0"):
        return False
    directory_bytes = 6 + 16 * _number(head, 4, 2)
    first = _number(head, 18, 4)
    return directory_bytes > 6 and head[9:10] == b"\0" and first >= directory_bytes


def _is_pcx(head: bytes) -> bool:
    """Version, run lengths, depth, an area, and up to four planes of even lines."""
    if len(head) < 128 or head[0] != 0x0A or head[1] not in (0, 2, 3, 4, 5):
        return False
    left, top, right, bottom = (_number(head, at, 2) for at in (4, 6, 8, 10))
    area = left <= right and top <= bottom
    planes, line_bytes = head[65], _number(head, 66, 2)
    lines = 1 <= planes <= 4 and line_bytes > 0 and line_bytes % 2 == 0
    return head[2] == 1 and head[3] in (1, 2, 4, 8) and not head[64] and area and lines


def _is_tga(head: bytes) -> bool:
    """Known for sure only by its end; here by a header of zeros but what it needs.

    True colour, or grey, at the origin and without a colour table.
    """
    if len(head) < 18 or head[1] or head[2] not in (2, 3, 10, 11) or any(head[3:12]):
        return False
    depths = (8, 16) if head[2] in (3, 11) else (15, 16, 24, 32)
    area = _number(head, 12, 2) > 0 < _number(head, 14, 2)
    alpha_bits = head[17] & 0x0F
    return area and head[16] in depths and alpha_bits in (0, 1, 8) and head[17] < 0x40


def _elementary_audio(head: bytes) -> str | None:
    """MPEG frames without a container: eleven set bits and a header that can be."""
    sync = int.from_bytes(head[:4].ljust(4, b"\0"), "big")
    if sync >> 20 == 0xFFF and sync >> 17 & 3 == 0:
        return "audio/aac"
    reserved = (
        sync >> 19 & 3 == 1
        or sync >> 17 & 3 == 0
        or sync >> 12 & 15 == 15
        or sync >> 10 & 3 == 3
    )
    return "audio/mpeg" if sync >> 21 == 0x7FF and not reserved else None


def _number(head: bytes, offset: int, size: int) -> int:
    return int.from_bytes(head[offset : offset + size], "little")


_FITTING: tuple[tuple[Callable[[bytes], bool], str], ...] = (
    (_is_bmp, "image/bmp"),
    (_is_icon, "image/vnd.microsoft.icon"),
    (_is_pcx, "image/x-pcx"),
    (_is_tga, "image/x-tga"),
)
