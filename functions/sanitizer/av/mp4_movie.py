"""The `moov` box: which boxes stay. Works in place and never moves a byte.

Source: ISO/IEC 14496-12, 8; Apple's QuickTime File Format for what others put there.
"""

from functions.sanitizer.av.mp4_boxes import Box, boxes_in, free
from functions.sanitizer.av.mp4_fields import SCRUBBERS
from functions.sanitizer.av.mp4_samples import Extents, extents_of
from functions.sanitizer.av.scan import unreadable
from functions.sanitizer.findings import Finding

_CHILDREN: dict[bytes, tuple[bytes, ...]] = {
    b"moov": (b"mvhd", b"trak"),
    b"trak": (b"tkhd", b"edts", b"mdia"),
    b"edts": (b"elst",),
    b"mdia": (b"mdhd", b"hdlr", b"minf"),
    b"minf": (b"smhd", b"dinf", b"stbl"),
    b"dinf": (b"dref",),
    b"stbl": (
        *(b"stsd", b"stts", b"ctts", b"stsc", b"stsz", b"stco", b"co64"),
        *(b"sgpd", b"sbgp"),
    ),
}
_DROPPED = {
    b"udta": Finding.AUDIO_TAGS,
    b"meta": Finding.AUDIO_TAGS,
    b"ilst": Finding.AUDIO_TAGS,
}
_SIGNS = (
    (b"covr", Finding.COVER_PICTURE),
    (b"\xa9xyz", Finding.GPS_POSITION),
    (b"loci", Finding.GPS_POSITION),
    (b"ISO6709", Finding.GPS_POSITION),
    (b"chpl", Finding.TEXT),
    (b"<x:xmpmeta", Finding.XMP),
)
_SPACE = (b"free", b"skip", b"wide")
# Structure that players do without, written by every second program: nothing to tell.
_IDLE = (b"iods", b"tref", b"sdtp", b"sgpd", b"sbgp", b"stss", b"stz2")
_STILLS = (b"jpeg", b"png ", b"gif ", b"tiff", b"mjpa", b"mjpb")
_SOUND = b"soun"
_FOREIGN_TRACKS = {b"vide": Finding.COVER_PICTURE, b"meta": Finding.AUDIO_TAGS}


def scrub_movie(movie: bytearray) -> tuple[set[Finding], Extents]:
    """Clean *movie*, a whole `moov` box; return what went and where the samples lie.

    Raises:
        Rejected: it is broken, holds no sound or more than sound.
    """
    findings: set[Finding] = set()
    whole = Box(b"moov", 8, len(movie))
    tracks = [box for box in boxes_in(movie, 8, whole.end) if box.kind == b"trak"]
    for track in tracks:
        handler = _handler(movie, track)
        if handler != _SOUND:
            findings.add(_foreign(movie, track, handler))
            free(movie, track)
    _scrub(movie, whole, findings)
    kept = [_tables(movie, box) for box in tracks if box.kind == _kind(movie, box)]
    if not kept:
        raise unreadable("the file holds no sound")
    return findings, extents_of(movie, kept)


def dropped(kind: bytes, content: bytes) -> set[Finding]:
    """Name what a box was that is not on the list."""
    if kind in _SPACE:
        return {Finding.PADDING} if any(content) else set()
    if kind in _IDLE:
        return set()
    findings = {_DROPPED.get(kind, Finding.APPLICATION_DATA)}
    return findings | {finding for sign, finding in _SIGNS if sign in content}


def _scrub(movie: bytearray, parent: Box, findings: set[Finding]) -> None:
    """Clean the children of *parent*; each may be there once, tracks many times."""
    seen: set[bytes] = set()
    for box in boxes_in(movie, parent.start, parent.end):
        allowed = box.kind in _CHILDREN[parent.kind] and box.kind not in seen
        if box.kind == b"mvex":
            raise unreadable("the file is a stream of fragments: not supported")
        if not allowed:
            findings |= dropped(box.kind, bytes(movie[box.start : box.end]))
            free(movie, box)
            continue
        if box.kind != b"trak":
            seen.add(box.kind)
        if box.kind in _CHILDREN:
            _scrub(movie, box, findings)
        else:
            findings |= SCRUBBERS[box.kind](movie, box)


def _kind(movie: bytearray, box: Box) -> bytes:
    return bytes(movie[box.start - 4 : box.start])


def _find(movie: bytearray, box: Box, *path: bytes) -> Box | None:
    """Return the first box at *path* below *box*."""
    for kind in path:
        inside = boxes_in(movie, box.start, box.end)
        found = next((child for child in inside if child.kind == kind), None)
        if found is None:
            return None
        box = found
    return box


def _handler(movie: bytearray, track: Box) -> bytes:
    box = _find(movie, track, b"mdia", b"hdlr")
    return bytes(movie[box.start + 8 : box.start + 12]) if box else b""


def _foreign(movie: bytearray, track: Box, handler: bytes) -> Finding:
    """Name a track that is no sound: chapters' titles or covers, or a film."""
    table = _find(movie, track, b"mdia", b"minf", b"stbl", b"stsd")
    coding = bytes(movie[table.start + 12 : table.start + 16]) if table else b""
    if handler == b"vide" and coding not in _STILLS:
        raise unreadable("the file holds moving pictures, not only sound")
    return _FOREIGN_TRACKS.get(handler, Finding.TEXT)


def _tables(movie: bytearray, track: Box) -> dict[bytes, Box]:
    box = _find(movie, track, b"mdia", b"minf", b"stbl")
    inside = boxes_in(movie, box.start, box.end) if box else ()
    return {child.kind: child for child in inside}
