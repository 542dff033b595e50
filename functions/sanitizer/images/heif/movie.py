"""Animated AVIF and HEIF sequences: the film in `moov`, its alpha, and their times.

Read here, written by `heif_movie_write`: no creation times, names, sound or text.
Source: ISO/IEC 14496-12, 8; ISO/IEC 23008-12 (HEIF), 7; AV1 Image File Format, 3.
"""

import struct
from dataclasses import dataclass, field

from functions.sanitizer.findings import Finding
from functions.sanitizer.images.heif.bits import Budget
from functions.sanitizer.images.heif.pictures import most_pixels, open_stream
from functions.sanitizer.images.heif.properties import (
    ALPHA,
    auxiliary_type,
    clean_property,
)
from functions.sanitizer.images.heif.samples import Samples
from functions.sanitizer.images.isobmff import Box, Reader, boxes, full
from functions.sanitizer.images.pictures import View
from functions.sanitizer.limits import Limits
from schemas.errors import Rejected

_FILMS = (b"pict", b"vide")
_CONFIGURATIONS = {b"av01": b"av1C", b"hvc1": b"hvcC"}
_ENTRY_BYTES = 78  # of a visual sample entry before its boxes
_CONSTRAINTS = 0xFC000000  # `ccst` has six bits; the rest is reserved
_MOST_TRACKS = 16
_MOST_EDITS = 64
_FOREIGN = {b"udta": Finding.TEXT, b"soun": Finding.EMBEDDED_VIDEO}


@dataclass
class Track:
    """A film to write, or its alpha.

    Attributes:
        header: `tkhd` without its times and number, as flags and fields.
        media: time scale and duration.
        entry: width, height and boxes of the sample entry.
        tables: `stts`, `ctts` and `stss`.
    """

    handler: bytes
    kind: bytes
    header: tuple[int, int, bytes]
    media: tuple[int, int]
    edits: bytes
    entry: tuple[bytes, bytes]
    tables: bytes
    samples: list[bytes]
    premultiplied: bool = False


