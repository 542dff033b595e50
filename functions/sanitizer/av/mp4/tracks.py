"""Which tracks of a film stay: sound and moving pictures, and nothing else.

Source: ISO/IEC 14496-12, 8.4.3; Apple's QuickTime File Format; https://mp4ra.org.
"""

from functions.sanitizer.av.mp4.boxes import (
    MAX_TRACKS,
    Box,
    boxes_in,
    find,
    free,
    number,
)
from functions.sanitizer.av.mp4.picture import PICTURES
from functions.sanitizer.av.mp4.sound import SOUNDS
from functions.sanitizer.av.scan import unreadable
from functions.sanitizer.findings import Finding

_SOUND, _PICTURES = b"soun", b"vide"
_STILLS = (b"jpeg", b"png ", b"gif ", b"tiff", b"mjpa", b"mjpb")
_DROPPED = {
    b"text": Finding.TEXT,
    b"sbtl": Finding.TEXT,
    b"subt": Finding.TEXT,
    b"subp": Finding.TEXT,
    b"clcp": Finding.TEXT,
    b"tmcd": Finding.TIMESTAMP,  # time of day, name of the reel
    b"auxv": Finding.SECOND_IMAGE,
    b"camm": Finding.GPS_POSITION,
}
# Those that are seen or heard, in ways that are not on the lists.
_SHOWN = (b"pict", b"MPEG", b"musi", b"sprt", b"flsh", b"qd3d", b"twen", b"STrm")
# Timed metadata of cameras and drones, which hold where they were.
_PLACES = (
    *(b"gpmd", b"camm", b"djmd", b"rtmd", b"location", b"gps", b"GPS", b"ISO6709"),
    b"nmea",
)


def drop_tracks(movie: bytearray, whole: Box) -> tuple[list[Box], set[Finding]]:
    """Turn all tracks into free space but those that stay; return these.

    Raises:
        Rejected: nothing stays, or a track can be seen or heard and is not on the list.
    """
    kept: list[Box] = []
    findings: set[Finding] = set()
    for track, finding in _judged(movie, whole):
        if finding is None:
            kept.append(track)
        else:
            findings.add(finding)
            free(movie, track)
    if not kept:
        raise unreadable("the file holds neither sound nor moving pictures")
    return kept, findings


def holds_pictures(movie: bytearray, whole: Box) -> bool:
    """Whether moving pictures would stay."""
    return any(
        finding is None and _handler(movie, track) == _PICTURES
        for track, finding in _judged(movie, whole)
    )


def identity(movie: bytearray, track: Box) -> int:
    """Return the number of a track."""
    head = find(movie, track, b"tkhd")
    if head is None:
        raise unreadable("a track has no head")
    at = head.start + (20 if movie[head.start] == 1 else 12)
    return number(movie, at, head.end)


def _judged(movie: bytearray, whole: Box) -> list[tuple[Box, Finding | None]]:
    """Return every track with what it is found to be if it goes."""
    inside = boxes_in(movie, whole.start, whole.end)
    tracks = [box for box in inside if box.kind == b"trak"]
    if len(tracks) > MAX_TRACKS:
        raise unreadable("the file has too many tracks")
    chapters = {n for track in tracks for n in _chapters(movie, track)}
    return [(track, _finding(movie, track, chapters)) for track in tracks]


def _finding(movie: bytearray, track: Box, chapters: set[int]) -> Finding | None:
    handler = _handler(movie, track)
    table = find(movie, track, b"mdia", b"minf", b"stbl", b"stsd")
    described = bytes(movie[table.start : table.end]) if table else b""
    coding = described[12:16]
    if handler == _PICTURES:
        return _pictures(movie, track, coding, chapters)
    if handler == _SOUND and coding in SOUNDS:
        return None
    if handler in (_SOUND, *_SHOWN):
        raise unreadable("a track is coded in a way that is not on the list")
    if handler in _DROPPED:
        return _DROPPED[handler]
    place = any(sign in described for sign in _PLACES)
    return Finding.GPS_POSITION if place else Finding.APPLICATION_DATA


def _pictures(
    movie: bytearray, track: Box, coding: bytes, chapters: set[int]
) -> Finding | None:
    if identity(movie, track) in chapters:
        return Finding.COVER_PICTURE
    if coding in _STILLS and _samples(movie, track) <= 1:
        return Finding.COVER_PICTURE
    if coding not in PICTURES:
        raise unreadable("the moving pictures are coded in a way not on the list")
    return None


def _handler(movie: bytearray, track: Box) -> bytes:
    box = find(movie, track, b"mdia", b"hdlr")
    return bytes(movie[box.start + 8 : box.start + 12]) if box else b""


def _samples(movie: bytearray, track: Box) -> int:
    box = find(movie, track, b"mdia", b"minf", b"stbl", b"stsz")
    return number(movie, box.start + 8, box.end) if box else 0


def _chapters(movie: bytearray, track: Box) -> list[int]:
    """Return the numbers of the tracks that hold the chapters of *track*."""
    box = find(movie, track, b"tref", b"chap")
    if box is None:
        return []
    return [number(movie, at, box.end) for at in range(box.start, box.end - 3, 4)]
