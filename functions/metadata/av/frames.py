"""Streams of frames without a container: measured at the ends and in between."""

import itertools
from collections.abc import Callable, Iterator
from typing import NamedTuple

from functions.metadata.av.sound import Sound
from functions.metadata.blocks import BLOCK, Blocks
from functions.metadata.errors import NotSound

_BELIEVED = 3  # frames in a row: two are a coincidence in a large picture
_MOST_SAMPLED = 4  # blocks between head and tail
_HEAD_BYTES = 8


class Frame(NamedTuple):
    """What a frame's header says.

    Attributes:
        kind: what all frames of a stream have in common.
        samples: of one channel.
        rate: samples a second.
    """

    size: int
    kind: tuple[int, ...]
    samples: int
    rate: int
    channels: int


class _Window(NamedTuple):
    """A part of the stream, and how many bytes it stands for; 0 for itself alone."""

    start: int
    end: int
    stands_for: float


class Frames:
    """The frames between *start* and *end*.

    Args:
        parse: returns the frame whose first eight bytes it is given, if it is one.

    Raises:
        NotSound: there are none.
    """

    def __init__(
        self,
        blocks: Blocks,
        start: int,
        end: int,
        parse: Callable[[bytes], Frame | None],
    ) -> None:
        self._blocks, self._parse = blocks, parse
        self.end = end
        self.start = self._search(start)
        first = self._frame(self.start)
        if first is None:
            raise NotSound("No sound was found in the file.")
        self.first = first

    def _search(self, start: int) -> int:
        """Return where the frames start: in the block of *start* or in the next."""
        block_end = (start // BLOCK + 1) * BLOCK
        at = self._find(start, min(self.end, block_end))
        return at if at >= 0 else self._find(start, min(self.end, block_end + BLOCK))

    def measure(self) -> tuple[Sound, bool]:
        """Return the facts, and whether the last frame is cut.

        Short streams are counted, longer ones estimated from blocks spread evenly: the
        rate may vary, and no header says how long it lasts.
        """
        frames, covered, last = 0.0, 0.0, self.start
        for window in self._windows():
            count, seen = 0, 0
            for at, frame in self._between(window.start, window.end):
                count, seen, last = count + 1, seen + frame.size, at + frame.size
            if seen:
                stands_for = window.stands_for or seen
                frames += count * stands_for / seen
                covered += window.stands_for
        if covered:
            frames *= (self.end - self.start) / covered
        sound = Sound(
            duration_seconds=frames * self.first.samples / self.first.rate or None,
            samplerate=self.first.rate,
            channels=self.first.channels,
        )
        return sound.averaged(self.end - self.start), last > self.end

    def _windows(self) -> list[_Window]:
        """Return the whole stream, or its head, its tail and blocks between them.

        Each stands for what is nearer to it than to the next: the rate of a stream
        changes in long waves rather than from frame to frame.
        """
        head = self.start // BLOCK
        tail = (self.end - 1) // BLOCK
        if self._blocks.affords(tail - head):
            return [_Window(self.start, self.end, 0)]
        # The last block may hold too little to find frames in.
        short = 2 if self.end - tail * BLOCK < BLOCK // 8 else 1
        places = [head, *self._middle(head, tail, short), tail]
        borders = [self.start, *(BLOCK * (a + b + 1) // 2 for a, b in _pairs(places))]
        borders.append(self.end)
        windows = [
            _Window(max(self.start, place * BLOCK), (place + 1) * BLOCK, right - left)
            for place, (left, right) in zip(places, _pairs(borders), strict=True)
        ]
        last = windows.pop()
        start = last.start - (short - 1) * BLOCK
        return [*windows, _Window(start, self.end, last.stands_for)]

    def _middle(self, head: int, tail: int, short: int) -> list[int]:
        budget = self._blocks.budget
        count = _MOST_SAMPLED if budget is None else min(_MOST_SAMPLED, budget - short)
        step = (tail - head) / (count + 1) if count > 0 else 0
        places = {head + round(step * (n + 1)) for n in range(max(0, count))}
        return sorted(places - {head, tail, tail - short + 1})

    def _between(self, start: int, end: int) -> Iterator[tuple[int, Frame]]:
        at = self._find(start, end)
        # What starts in a window's last bytes would be read from the next block.
        while 0 <= at <= end - (0 if end == self.end else _HEAD_BYTES):
            frame = self._frame(at)
            if frame is None or frame.kind != self.first.kind:
                at = self._find(at + 1, end)
                continue
            yield at, frame
            at += frame.size

    def _find(self, start: int, end: int) -> int:
        """Return where frames follow each other from, or a negative number."""
        window = self._blocks.read_at(start, end - start)
        at = window.find(b"\xff")
        while at >= 0:
            if self._believable(start + at, end):
                return start + at
            at = window.find(b"\xff", at + 1)
        return -1

    def _believable(self, at: int, end: int) -> bool:
        """Whether frames of one kind follow each other, as far as *end* lets see."""
        limit = end if end == self.end else end - _HEAD_BYTES
        first = self._frame(at) if at <= limit else None
        frame, count = first, 0
        while frame and first and frame.kind == first.kind:
            count, at = count + 1, at + frame.size
            if count == _BELIEVED or at == self.end:
                return True
            frame = self._frame(at) if at <= limit else None
        return count > 1 and at > limit

    def _frame(self, at: int) -> Frame | None:
        return self._parse(self._blocks.read_at(at, _HEAD_BYTES)) if at >= 0 else None


def _pairs(numbers: list[int]) -> Iterator[tuple[int, int]]:
    return itertools.pairwise(numbers)