@dataclass
class Movie:
    """The film, behind it perhaps its alpha, and what else there was."""

    tracks: list[Track] = field(default_factory=list)
    timescale: int = 0
    duration: int = 0
    findings: set[Finding] = field(default_factory=set)

    @property
    def kinds(self) -> set[bytes]:
        """How the pictures are coded."""
        return {track.kind for track in self.tracks}

    @property
    def frames(self) -> int:
        """How many pictures the film has."""
        return len(self.tracks[0].samples)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of its pictures."""
        width, height = struct.unpack(">HH", self.tracks[0].entry[0])
        return width, height


def read_movie(data: View, box: Box, limits: Limits, budget: Budget) -> Movie:
    """Read a `moov` box.

    Raises:
        Rejected: `too_many_frames`, `too_many_pixels`, `unsupported_image`.
        ValueError: it is broken.
    """
    return _Film(data, limits, budget).read(box)


class _Trak:
    """The boxes of a track, by their letters, whatever box they lie in."""

    def __init__(self, data: View, box: Box) -> None:
        self._data = data
        self.boxes: dict[bytes, Box] = {}
        self._take(box, (b"mdia", b"minf", b"stbl", b"edts", b"dinf"))
        reader = self.reader(b"tkhd")
        self.wide, self.flags = reader.head()
        self.dated = any(reader.take(16 if self.wide else 8))
        self.number = reader.number(4)
        reader.take(4)
        self.duration = reader.number(8 if self.wide else 4)
        reader.take(8)
        self.fields = reader.take(52)
        self.handler = self.reader(b"hdlr").content[8:12]
        self.references = dict(self._references())

    def _take(self, box: Box, inside: tuple[bytes, ...]) -> None:
        for child in boxes(self._data, box.start, box.end):
            self.boxes.setdefault(child.kind, child)
            if child.kind in inside and self.boxes[child.kind] is child:
                self._take(child, inside)

    def reader(self, kind: bytes) -> Reader:
        if kind not in self.boxes:
            raise ValueError("a track without a table")
        return Reader(self.boxes[kind].of(self._data))

    def _references(self) -> list[tuple[bytes, bytes]]:
        box = self.boxes.get(b"tref")
        inside = boxes(self._data, box.start, box.end) if box else ()
        return [(child.kind, child.of(self._data)) for child in inside]

    def refers_to(self, kind: bytes, other: "_Trak") -> bool:
        targets = self.references.get(kind, b"")
        return any(
            targets[at : at + 4] == struct.pack(">I", other.number)
            for at in range(0, min(len(targets), 4 * _MOST_TRACKS), 4)
        )

    def entry(self) -> Box:
        table = self.boxes[b"stsd"]
        entries = list(boxes(self._data, table.start + 8, table.end))
        return entries[0]

    def entry_boxes(self) -> list[Box]:
        entry = self.entry()
        return list(boxes(self._data, entry.start + _ENTRY_BYTES, entry.end))

    def is_film(self) -> bool:
        known = self.handler in _FILMS and self.entry().kind in _CONFIGURATIONS
        return known and b"thmb" not in self.references

    def is_alpha_of(self, film: "_Trak") -> bool:
        if self.handler != b"auxv" or not self.refers_to(b"auxl", film):
            return False
        purposes = [box for box in self.entry_boxes() if box.kind == b"auxi"]
        known = self.entry().kind in _CONFIGURATIONS
        return known and all(
            auxiliary_type(box.of(self._data)) in ALPHA for box in purposes
        )


class _Film:
    def __init__(self, data: View, limits: Limits, budget: Budget) -> None:
        self._data = data
        self._limits = limits
        self._budget = budget
        self._movie = Movie()

    def read(self, box: Box) -> Movie:
        movie = self._movie
        inside = list(boxes(self._data, box.start, box.end))
        traks = [_Trak(self._data, child) for child in inside if child.kind == b"trak"]
        if len(traks) > _MOST_TRACKS:
            raise ValueError("too many tracks")
        self._header(_first(inside, b"mvhd"))
        self._name(inside)
        film = next((trak for trak in traks if trak.is_film()), None)
        alpha = None
        if film:
            alpha = next((trak for trak in traks if trak.is_alpha_of(film)), None)
            movie.tracks = [self._track(trak) for trak in (film, alpha) if trak]
            movie.tracks[0].premultiplied = bool(
                alpha and film.refers_to(b"prem", alpha)
            )
        for trak in traks:
            if trak.dated:
                movie.findings.add(Finding.TIMESTAMP)
            if trak not in (film, alpha):
                found = _FOREIGN.get(trak.handler, Finding.APPLICATION_DATA)
                auxiliary = trak.handler in (*_FILMS, b"auxv")
                movie.findings.add(Finding.SECOND_IMAGE if auxiliary else found)
            self._name(list(trak.boxes.values()))
        return movie

    def _name(self, inside: list[Box]) -> None:
        for box in inside:
            if box.kind in (b"udta", b"meta", b"uuid"):
                found = _FOREIGN.get(box.kind, Finding.APPLICATION_DATA)
                self._movie.findings.add(found)

    def _header(self, box: Box) -> None:
        reader = Reader(box.of(self._data))
        wide, _ = reader.head()
        if any(reader.take(16 if wide else 8)):
            self._movie.findings.add(Finding.TIMESTAMP)
        self._movie.timescale = reader.number(4)
        self._movie.duration = reader.number(8 if wide else 4)

    def _track(self, trak: _Trak) -> Track:
        kind = trak.entry().kind
        reader = trak.reader(b"mdhd")
        wide, _ = reader.head()
        reader.take(16 if wide else 8)
        media = reader.number(4), reader.number(8 if wide else 4)
        entry = self._entry(trak)
        tables = Samples(self._data, trak.boxes)
        width, height = struct.unpack(">HH", entry[0])
        self._limits.admit(width, height)
        self._limits.admit_frames([width * height] * tables.count)
        record = _first(trak.entry_boxes(), _CONFIGURATIONS[kind])
        stream = open_stream(record.kind, record.of(self._data), self._budget)
        samples = [stream.tidy(self._sample(*extent)) for extent in tables.extents()]
        self._limits.admit_frames([most_pixels(stream, self._limits)] * tables.count)
        configuration = stream.box
        self._movie.findings |= stream.findings
        return Track(
            handler=trak.handler,
            kind=kind,
            header=(trak.flags & 15, trak.duration, _placed(trak.fields)),
            media=media,
            edits=self._edits(trak),
            # What the pictures say themselves is not said twice.
            entry=(entry[0], configuration + entry[1].replace(stream.colours, b"")),
            tables=tables.durations() + tables.offsets_in_time() + tables.sync(),
            samples=samples,
        )

    def _sample(self, start: int, end: int) -> bytes:
        if end > len(self._data):
            raise ValueError("it is truncated")
        return self._data[start:end]

    def _entry(self, trak: _Trak) -> tuple[bytes, bytes]:
        """Return width and height, and the boxes that are kept."""
        entry = trak.entry()
        head = self._data[entry.start : entry.start + _ENTRY_BYTES]
        if b"dref" in trak.boxes:
            self._local(trak.boxes[b"dref"], int.from_bytes(head[6:8], "big"))
        kept = b""
        for box in trak.entry_boxes():
            kept += self._entry_box(box)
        return head[24:28], kept

    def _local(self, table: Box, index: int) -> None:
        entries = list(boxes(self._data, table.start + 8, table.end))
        entry = entries[index - 1]
        if not self._data[entry.start + 3] & 1:
            raise Rejected("unsupported_image", "the pictures lie outside of the file")

    def _entry_box(self, box: Box) -> bytes:
        content = box.of(self._data)
        if box.kind in _CONFIGURATIONS.values() or box.kind == b"btrt":
            return b""
        if box.kind == b"auxi":
            return full(b"auxi", auxiliary_type(content) + b"\0")
        if box.kind == b"ccst":
            constraints = int.from_bytes(content[4:8], "big") & _CONSTRAINTS
            return full(b"ccst", struct.pack(">I", constraints))
        return clean_property(box.kind, content, self._movie.findings) or b""

    def _edits(self, trak: _Trak) -> bytes:
        if b"elst" not in trak.boxes:
            return b""
        reader = trak.reader(b"elst")
        wide, flags = reader.head()
        count = reader.number(4)
        if count > _MOST_EDITS or wide > 1:
            raise ValueError("too many edits")
        entries = reader.take(count * (20 if wide else 12))
        table = struct.pack(">I", count) + entries
        return full(b"elst", table, version=wide, flags=flags & 1)


def _first(found: list[Box], kind: bytes) -> Box:
    for box in found:
        if box.kind == kind:
            return box
    raise ValueError("a box is missing")


def _placed(fields: bytes) -> bytes:
    """Return layer, group, matrix and size of a track without what lies between."""
    return fields[:4] + bytes(4) + fields[8:]
