"""Walking ISO base media files (ISO/IEC 14496-12): boxes and full boxes."""

from collections.abc import Iterator
from dataclasses import dataclass

_MOST_BOXES = 100_000


@dataclass(frozen=True)
class Box:
    """A box's kind, and where its contents are."""

    kind: bytes
    start: int
    end: int
    whole: bool  # it ends inside what holds it


def boxes(data: bytes, at: int, end: int) -> Iterator[Box]:
    """Yield the boxes from *at* to *end*; the last one may claim more than there is."""
    for _ in range(_MOST_BOXES):
        if at + 8 > end:
            break
        length, kind, head = int.from_bytes(data[at : at + 4], "big"), 0, 8
        if length == 1:
            length, head = int.from_bytes(data[at + 8 : at + 16], "big"), 16
        length = end - at if length == 0 else length
        if length < head:
            break
        name = data[at + 4 : at + 8]
        yield Box(name, at + head, min(at + length, end), at + length <= end)
        at += length + kind


class Reader:
    """Numbers read one after another."""

    def __init__(self, data: bytes, at: int) -> None:
        self._data, self.at = data, at

    def take(self, size: int) -> int:
        """Return the next number of *size* bytes; zero of none."""
        self.at += size
        return int.from_bytes(self._data[self.at - size : self.at], "big")
