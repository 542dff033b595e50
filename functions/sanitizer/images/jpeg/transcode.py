"""A JPEG's coefficients, written anew by libjpeg's encoder without being decoded.

They come out as they went in, also turned by quarters. What is not a coefficient that
the frame has room for, does not come out: bytes behind the last block and between
restarts, blocks beyond the edge (the encoder makes up its own), unused symbols.
"""

import re
from collections.abc import Callable, Iterable
from functools import partial
from types import ModuleType

from functions.sanitizer.images.jpeg.segments import last_code

try:
    import turbojpeg as _found
except ImportError:  # no wheel for this Python: pictures are decoded and encoded
    turbojpeg: ModuleType | None = None
else:
    turbojpeg = _found

AVAILABLE = turbojpeg is not None
# By Exif orientation; the names are TurboJPEG's.
_TURNS = {
    1: "NONE",
    2: "HFLIP",
    3: "ROT180",
    4: "VFLIP",
    5: "TRANSPOSE",
    6: "ROT90",
    7: "TRANSVERSE",
    8: "ROT270",
}
_SURPLUS = re.compile(r"(\d+) extraneous bytes before marker 0xd9")
_END = b"\xff\xd9"
_APPLICATIONS = range(0xE0, 0xF0)


def transcoded(
    data: bytes, head: bytes, orientation: int, *, progressive: bool, own_codes: bool
) -> bytes:
    """Return the picture of *data*, turned, behind *head*.

    Empty if that can't be done exactly: blocks are cut by an edge that would no longer
    be the right or lower one, or a decoder would have to guess.

    Args:
        own_codes: whether the result gets Huffman tables of its own; slower, but it
            fails where coefficients are larger than any samples make them.
    """
    if turbojpeg is None:
        return b""
    transform = partial(
        turbojpeg.transform,
        op=getattr(turbojpeg.OP, _TURNS[orientation]),
        perfect=True,
        progressive=progressive,
        optimize=own_codes,
        copynone=True,
    )
    try:
        coded = _without_surplus(transform, data)
    except RuntimeError:  # also for what libjpeg only warns of
        return b""
    at = 2
    while coded[at + 1] in _APPLICATIONS:  # of the encoder's own making
        at += 2 + int.from_bytes(coded[at + 2 : at + 4], "big")
    return b"".join((head, memoryview(coded)[at:]))


def _without_surplus(transform: Callable[[bytes], bytes], data: bytes) -> bytes:
    """Transform *data*, if need be without bytes that no code at the end takes."""
    try:
        return transform(data)
    except RuntimeError as exc:
        surplus = _SURPLUS.search(str(exc))
        if not surplus:
            raise
    return transform(data[: -len(_END) - int(surplus[1])] + _END)


def surplus(parts: Iterable[bytes | memoryview]) -> int | None:
    """Return how many bytes at the end of a JPEG's last scan no code takes.

    None if it is damaged, or can't be looked at. Without the last coded byte the first
    complaint of a decoder must be that there is no more.
    """
    if turbojpeg is None:
        return None
    data = b"".join(parts)
    last = len(data) - len(_END) - last_code(data)
    data = b"".join((memoryview(data)[: last_code(data)], _END))
    try:
        turbojpeg.transform(data, nooutput=True, copynone=True)
    except RuntimeError as exc:  # it tells of the first complaint
        if "premature end of data segment" in str(exc):
            return 0
        found = _SURPLUS.search(str(exc))
        return last + int(found[1]) if found else None
    return last
