"""What a file is, by its first bytes: a clean object's type is only what was said."""

from enum import StrEnum

HEAD_BYTES = 128

_ASF = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
_IMAGE_BRANDS = frozenset(
    b"avif avis mif1 mif2 msf1 miaf heic heix heim heis hevc hevx hevm hevs".split()
)
_BMP_HEADERS = [size.to_bytes(4, "little") for size in (12, 40, 52, 56, 64, 108, 124)]
# QuickTime's files before there was `ftyp`.
_OLD_MOVIES = (b"moov", b"mdat", b"wide", b"pnot")


class Kind(StrEnum):
    """What can be described."""

    JPEG = "jpeg"
    PNG = "png"
    GIF = "gif"
    WEBP = "webp"
    TIFF = "tiff"
    BMP = "bmp"
    ICO = "ico"
    HEIF = "heif"
    JPEG_2000 = "jpeg 2000"
    JPEG_XL = "jpeg xl"
    WAV = "wav"
    AIFF = "aiff"
    APE = "ape"
    FLAC = "flac"
    OGG = "ogg"
    WAVPACK = "wavpack"
    MP4 = "mp4"
    OLD_MOVIE = "quicktime"
    ASF = "asf"
    TAGGED = "tagged"  # ID3v2 first: what it is stands behind it
    MPEG = "mpeg"
    ADTS = "adts"

    @property
    def family(self) -> str:
        """`image` or `audio`."""
        return "image" if self in _IMAGES else "audio"

    @property
    def weak(self) -> bool:
        """Whether its few magic bits are found at the start of other files too."""
        return self in (Kind.MPEG, Kind.ADTS, Kind.OLD_MOVIE)


_IMAGES = frozenset(
    (
        Kind.JPEG,
        Kind.PNG,
        Kind.GIF,
        Kind.WEBP,
        Kind.TIFF,
        Kind.BMP,
        Kind.ICO,
        Kind.HEIF,
        Kind.JPEG_2000,
        Kind.JPEG_XL,
    )
)
_STARTS = (
    (b"\xff\xd8\xff", Kind.JPEG),
    (b"\x89PNG\r\n\x1a\n", Kind.PNG),
    (b"GIF87a", Kind.GIF),
    (b"GIF89a", Kind.GIF),
    (b"II*\0", Kind.TIFF),
    (b"MM\0*", Kind.TIFF),
    (b"II+\0", Kind.TIFF),
    (b"MM\0+", Kind.TIFF),
    (b"\0\0\0\x0cjP  \r\n\x87\n", Kind.JPEG_2000),
    (b"\xff\x4f\xff\x51", Kind.JPEG_2000),
    (b"\0\0\0\x0cJXL \r\n\x87\n", Kind.JPEG_XL),
    (b"\xff\x0a", Kind.JPEG_XL),
    (b"fLaC", Kind.FLAC),
    (b"OggS\0", Kind.OGG),
    (b"RF64", Kind.WAV),
    (b"BW64", Kind.WAV),
    (b"wvpk", Kind.WAVPACK),
    (b"MAC ", Kind.APE),
    (_ASF, Kind.ASF),
)
_FORMS = {
    b"WAVE": Kind.WAV,
    b"WEBP": Kind.WEBP,
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
    return _container(head) or _plausible(head)


def _container(head: bytes) -> Kind | None:
    if head[:4] in (b"RIFF", b"FORM"):
        return _FORMS.get(head[8:12])
    if head[4:8] == b"ftyp":
        return _of_brands(head)
    return Kind.OLD_MOVIE if head[4:8] in _OLD_MOVIES else None


def _plausible(head: bytes) -> Kind | None:
    """Formats whose first bytes alone would also fit anything else."""
    if head[:2] == b"BM" and head[14:18] in _BMP_HEADERS:
        return Kind.BMP
    if head[:3] == b"ID3" and head[3:4] in (b"\2", b"\3", b"\4"):
        return Kind.TAGGED
    return Kind.ICO if _is_icon(head) else _elementary(head)


def _of_brands(head: bytes) -> Kind:
    end = min(int.from_bytes(head[:4], "big"), len(head))
    brands = {head[8:12], *(head[at : at + 4] for at in range(16, end - 3, 4))}
    return Kind.HEIF if _IMAGE_BRANDS & brands else Kind.MP4


def _is_icon(head: bytes) -> bool:
    """Icons and cursors: a list whose first picture starts behind it."""
    if head[:4] not in (b"\0\0\1\0", b"\0\0\2\0") or len(head) < 22:
        return False
    count, first = (
        int.from_bytes(head[4:6], "little"),
        int.from_bytes(head[18:22], "little"),
    )
    return count > 0 and head[9] == 0 and first >= 6 + 16 * count


def _elementary(head: bytes) -> Kind | None:
    if len(head) < 4 or head[0] != 0xFF:
        return None
    if head[1] & 0xF6 == 0xF0:
        return Kind.ADTS
    reserved = head[1] >> 3 & 3 == 1 or head[1] >> 1 & 3 == 0
    free_or_bad = head[2] >> 4 in (0, 15) or head[2] >> 2 & 3 == 3
    sync = head[1] >= 0xE0 and not reserved and not free_or_bad
    return Kind.MPEG if sync else None
