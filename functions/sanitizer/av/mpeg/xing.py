"""The first frame of many MP3 files: no sound, but an encoder's table of contents.

Sources: Xing's VBR header SDK; the LAME tag, revision 1; Fraunhofer's VBRI header.
"""

import re

from fastcrc import crc16

_SEEKS = 4
_FIELDS = (
    (1, 4),
    (2, 4),
    (_SEEKS, 100),
    (8, 4),
)  # flag, bytes: frames, bytes, seeks, quality
_LAME = 36  # bytes: encoder, gains, gaps, checksums
_NAME = 9
_ENCODER = re.compile(rb"(LAME|Lavf|Lavc|GOGO|L3\.9)")
_VERSION = re.compile(rb"[0-9. ]{0,5}[a-zA-Z ]?\0*")
_VBRI = 26


def without_slack(frame: bytes) -> bytes:
    """Return *frame* with zeros where an encoder's header has nothing to say.

    Behind the header, in the side information (nothing is to be heard), in a version
    that is none; and with even steps for seeks that go backwards. A frame that carries
    no such header is sound, and comes back as it is.
    """
    at, end = _header(frame)
    if not at:
        return frame
    start = 4 if frame[1] & 1 else 6  # behind the frame's own checksum
    clean = bytearray(frame[:start] + bytes(at - start) + frame[at:end])
    if clean[at : at + 4] != b"VBRI":
        _tidy(clean, at)
    return bytes(clean) + bytes(len(frame) - end)


def _tidy(frame: bytearray, at: int) -> None:
    """Mend what an Info or Xing header at *at* says wrongly."""
    old = bytes(frame)
    flags, place = frame[at + 7], at + 8
    for flag, size in _FIELDS:
        seeks = frame[place : place + size]
        if flags & flag & _SEEKS and seeks != bytes(sorted(seeks)):
            frame[place : place + size] = bytes(
                n * 255 // 99 for n in range(len(seeks))
            )
        place += size if flags & flag else 0
    if len(frame) < place + _LAME:
        return
    version = frame[place + 4 : place + _NAME]
    if not _VERSION.fullmatch(version):
        frame[place + 4 : place + _NAME] = bytes(len(version))
    if frame != old:  # the tag's last two bytes check all that is before them
        checked = bytes(frame[: place + _LAME - 2])
        frame[place + _LAME - 2 :] = crc16.arc(checked).to_bytes(2, "big")


def _header(frame: bytes) -> tuple[int, int]:
    """Return where an encoder's header starts and ends; zeros if there is none."""
    if frame[36:40] == b"VBRI" and len(frame) >= 36 + _VBRI:
        entries, _scale, size = (
            int.from_bytes(frame[at : at + 2], "big") for at in (54, 56, 58)
        )
        return 36, min(36 + _VBRI + entries * size, len(frame))
    at = _xing_at(frame)
    if frame[at : at + 4] not in (b"Xing", b"Info") or len(frame) < at + 8:
        return 0, 0
    flags = frame[at + 7]
    end = at + 8 + sum(size for flag, size in _FIELDS if flags & flag)
    end += _LAME if _ENCODER.match(frame, end) else 0
    return at, min(end, len(frame))


def _xing_at(frame: bytes) -> int:
    """Return where side information ends: it depends on version and channels."""
    mono, mpeg1 = frame[3] >> 6 == 3, frame[1] >> 3 & 3 == 3
    if mpeg1:
        return 4 + (17 if mono else 32)
    return 4 + (9 if mono else 17)
