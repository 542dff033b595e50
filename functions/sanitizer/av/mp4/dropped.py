"""What a box was that does not stay: a kind of finding, never a value."""

from functions.sanitizer.findings import Finding

_DROPPED = {
    b"udta": Finding.AUDIO_TAGS,
    b"meta": Finding.AUDIO_TAGS,
    b"ilst": Finding.AUDIO_TAGS,
    b"emsg": Finding.AUDIO_TAGS,
    b"prft": Finding.TIMESTAMP,
    b"PICT": Finding.THUMBNAIL,
    b"XMP_": Finding.XMP,
}
_SIGNS = (
    (b"covr", Finding.COVER_PICTURE),
    (b"\xa9xyz", Finding.GPS_POSITION),
    (b"loci", Finding.GPS_POSITION),
    (b"ISO6709", Finding.GPS_POSITION),
    (b"GPSCoordinates", Finding.GPS_POSITION),
    (b"chpl", Finding.TEXT),
    (b"<x:xmpmeta", Finding.XMP),
    (b"serialNo", Finding.CAMERA_SERIAL),
    (b"creationdate", Finding.TIMESTAMP),
    (b"\xa9day", Finding.TIMESTAMP),
)
_SPACE = (b"free", b"skip", b"wide")
# Structure that players do without, written by every second program: nothing to tell.
_IDLE = (
    *(b"iods", b"tref", b"sgpd", b"sbgp", b"load", b"elng", b"subs", b"leva", b"trep"),
    *(b"styp", b"sidx", b"ssix", b"mfra", b"pnot", b"saiz", b"saio", b"stdp", b"padb"),
)


def dropped(
    kind: bytes, content: bytes, *, otherwise: Finding = Finding.APPLICATION_DATA
) -> set[Finding]:
    """Name what a box was that is not on the list.

    Args:
        otherwise: what it was if nothing is known of its kind.
    """
    if kind in _SPACE:
        return {Finding.PADDING} if content.count(0) < len(content) else set()
    if kind in _IDLE:
        return set()
    signs = {found for sign, found in _SIGNS if sign == kind or sign in content}
    return signs | {_DROPPED.get(kind, otherwise)}
