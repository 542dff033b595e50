"""What a file is, by its first bytes: never by its name or what was declared."""

from dataclasses import dataclass
from enum import StrEnum

from functions.sanitizer.plausible import plausible

# Enough for a compatible-brands list, a DICOM preamble and the prolog of an SVG, in
# which a licence may stand.
HEAD_BYTES = 1 << 16
OCTETS = "application/octet-stream"


class Kind(StrEnum):
    """Which way a file goes."""

    IMAGE = "image"
    AUDIO = "audio"
    OTHER = "other"


@dataclass(frozen=True)
class Format:
    """What the bytes say that a file is."""

    media_type: str

    @property
    def kind(self) -> Kind:
        """The way it goes: rebuilt, stripped, or by policy."""
        if self.media_type == "application/dicom":
            return Kind.IMAGE
        family = self.media_type.partition("/")[0]
        return Kind(family) if family in ("image", "audio") else Kind.OTHER


# (offset, signature, media type); the first that fits wins.
_SIGNATURES: tuple[tuple[int, bytes, str], ...] = (
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"GIF87a", "image/gif"),
    (0, b"GIF89a", "image/gif"),
    (0, b"II*\0\x10\0\0\0CR", "image/x-canon-cr2"),
    (0, b"II\x1a\0\0\0HEAPCCDR", "image/x-canon-crw"),
    (0, b"II*\0", "image/tiff"),
    (0, b"MM\0*", "image/tiff"),
    (0, b"II+\0", "image/tiff"),
    (0, b"MM\0+", "image/tiff"),
    (0, b"IIRO", "image/x-olympus-orf"),
    (0, b"IIRS", "image/x-olympus-orf"),
    (0, b"MMOR", "image/x-olympus-orf"),
    (0, b"IIU\0", "image/x-panasonic-rw2"),
    (0, b"FUJIFILMCCD-RAW", "image/x-fuji-raf"),
    (0, b"\0MRM", "image/x-minolta-mrw"),
    (0, b"FOVb", "image/x-sigma-x3f"),
    (0, b"8BPS\0", "image/vnd.adobe.photoshop"),
    (0, b"\0\0\0\x0cjP  \r\n\x87\n", "image/jp2"),
    (0, b"\xff\x4f\xff\x51", "image/jp2"),
    (0, b"\0\0\0\x0cJXL \r\n\x87\n", "image/jxl"),
    (0, b"\xff\x0a", "image/jxl"),
    (0, b"\x8aMNG\r\n\x1a\n", "image/x-mng"),
    (0, b"\x8bJNG\r\n\x1a\n", "image/x-jng"),
    (0, b"qoif", "image/qoi"),
    (0, b"BPG\xfb", "image/bpg"),
    (0, b"FLIF", "image/flif"),
    (0, b"\x76\x2f\x31\x01", "image/x-exr"),
    (0, b"#?RADIANCE\n", "image/vnd.radiance"),
    (0, b"#?RGBE\n", "image/vnd.radiance"),
    (0, b"DDS \x7c\0\0\0", "image/vnd.ms-dds"),
    (0, b"gimp xcf", "image/x-xcf"),
    (0, b"icns", "image/x-icns"),
    (0, b"\xb1\x68\xde\x3a", "image/x-dcx"),
    (0, b"id=ImageMagick", "image/x-miff"),
    (0, b"SIMPLE  =                    T", "image/fits"),
    (0, b"\xc5\xd0\xd3\xc6", "image/x-eps"),
    (0, b"Paint Shop Pro Image File\n\x1a", "image/x-psp"),
    (0, b"\x59\xa6\x6a\x95", "image/x-sun-raster"),
    (0, b"SDPX", "image/x-dpx"),
    (0, b"XPDS", "image/x-dpx"),
    (0, b"\x80\x2a\x5f\xd7", "image/x-cineon"),
    (0, b"II\xbc\x01", "image/jxr"),
    (0, b"\x97JB2\r\n\x1a\n", "image/x-jbig2"),
    (0, b"\xabKTX ", "image/ktx"),
    (0, b"\x13\xab\xa1\x5c", "image/astc"),
    (0, b"farbfeld", "image/x-farbfeld"),
    (30, b"mimetypeimage/openraster", "image/openraster"),
    (30, b"mimetypeapplication/x-krita", "image/x-krita"),
    (0, b"\xd7\xcd\xc6\x9a", "image/wmf"),
    (0, b"AT&TFORM", "image/vnd.djvu"),
    (40, b" EMF", "image/emf"),
    (128, b"DICM", "application/dicom"),
    (0, b"fLaC", "audio/flac"),
    (0, b"OggS", "audio/ogg"),
    (0, b"ID3", "audio/mpeg"),
    (0, b"RF64", "audio/wav"),
    (0, b"BW64", "audio/wav"),
    (0, b"wvpk", "audio/x-wavpack"),
    (0, b"MAC ", "audio/x-ape"),
    (0, b"MPCK", "audio/x-musepack"),
    (0, b"MP+", "audio/x-musepack"),
    (0, b"TTA1", "audio/x-tta"),
    (0, b"tBaK", "audio/x-tak"),
    (0, b"DSD \x1c\0\0\0", "audio/x-dsf"),
    (0, b"caff\0\x01", "audio/x-caf"),
    (0, b"#!AMR", "audio/amr"),
    (0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "audio/x-ms-wma"),
)
_RIFF = {b"WEBP": "image/webp", b"WAVE": "audio/wav", b"ACON": "image/x-ani"}
_IFF = {b"AIFF": "audio/aiff", b"AIFC": "audio/aiff", b"ILBM": "image/x-ilbm"}
# Brands of ISO base media files: https://mp4ra.org/registered-types/brands
_HEIF_BRANDS = frozenset(
    b"mif1 mif2 msf1 miaf heic heix heim heis hevc hevx hevm hevs avci avcs vvic vvis"
    b" evbi evbs j2ki j2is jpeg jpgs unif".split()
)
_AVIF_BRANDS = frozenset((b"avif", b"avis"))
_AUDIO_BRANDS = frozenset((b"M4A ", b"M4B ", b"M4P ", b"F4A ", b"F4B "))
_QUICKTIME = (b"mdat", b"wide", b"free", b"skip", b"pnot", b"PICT")
_FOLLOWING = (b"moov", b"uuid", *_QUICKTIME)
_QUICKTIME_TABLES = (b"mvhd", b"cmov", b"trak", b"udta", b"prfl", b"iods", b"rmra")


