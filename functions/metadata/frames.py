"""Streams of frames without a container: measured at the ends and in the middle."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from functions.metadata.blocks import BLOCK, Blocks
from functions.metadata.errors import NotSound
from functions.metadata.sound import Sound

_BELIEVED = 3  # frames in a row: two are a coincidence in a large picture
_WHOLE = 5 * BLOCK  # up to here every frame is counted
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

        Up to 320 KiB they are counted, else estimated from blocks spread evenly: the
        rate may vary, and no header says how long it lasts.
        """
        size = self.end - self.start
        frames, seen, last = 0, 0, self.start
        for start, end in self._windows():
            for at, frame in self._between(start, end):
                frames, seen, last = frames + 1, seen + frame.size, at + frame.size
        samples = frames * self.first.samples * (1 if size <= _WHOLE else size / seen)
        sound = Sound(
            duration_seconds=samples / self.first.rate,
            samplerate=self.first.rate,
            channels=self.first.channels,
        )
        return sound.averaged(size), last > self.end

    def _windows(self) -> list[tuple[int, int]]:
        if self.end - self.start <= _WHOLE:
            return [(self.start, self.end)]
        third = (self.end - self.start) // (3 * BLOCK) * BLOCK
        head = self.start // BLOCK * BLOCK
        middles = [(head + third, head + third + BLOCK)]
        middles.append((head + 2 * third, head + 2 * third + BLOCK))
        return [(self.start, head + BLOCK), *middles, (self.end - BLOCK, self.end)]

    def _between(self, start: int, end: int) -> Iterator[tuple[int, Frame]]:
        at = self._find(start, end)
        while 0 <= at < end:
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
        first = self._frame(at)
        frame, count = first, 0
        while frame and first and frame.kind == first.kind:
            count, at = count + 1, at + frame.size
            if count == _BELIEVED or at == self.end:
                return True
            frame = self._frame(at) if at < end else None
        return count > 1 and at > end

    def _frame(self, at: int) -> Frame | None:
        return self._parse(self._blocks.read_at(at, _HEAD_BYTES)) if at >= 0 else None
