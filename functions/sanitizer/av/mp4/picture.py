"""How the pictures of a track are coded: `stsd` entries of video.

Sources: ISO/IEC 14496-12, 12.1; 14496-15 (AVC, HEVC); Apple's QuickTime File Format;
the mappings of VP9, AV1 and Dolby Vision; 3GPP TS 26.244 (`d263`); Google's Spherical
Video V2 RFC (`st3d`, `sv3d`).
"""

from collections.abc import Callable

from functions.sanitizer.av.mp4.boxes import Box, blank, boxes_in, free
from functions.sanitizer.av.mp4.parameters import scrub_av1, scrub_avc, scrub_hevc
from functions.sanitizer.av.mp4.streams import scrub_stream
from functions.sanitizer.av.scan import unreadable
from functions.sanitizer.findings import Finding

PICTURES = frozenset(
    (
        *(b"avc1", b"avc2", b"avc3", b"avc4", b"hvc1", b"hvc2", b"hev1", b"hev2"),
        *(b"dvh1", b"dvhe", b"dva1", b"dvav", b"dav1", b"vp08", b"vp09", b"av01"),
        *(b"mp4v", b"s263", b"h263", b"H263", b"SVQ1", b"cvid", b"rpza"),
        *(b"apco", b"apcs", b"apcn", b"apch", b"ap4h", b"ap4x"),
    )
)
_ENTRY_FIELDS = 78
_RESOLUTION = bytes.fromhex("0048000000480000")  # 72 dpi, as the standard wants it
_LENGTHS = {  # of set-ups that are numbers only, in bytes
    b"vpcC": 12,
    b"dvcC": 24,
    b"dvvC": 24,
    b"dvwC": 24,
    b"d263": 7,
    b"bitr": 8,
    b"pasp": 8,
    b"clap": 32,
    b"fiel": 2,
    b"gama": 4,
    b"btrt": 12,
    b"mdcv": 24,
    b"clli": 4,
    b"amve": 8,
    b"SmDm": 28,
    b"CoLL": 8,
    b"st3d": 5,
    b"prhd": 16,
    b"equi": 20,
    b"cbmp": 12,
}
_CONTAINERS = (b"sv3d", b"proj")  # how a sphere is shown
_COLOURS = {b"nclx": 11, b"nclc": 10}


def scrub_picture(data: bytearray, entry: Box) -> set[Finding]:
    """Clean one description: size, colours and the decoder's set-up stay.

    Raises:
        Rejected: it is broken.
    """
    start = entry.start
    if entry.end - start < _ENTRY_FIELDS:
        raise unreadable("the description of the pictures is cut off")
    blank(data, start, start + 6)
    named = data[start + 42 : start + 74].strip(b"\0 ") != b""
    blank(data, start + 8, start + 24)  # versions, vendor, qualities
    data[start + 28 : start + 36] = _RESOLUTION
    blank(data, start + 36, start + 40)
    blank(data, start + 42, start + 74)  # name of the encoder
    data[start + 76 : start + 78] = b"\xff\xff"  # no colour table
    inside = Box(entry.kind, start + _ENTRY_FIELDS, entry.end)
    findings = {Finding.APPLICATION_DATA} if named else set()
    return findings | _scrub_setup(data, inside)


def _scrub_setup(data: bytearray, parent: Box) -> set[Finding]:
    findings: set[Finding] = set()
    for box in boxes_in(data, parent.start, parent.end):
        if box.kind in _CONTAINERS and parent.kind not in (b"proj", box.kind):
            findings |= _scrub_setup(data, box)
        elif box.kind in _LENGTHS:
            findings |= _fixed(data, box, _LENGTHS[box.kind])
        elif box.kind in _SCRUBBERS:
            findings |= _SCRUBBERS[box.kind](data, box)
        elif box.kind != bytes(4) or box.end > box.start:  # else the end of a list
            free(data, box)
            findings.add(Finding.APPLICATION_DATA)
        if box.kind == b"d263":
            blank(data, box.start, min(box.start + 4, box.end))  # vendor
    return findings


def _fixed(data: bytearray, box: Box, length: int) -> set[Finding]:
    padded = blank(data, box.start + length, box.end)
    return {Finding.PADDING} if padded else set()


def _colour(data: bytearray, box: Box) -> set[Finding]:
    length = _COLOURS.get(bytes(data[box.start : box.start + 4]))
    if length is None:
        # A profile names a device; players go by the coded numbers.
        free(data, box)
        return {Finding.COLOUR_PROFILE}
    return _fixed(data, box, length)


def _source_of_sphere(data: bytearray, box: Box) -> set[Finding]:
    named = blank(data, box.start, box.end)
    return {Finding.APPLICATION_DATA} if named else set()


_SCRUBBERS: dict[bytes, Callable[[bytearray, Box], set[Finding]]] = {
    b"avcC": scrub_avc,
    b"avcE": scrub_avc,
    b"hvcC": lambda data, box: scrub_hevc(data, box, arrays_at=22),
    b"hvcE": lambda data, box: scrub_hevc(data, box, arrays_at=22),
    b"lhvC": lambda data, box: scrub_hevc(data, box, arrays_at=5),
    b"av1C": scrub_av1,
    b"esds": lambda data, box: scrub_stream(data, box, visual=True),
    b"colr": _colour,
    b"svhd": _source_of_sphere,
}
