"""Looks at boxes without copying them: tables of contents may be long."""

import sys
from array import array
from collections.abc import Iterator

_MOST = 1 << 16  # boxes in one place


def inside(content: memoryview) -> Iterator[tuple[str, memoryview]]:
    """Return the boxes of *content*; zeros at its end are no box.

    Anything else that is no box comes under an empty name.
    """
    at = 0
    for _ in range(_MOST):
        if at == len(content):
            return
        head = bytes(content[at : at + 8])
        end = at + int.from_bytes(head[:4], "big")
        if not any(head) and zero(content[at:]):
            return
        if len(head) < 8 or not at + 8 <= end <= len(content):
            break
        yield head[4:].decode("latin-1"), content[at + 8 : end]
        at = end
    yield "", content[at:]


def first(content: memoryview, *path: str) -> memoryview:
    """Return the box at *path*; empty if there is none."""
    for name in path:
        content = next((box for kind, box in inside(content) if kind == name), _NONE)
    return content


def zero(content: memoryview) -> bool:
    """Whether there is nothing but zeros."""
    return bytes(content).count(0) == len(content)


def integer(content: memoryview, at: int, size: int = 4) -> int:
    """Return the number of *size* bytes at *at*.

    Raises:
        LookupError: the box ends before it.
    """
    if len(content) < at + size:
        raise LookupError(at)
    return int.from_bytes(content[at : at + size], "big")


def column(content: memoryview, size: int) -> "array[int]":
    """Return all the numbers of *size* bytes."""
    values = array({1: "B", 2: "H", 4: "I", 8: "Q"}[size], bytes(content))
    if sys.byteorder == "little":
        values.byteswap()
    return values


_NONE = memoryview(b"")
