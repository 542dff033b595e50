"""Fragments: `moof` boxes, each a table of contents for the samples behind it.

Source: ISO/IEC 14496-12, 8.8 (fragments).
"""

from functions.sanitizer.av.mp4.boxes import (
    MAX_TRACKS,
    Box,
    blank,
    boxes_in,
    find,
    free,
    number,
    numbers,
)
from functions.sanitizer.av.mp4.dropped import dropped
from functions.sanitizer.av.mp4.extents import Extents
from functions.sanitizer.av.mp4.tables import TABLES
from functions.sanitizer.av.mp4.tracks import identity
from functions.sanitizer.av.scan import unreadable
from functions.sanitizer.findings import Finding

Sizes = dict[int, int]  # of a sample in bytes, where nothing else says it, per track
_BASE, _BASE_IS_MOOF, _DEFAULT_SIZE = 0x1, 0x20000, 0x10
_HEAD_FIELDS = ((_BASE, 8), (0x2, 4), (0x8, 4), (_DEFAULT_SIZE, 4), (0x20, 4))
_HEAD_FLAGS = sum(flag for flag, _ in _HEAD_FIELDS) | _BASE_IS_MOOF | 0x10000
_OFFSET, _FIRST_FLAGS, _SAMPLE_SIZE = 0x1, 0x4, 0x200
_RUN_FIELDS = (0x100, _SAMPLE_SIZE, 0x400, 0x800)
_RUN_FLAGS = sum(_RUN_FIELDS) | _OFFSET | _FIRST_FLAGS


def sizes_of(movie: bytearray, tracks: list[Box], whole: Box) -> Sizes:
    """Return the size of a sample of each of *tracks* that have fragments."""
    kept = {identity(movie, track) for track in tracks}
    extends = find(movie, whole, b"mvex")
    inside = boxes_in(movie, extends.start, extends.end) if extends else ()
    found = [
        (number(movie, box.start + 4, box.end), number(movie, box.start + 16, box.end))
        for box in inside
        if box.kind == b"trex"
    ]
    return {track: size for track, size in found if track in kept}


def scrub_fragment(
    moof: bytearray, whole: Box, at: int, sizes: Sizes, extents: Extents
) -> set[Finding]:
    """Clean a `moof` box that starts at *at* in the file.

    Raises:
        Rejected: it is broken, or does not say where its samples lie.
    """
    fragment = _Fragment(moof, at, sizes, extents)
    fragment.scrub(whole)
    return fragment.findings


class _Fragment:
    def __init__(
        self, moof: bytearray, at: int, sizes: Sizes, extents: Extents
    ) -> None:
        self._moof, self._at, self._sizes, self._extents = moof, at, sizes, extents
        # Without a base of its own, a part's samples follow those of the part before.
        self._following: int | None = at
        self.findings: set[Finding] = set()

    def scrub(self, whole: Box) -> None:
        parts = 0
        for box in boxes_in(self._moof, whole.start, whole.end):
            if box.kind == b"mfhd":
                blank(self._moof, box.start, box.start + 4)
                blank(self._moof, box.start + 8, box.end)
            elif box.kind == b"traf" and parts < MAX_TRACKS:
                parts += 1
                self._part(box)
            else:
                self._drop(box)

    def _drop(self, box: Box) -> None:
        self.findings |= dropped(box.kind, bytes(self._moof[box.start : box.end]))
        free(self._moof, box)

    def _part(self, part: Box) -> None:
        head = find(self._moof, part, b"tfhd")
        if head is None:
            raise unreadable("a fragment has no head")
        size = self._sizes.get(number(self._moof, head.start + 4, head.end))
        if size is None:
            free(self._moof, part)  # of a track that goes
            self._following = None
            return
        base, size = self._head(head, size)
        end, dated = base, False
        for box in boxes_in(self._moof, part.start, part.end):
            if box.kind == b"trun":
                end = self._run(box, base, end, size)
            elif box.kind == b"tfdt" and not dated:
                dated = self._time(box)
            elif box.kind in (b"sbgp", b"sgpd"):
                TABLES[box.kind](self._moof, box)
            elif box != head:
                self._drop(box)
        self._following = end

    def _head(self, box: Box, size: int) -> tuple[int, int]:
        """Return where the samples of a part start and how long one is."""
        flags = _keep_flags(self._moof, box, _HEAD_FLAGS)
        at, values = box.start + 8, {_DEFAULT_SIZE: size}
        for flag, width in _HEAD_FIELDS:
            if flags & flag:
                values[flag] = number(self._moof, at, box.end, width)
                at += width
        blank(self._moof, at, box.end)
        implied = self._at if flags & _BASE_IS_MOOF else self._following
        base = values.get(_BASE, implied)
        if base is None:
            raise unreadable("a fragment does not say where its samples lie")
        return base, values[_DEFAULT_SIZE]

    def _time(self, box: Box) -> bool:
        blank(self._moof, box.start + 1, box.start + 4)
        blank(self._moof, box.start + (12 if self._moof[box.start] else 8), box.end)
        return True

    def _run(self, box: Box, base: int, start: int, size: int) -> int:
        """Note where the samples of a run lie; return where they end."""
        flags = _keep_flags(self._moof, box, _RUN_FLAGS)
        samples, at = number(self._moof, box.start + 4, box.end), box.start + 8
        if flags & _OFFSET:
            offset = number(self._moof, at, box.end)
            start = base + offset - (offset >> 31 << 32)
            at += 4
        at += 4 if flags & _FIRST_FLAGS else 0
        fields = [flag for flag in _RUN_FIELDS if flags & flag]
        last = at + 4 * len(fields) * samples
        if last > box.end or start < 0:
            raise unreadable("a fragment is broken")
        length = samples * size
        if _SAMPLE_SIZE in fields:
            table = numbers(self._moof, at, last, 4)
            length = sum(table[fields.index(_SAMPLE_SIZE) :: len(fields)])
        blank(self._moof, last, box.end)
        self._extents.add(start, start + length)
        return start + length


def _keep_flags(moof: bytearray, box: Box, known: int) -> int:
    """Drop flags that mean nothing; return the others."""
    flags = number(moof, box.start + 1, box.end, 3) & known
    moof[box.start + 1 : box.start + 4] = flags.to_bytes(3, "big")
    return flags
