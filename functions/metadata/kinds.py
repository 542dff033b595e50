"""What a file is, by its first bytes: a clean object's type is only what was said."""

from enum import StrEnum

HEAD_BYTES = 64

_IMAGE_STARTS = (
    b"\xff\xd8\xff",
    b"\x89PNG\r\n\x1a\n",
    b"GIF87a",
    b"GIF89a",
    b"II*\0",
    b"MM\0*",
)
_IMAGE_BRANDS = (b"avif", b"avis", b"heic", b"heix", b"heim", b"heis", b"mif1", b"msf1")
_BMP_HEADERS = [size.to_bytes(4, "little") for size in (12, 40, 52, 56, 64, 108, 124)]
_ASF = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")


class Kind(StrEnum):
    """What can be described."""

    IMAGE = "image"
    WAV = "wav"
    AIFF = "aiff"
    FLAC = "flac"
    OGG = "ogg"
    MP4 = "mp4"
    ASF = "asf"
    TAGGED = "tagged"  # ID3v2 first: MPEG audio or FLAC behind it
    MPEG = "mpeg"
    ADTS = "adts"

    @property
    def family(self) -> str:
        """`image` or `audio`."""
        return "image" if self is Kind.IMAGE else "audio"

    @property
    def weak(self) -> bool:
        """Whether its few magic bits are found at the start of other files too."""
        return self in (Kind.MPEG, Kind.ADTS)


_STARTS = (
    *((start, Kind.IMAGE) for start in _IMAGE_STARTS),
    (b"fLaC", Kind.FLAC),
    (b"OggS\0", Kind.OGG),
    (_ASF, Kind.ASF),
)
_FORMS = {
    b"WAVE": Kind.WAV,
    b"WEBP": Kind.IMAGE,
    b"AIFF": Kind.AIFF,
    b"AIFC": Kind.AIFF,
}


def kind_of(head: bytes) -> Kind | None:
    """Say what a file is; None for everything that is not described.

    Args:
        head: its first HEAD_BYTES, or all of it.
    """
    for start, kind in _STARTS:
        if head.startswith(start):
            return kind
    if head[:4] in (b"RIFF", b"FORM"):
        return _FORMS.get(head[8:12])
    if head[4:8] == b"ftyp":
        return Kind.IMAGE if head[8:12] in _IMAGE_BRANDS else Kind.MP4
    if head[:2] == b"BM" and head[14:18] in _BMP_HEADERS:
        return Kind.IMAGE
    if head[:3] == b"ID3" and head[3:4] in (b"\2", b"\3", b"\4"):
        return Kind.TAGGED
    return _elementary(head)


def _elementary(head: bytes) -> Kind | None:
    if len(head) < 4 or head[0] != 0xFF:
        return None
    if head[1] & 0xF6 == 0xF0:
        return Kind.ADTS
    reserved = head[1] >> 3 & 3 == 1 or head[1] >> 1 & 3 == 0
    free_or_bad = head[2] >> 4 in (0, 15) or head[2] >> 2 & 3 == 3
    sync = head[1] >= 0xE0 and not reserved and not free_or_bad
    return Kind.MPEG if sync else None
