"""Boxes for the independent reader of HEIF and AVIF."""

import struct
from collections.abc import Iterator
from typing import NamedTuple


class Part(NamedTuple):
    """A box: its letters, where its content begins, and the content."""

    kind: bytes
    at: int
    content: bytes


def parts(content: bytes, at: int = 0) -> list[Part]:
    """Return the boxes that *content*, which begins at *at* in the file, consists of.

    Raises:
        ValueError: it is anything else.
    """
    return list(_parts(content, at))


def _parts(content: bytes, at: int) -> Iterator[Part]:
    start = 0
    while start < len(content):
        size, kind = struct.unpack_from(">I4s", content, start)
        if size < 8 or start + size > len(content):
            raise ValueError("a box that does not fit")
        yield Part(kind, at + start + 8, content[start + 8 : start + size])
        start += size