def sniff(head: bytes) -> Format:
    """Say what a file is.

    Args:
        head: its first HEAD_BYTES, or all of it.
    """
    for offset, signature, media_type in _SIGNATURES:
        if head.startswith(signature, offset):
            return Format(media_type)
    found = _container(head) or plausible(head)
    if found is None and _is_quicktime(head):
        return Format("video/quicktime")
    return Format(found or OCTETS)


def _container(head: bytes) -> str | None:
    if head.startswith(b"RIFF"):
        return _RIFF.get(head[8:12])
    if head.startswith(b"FORM"):
        return _IFF.get(head[8:12])
    if head[4:8] == b"ftyp":
        return _of_brands(head)
    return None


def _of_brands(head: bytes) -> str:
    end = min(int.from_bytes(head[:4], "big"), len(head))
    brands = [head[8:12], *(head[at : at + 4] for at in range(16, end - 3, 4))]
    if brands[0] == b"crx ":
        return "image/x-canon-cr3"
    if _AVIF_BRANDS.intersection(brands):
        return "image/avif"
    if _HEIF_BRANDS.intersection(brands):
        return "image/heif"
    if brands[0] in _AUDIO_BRANDS:
        return "audio/mp4"
    if brands[0] == b"qt  ":
        return "video/quicktime"
    mobile = brands[0][:3] in (b"3gp", b"3g2", b"3gr", b"3gs", b"3ge", b"3gg")
    return "video/3gpp" if mobile else "video/mp4"


def _is_quicktime(head: bytes) -> bool:
    """Whether it starts with two boxes of QuickTime, from before there were brands."""
    size = int.from_bytes(head[:4], "big")
    if head[4:8] == b"moov":
        return size >= 16 and head[12:16] in _QUICKTIME_TABLES
    if head[4:8] not in _QUICKTIME:
        return False
    following = head[size + 4 : size + 8] if size > 1 else b""
    return size in (0, 1) or (size >= 8 and following in (b"", *_FOLLOWING))
