"""Stretches of a file that hold samples, many of them in little memory."""

from array import array
from bisect import bisect_right
from collections.abc import Iterator

from functions.sanitizer.av.scan import unreadable

# Ten hours of two tracks, a chunk for each frame, are about two millions.
_MAX_EXTENTS = 1 << 21
_END = 1 << 62


class Extents:
    """Where the samples of all tracks lie. Settle it before you ask it."""

    def __init__(self) -> None:
        self._starts, self._ends = array("Q"), array("Q")

    def add(self, start: int, end: int) -> None:
        """Add a stretch; those that touch become one."""
        start, end = min(start, _END), min(end, _END)
        if end <= start:
            return
        if self._ends and self._ends[-1] == start:
            self._ends[-1] = end
            return
        if len(self._ends) == _MAX_EXTENTS:
            raise unreadable("the samples lie in too many places")
        self._starts.append(start)
        self._ends.append(end)

    def settle(self) -> None:
        """Bring the stretches into order, without overlaps."""
        starts, ends = self._starts, self._ends
        self._starts, self._ends = array("Q"), array("Q")
        for index in sorted(range(len(starts)), key=starts.__getitem__):
            start, end = starts[index], ends[index]
            if self._ends and start <= self._ends[-1]:
                self._ends[-1] = max(self._ends[-1], end)
            else:
                self._starts.append(start)
                self._ends.append(end)

    def gaps(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        """Return what no stretch covers between *start* and *end*."""
        index = max(0, bisect_right(self._starts, start) - 1)
        while start < end and index < len(self._starts):
            first = self._starts[index]
            if first >= end:
                break
            if first > start:
                yield start, first
            start = max(start, self._ends[index])
            index += 1
        if start < end:
            yield start, end
