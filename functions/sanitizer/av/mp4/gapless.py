"""The tags that a player needs: where sound starts and ends, and how loud it is.

iTunes and others write the samples that a coder put before and behind the sound into a
tag, not into an edit list, and gains likewise. They stay if they are nothing but the
numbers that they should be; every other tag goes.

Source: the tags of iTunes as FFmpeg (libavformat/mov.c) and foobar2000 read them.
"""

import re

from functions.sanitizer.av.mp4.boxes import Box, blank, boxes_in, free
from functions.sanitizer.av.mp4.dropped import dropped
from functions.sanitizer.findings import Finding
from schemas.errors import Rejected

_DECIBELS = re.compile(rb"[+-]?\d{1,3}(\.\d{1,6})?( dB)?")
_PEAK = re.compile(rb"\d{1,2}(\.\d{1,8})?")
# Zero, delay, padding, length; iTunes adds its own, among them a place in its file.
_GAPS = re.compile(
    rb" 0{8} [\dA-Fa-f]{8} [\dA-Fa-f]{8} [\dA-Fa-f]{16}( [\dA-Fa-f]{8})*"
)
_GAPS_LENGTH = 1 + 8 + 1 + 8 + 1 + 8 + 1 + 16
_LOUDNESS = re.compile(rb"( [\dA-Fa-f]{8}){10}")
_VALUES = {
    b"iTunSMPB": _GAPS,
    b"iTunNORM": _LOUDNESS,
    b"replaygain_track_gain": _DECIBELS,
    b"replaygain_album_gain": _DECIBELS,
    b"replaygain_track_peak": _PEAK,
    b"replaygain_album_peak": _PEAK,
}
_MEAN = bytes(4) + b"com.apple.iTunes"
_TEXT = b"\0\0\0\1" + bytes(4)
_MAX_BYTES = 200  # of one tag


def gapless_tags(movie: bytearray, udta: Box) -> list[Box]:
    """Return the tags in *udta* that stay."""
    inside = [udta]
    try:
        for kind in (b"meta", b"ilst", b"----"):
            boxes = [child for box in inside[:1] for child in _content(movie, box)]
            inside = [box for box in boxes if box.kind == kind]
        return [tag for tag in inside if _stays(movie, tag)]
    except Rejected:
        return []  # a list of tags that can't be followed goes as a whole


def keep_only(
    movie: bytearray, parent: Box, tags: list[Box], findings: set[Finding]
) -> None:
    """Turn all but *tags* below *parent*, which is their `udta`, into free space."""
    for box in _content(movie, parent):
        if box in tags:
            _shorten_gaps(movie, box)
        elif box.start <= tags[0].start < box.end:
            keep_only(movie, box, tags, findings)
        elif parent.kind == b"meta" and box.kind == b"hdlr":
            _scrub_handler(movie, box)
        else:
            content = bytes(movie[box.start : box.end])
            findings |= dropped(box.kind, content, otherwise=Finding.AUDIO_TAGS)
            free(movie, box)


def _content(movie: bytearray, box: Box) -> list[Box]:
    """Return the boxes in *box*: those in `meta` begin behind a version, which is 0."""
    versioned = 4 if box.kind == b"meta" else 0
    blank(movie, box.start, min(box.start + versioned, box.end))
    return list(boxes_in(movie, box.start + versioned, box.end))


def _stays(movie: bytearray, tag: Box) -> bool:
    if tag.end - tag.start > _MAX_BYTES:
        return False
    parts = [
        (box.kind, bytes(movie[box.start : box.end]))
        for box in boxes_in(movie, tag.start, tag.end)
    ]
    if [kind for kind, _ in parts] != [b"mean", b"name", b"data"]:
        return False
    (_, mean), (_, name), (_, data) = parts
    pattern = _VALUES.get(name[4:])
    known = mean == _MEAN and not any(name[:4]) and data[:8] == _TEXT
    return known and pattern is not None and pattern.fullmatch(data[8:]) is not None


def _shorten_gaps(movie: bytearray, tag: Box) -> None:
    """Zero the numbers behind the four that say where sound starts and ends."""
    *_, data = boxes_in(movie, tag.start, tag.end)
    value = bytes(movie[data.start + 8 : data.end])
    if _GAPS.fullmatch(value):
        rest = re.sub(rb"[^ ]", b"0", value[_GAPS_LENGTH:])
        movie[data.start + 8 : data.end] = value[:_GAPS_LENGTH] + rest


def _scrub_handler(movie: bytearray, box: Box) -> None:
    if box.end - box.start < 24:
        free(movie, box)
        return
    blank(movie, box.start, box.start + 8)
    movie[box.start + 8 : box.start + 12] = b"mdir"
    blank(movie, box.start + 12, box.end)
