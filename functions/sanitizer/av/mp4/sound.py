"""How the sound of a track is coded: `stsd` entries of sound.

Sources: ISO/IEC 14496-12, 8.5.2 and 12.2; Apple's QuickTime File Format (versions 1
and 2 of the entry, `wave`, `chan`); the codecs' own mappings (Opus, FLAC, ALAC, AC-3,
AC-4, DTS, AMR); Google's Spatial Audio RFC (`SA3D`).
"""

import struct

from functions.sanitizer.av.mp4.boxes import Box, blank, boxes_in, find, free, number
from functions.sanitizer.av.mp4.streams import scrub_stream
from functions.sanitizer.av.scan import unreadable
from functions.sanitizer.findings import Finding

_PLAIN = {  # uncompressed: bytes a value; 0: as the entry says
    b"sowt": 0,
    b"twos": 0,
    b"raw ": 0,
    b"NONE": 0,
    b"in24": 3,
    b"in32": 4,
    b"fl32": 4,
    b"fl64": 8,
    b"ulaw": 1,
    b"alaw": 1,
}
# (bytes a channel, values) of a packet: QuickTime's old codecs don't say it elsewhere.
_PACKETS = {b"ima4": (34, 64), b"MAC3": (2, 6), b"MAC6": (1, 6)}
_SETUP = {  # the longest set-up that the codec has a use for, in bytes
    b"alac": 52,
    b"dOps": 64,
    b"dfLa": 42,
    b"dac3": 3,
    b"dec3": 32,
    b"dac4": 64,
    b"ddts": 20,
    b"damr": 9,
    b"btrt": 12,
    b"frma": 4,
    b"enda": 2,
    b"mp4a": 4,
    b"pcmC": 6,
    b"srat": 8,
    b"SA3D": 12 + 4 * 64,
}
SOUNDS = frozenset(
    (
        *_PLAIN,
        *_PACKETS,
        *(b"mp4a", b"alac", b"Opus", b"fLaC", b"ac-3", b"ec-3", b"ac-4", b".mp3"),
        *(b"samr", b"sawb", b"lpcm", b"ipcm", b"fpcm", b"dtsc", b"dtsh", b"dtsl"),
        b"dtse",
    )
)
_ENTRY_FIELDS = 28
_QUICKTIME_FIELDS = {0: 0, 1: 16, 2: 36}


def scrub_sound(data: bytearray, entry: Box, *, quicktime: bool) -> set[Finding]:
    """Clean one description.

    Args:
        quicktime: whether later versions have more fields, as QuickTime has it.

    Raises:
        Rejected: it is broken, or longer than its coding has a use for.
    """
    if entry.end - entry.start < _ENTRY_FIELDS:
        raise unreadable("the description of the sound is cut off")
    blank(data, entry.start, entry.start + 6)
    version = int.from_bytes(data[entry.start + 8 : entry.start + 10], "big")
    blank(data, entry.start + 10, entry.start + 16)  # revision and vendor
    fields = _ENTRY_FIELDS
    fields += _QUICKTIME_FIELDS.get(version, 0) if quicktime else 0
    return _scrub_setup(data, Box(entry.kind, entry.start + fields, entry.end))


def _scrub_setup(data: bytearray, parent: Box) -> set[Finding]:
    findings: set[Finding] = set()
    for box in boxes_in(data, parent.start, parent.end):
        if box.kind == b"esds":
            findings |= scrub_stream(data, box, visual=False)
        elif box.kind == b"wave" and parent.kind != b"wave":
            findings |= _scrub_setup(data, box)
        elif box.kind == b"chan":
            end = box.start + 16 + 20 * number(data, box.start + 12, box.end)
            findings |= {Finding.PADDING} if blank(data, end, box.end) else set()
        elif box.kind in _SETUP:
            _check_length(box)
        elif box.kind != bytes(4) or box.end > box.start:  # else the end of a list
            free(data, box)
            findings.add(Finding.APPLICATION_DATA)
        if box.kind == b"damr":
            blank(data, box.start, box.start + 4)  # vendor
    return findings


def _check_length(box: Box) -> None:
    if box.end - box.start > _SETUP[box.kind]:
        raise unreadable("the set-up of the sound's coding is too long")


def packing(movie: bytearray, tables: Box) -> tuple[int, int] | None:
    """Return how many bytes hold how many samples of old QuickTime sound.

    There a sample is one value of each channel, however it is packed, and `stsz` says
    nothing of use. None for every other track.
    """
    described, times = find(movie, tables, b"stsd"), find(movie, tables, b"stts")
    if described is None or times is None:
        return None
    once = movie[times.start + 4 : times.start + 8] == b"\0\0\0\1"
    if not once or movie[times.start + 12 : times.start + 16] != b"\0\0\0\1":
        return None
    entry = next(boxes_in(movie, described.start + 8, described.end), None)
    if entry is None or entry.kind not in SOUNDS:
        return None
    return _packed(entry.kind, bytes(movie[entry.start : entry.end]))


def _packed(coding: bytes, entry: bytes) -> tuple[int, int] | None:
    version, channels, bits = struct.unpack_from(">8xH6xHH", entry)
    if coding in _PACKETS:
        size, samples = _PACKETS[coding]
        return size * channels, samples
    if version == 1 and len(entry) >= 44:
        samples, _, size = struct.unpack_from(">III", entry, 28)
        if samples > 1:
            return size, samples
    if version == 2 and len(entry) >= 64:
        size, samples = struct.unpack_from(">II", entry, 56)
        return (size, samples) if size and samples else None
    if coding not in _PLAIN:
        return None
    return channels * (_PLAIN[coding] or max(1, bits // 8)), 1
