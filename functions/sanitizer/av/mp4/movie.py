"""The `moov` box: which boxes stay. Works in place and never moves a byte.

Source: ISO/IEC 14496-12, 8; Apple's QuickTime File Format for what others put there.
"""

from functions.sanitizer.av.mp4.boxes import Box, boxes_in, find, free
from functions.sanitizer.av.mp4.dropped import dropped
from functions.sanitizer.av.mp4.extents import Extents
from functions.sanitizer.av.mp4.fields import scrub_fields
from functions.sanitizer.av.mp4.gapless import gapless_tags, keep_only
from functions.sanitizer.av.mp4.samples import add_chunks
from functions.sanitizer.av.mp4.tables import scrub_dependencies
from functions.sanitizer.av.mp4.tracks import drop_tracks
from functions.sanitizer.av.scan import unreadable
from functions.sanitizer.findings import Finding

_CHILDREN: dict[bytes, tuple[bytes, ...]] = {
    b"moov": (b"mvhd", b"trak", b"mvex"),
    b"mvex": (b"mehd", b"trex"),
    b"trak": (b"tkhd", b"tapt", b"edts", b"mdia"),
    b"tapt": (b"clef", b"prof", b"enof"),
    b"edts": (b"elst",),
    b"mdia": (b"mdhd", b"hdlr", b"minf"),
    b"minf": (b"vmhd", b"smhd", b"hdlr", b"dinf", b"stbl"),
    b"dinf": (b"dref",),
    b"stbl": (
        *(b"stsd", b"stts", b"ctts", b"cslg", b"stsc", b"stsz", b"stz2", b"stco"),
        *(b"co64", b"stss", b"stps", b"stsh", b"sdtp", b"sgpd", b"sbgp"),
    ),
}
_MANY = (b"trak", b"trex")


def scrub_movie(movie: bytearray, whole: Box, extents: Extents) -> set[Finding]:
    """Clean *movie*, a whole `moov` box; add to *extents* where the samples lie.

    Raises:
        Rejected: it is broken, or holds what is not on the lists of codings.
    """
    if find(movie, whole, b"cmov"):
        raise unreadable("the table of contents is compressed")
    kept, findings = drop_tracks(movie, whole)
    scrub_tree(movie, whole, findings, _CHILDREN)
    for track in kept:
        tables = find(movie, track, b"mdia", b"minf", b"stbl")
        if tables is None:
            raise unreadable("the file does not say where its samples lie")
        scrub_dependencies(movie, tables)
        add_chunks(movie, tables, extents)
    return findings


def scrub_tree(
    data: bytearray,
    parent: Box,
    findings: set[Finding],
    children: dict[bytes, tuple[bytes, ...]],
) -> None:
    """Clean the boxes in *parent*; each may be there once, but for a few."""
    seen: set[bytes] = set()
    for box in boxes_in(data, parent.start, parent.end):
        if box.kind not in children[parent.kind] or box.kind in seen:
            _drop(data, parent, box, findings)
            continue
        if box.kind not in _MANY:
            seen.add(box.kind)
        if box.kind in children:
            scrub_tree(data, box, findings, children)
        else:
            findings |= scrub_fields(data, box)


def _drop(data: bytearray, parent: Box, box: Box, findings: set[Finding]) -> None:
    if parent.kind == b"moov" and box.kind == b"udta":
        tags = gapless_tags(data, box)
        if tags:
            keep_only(data, box, tags, findings)
            return
    findings |= dropped(box.kind, bytes(data[box.start : box.end]))
    free(data, box)
