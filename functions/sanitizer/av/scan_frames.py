"""Streams of frames that say how long they are: runs of them, and what is between.

A sync word turns up by chance in pictures and text: a frame is believed where others of
its kind follow it.
"""

import re
from collections.abc import Callable, Iterator
from typing import BinaryIO, NamedTuple

from functions.sanitizer.av.scan import copy, read_at, unreadable
from functions.sanitizer.av.tags import contents, leading
from functions.sanitizer.findings import Finding

_WINDOW = 1 << 18
_TAGS = (b"ID3", b"TAG", b"3DI", b"LYRICS")
_MAX_STRAYS = 100_000  # places that look like a frame: some MB of picture have fewer
_BELIEVED = 3  # headers in a row: two are a coincidence in a large picture


class Frame(NamedTuple):
    """A frame's length in bytes, and what all frames of a stream have in common."""

    size: int
    kind: tuple[int, ...]


class Coding(NamedTuple):
    """How frames are told: a pattern, the bytes of a header, and its reader."""

    sync: re.Pattern[bytes]
    head_bytes: int
    frame_of: Callable[[bytes], Frame | None]


class Run(NamedTuple):
    """Frames that follow each other without a gap.

    Attributes:
        whole: where the last whole frame ends; the one behind it is cut.
    """

    start: int
    whole: int
    end: int
    first_size: int


def copy_runs(
    source: BinaryIO,
    output: BinaryIO,
    start: int,
    end: int,
    *,
    coding: Coding,
    tagged: bool,
    clean: Callable[[bytes], bytes] = bytes,
) -> set[Finding]:
    """Append the frames between *start* and *end*; return what lay between them.

    Args:
        tagged: tags came behind: the file was whole, so a last frame that is cut goes.
            Else it stays as the sign that sound is missing.
        clean: what the first frame is passed through.
    """
    findings: set[Finding] = set()
    at, first = start, True
    for run in _runs(source, start, end, coding):
        findings |= contents(source, at, run.start)
        begin, at = run.start, run.end
        if first:
            first, begin = False, begin + run.first_size
            findings |= _write_first(source, output, run, clean)
        whole = tagged or _ends_in_tag(source, run)
        copy(source, output, begin, run.whole if whole else run.end)
    if first:
        raise unreadable("no frame of sound was found in the file")
    return findings | contents(source, at, end)


def _write_first(
    source: BinaryIO, output: BinaryIO, run: Run, clean: Callable[[bytes], bytes]
) -> set[Finding]:
    frame = read_at(source, run.start, run.first_size)
    written = clean(frame)
    output.write(written)
    return {Finding.PADDING} if written != frame else set()


def _ends_in_tag(source: BinaryIO, run: Run) -> bool:
    """Whether a last frame that is cut holds what looks like a broken tag."""
    cut = read_at(source, run.whole, run.end - run.whole)
    return any(mark in cut for mark in _TAGS)


def _runs(source: BinaryIO, start: int, end: int, coding: Coding) -> Iterator[Run]:
    """Return every stretch of whole frames that follow each other without a gap."""
    frames = Frames(source, end, coding)
    at = start
    while (at := frames.find(at)) < end:
        run = frames.run(at)
        yield run
        at, _ = leading(source, run.end, end)


class Frames:
    """The frames of a stream that ends at *end*."""

    def __init__(self, source: BinaryIO, end: int, coding: Coding) -> None:
        self._source, self._end, self._coding = source, end, coding
        self._window, self._origin = b"", 0
        self._strays = 0

    def find(self, at: int) -> int:
        """Return where the next run of frames starts, from *at* on; else the end."""
        while at + self._coding.head_bytes <= self._end:
            self._load(at)
            match = self._coding.sync.search(self._window, at - self._origin)
            if match is None:
                at = self._origin + len(self._window) - 2
                continue
            at = self._origin + match.start()
            if self._believable(at):
                return at
            at, self._strays = at + 1, self._strays + 1
            if self._strays == _MAX_STRAYS:
                raise unreadable("no frame of sound was found in the file")
        return self._end

    def run(self, at: int) -> Run:
        """Return the frames from *at* on; the last one may be cut by the end."""
        first = self._frame(at)
        assert first is not None
        start = whole = at
        frame: Frame | None = first
        while frame and frame.kind == first.kind:
            at += frame.size
            whole = at if at <= self._end else whole
            frame = self._frame(at)
        end = min(at, self._end)
        return Run(start, whole, end, min(first.size, end - start))

    def _believable(self, at: int) -> bool:
        first = self._frame(at)
        frame, headers = first, 0
        while frame and first and frame.kind == first.kind:
            headers += 1
            at += frame.size
            if headers == _BELIEVED or at == self._end:
                return True
            frame = self._frame(at)
        return headers > 1 and at > self._end

    def _frame(self, at: int) -> Frame | None:
        size = self._coding.head_bytes
        if at + size > self._end:
            return None
        self._load(at)
        start = at - self._origin
        return self._coding.frame_of(self._window[start : start + size])

    def _load(self, at: int) -> None:
        """Have at least a header's bytes from *at* in the window."""
        last = self._origin + len(self._window) - self._coding.head_bytes
        if self._origin <= at <= last:
            return
        self._origin = at
        self._window = read_at(self._source, at, min(_WINDOW, self._end - at))
