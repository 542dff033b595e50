"""What the tags of a TIFF give away, by kind; and whether it is a camera's RAW."""

from collections.abc import Iterator

from functions.sanitizer.findings import Finding
from functions.sanitizer.images.exif import Metadata
from functions.sanitizer.images.tiff.reader import (
    COMPRESSION,
    EXIF_IFD,
    GPS_IFD,
    HEIGHT,
    JPEG_STREAM,
    OLD_SUBFILE,
    PHOTOMETRIC,
    SUB_IFDS,
    SUBFILE,
    WIDTH,
    Directory,
    Tiff,
)

_XMP, _PHOTOSHOP = 700, 34377
_MAX_BLOCK_BYTES = 1 << 20
_KINDS = {
    **dict.fromkeys((269, 270, 271, 272, 285, 305, 315, 316, 333, 33432), Finding.TEXT),
    **dict.fromkeys((306, 36867, 36868, 37521, 37522, 50971), Finding.TIMESTAMP),
    **dict.fromkeys((42033, 42037, 50735, 42016), Finding.CAMERA_SERIAL),
    **dict.fromkeys((37500, 50341), Finding.MAKER_NOTE),
    **dict.fromkeys((37510, 40092), Finding.COMMENT),
    EXIF_IFD: Finding.EXIF,
    GPS_IFD: Finding.GPS_POSITION,
    SUB_IFDS: Finding.THUMBNAIL,
    _XMP: Finding.XMP,
    33723: Finding.IPTC,
    _PHOTOSHOP: Finding.APPLICATION_DATA,
    37724: Finding.APPLICATION_DATA,  # Photoshop's layers
    52545: Finding.CONTENT_CREDENTIALS,  # C2PA
}
# Tags that describe samples, their place and colours: nothing to speak of.
_SILENT = frozenset(
    tag
    for first, last in (
        *((254, 259), (262, 266), (273, 274), (277, 284), (288, 293), (296, 297)),
        *((301, 301), (317, 328), (332, 332), (334, 334), (336, 336), (338, 347)),
        *((512, 521), (529, 532), (34675, 34675)),
    )
    for tag in range(first, last + 1)
)
# Raw data of cameras: of Sony, Samsung, Nikon, Kodak, Pentax, Panasonic, lossy DNG.
_RAW_COMPRESSIONS = (32767, 32769, 32770, 34713, 34316, 65000, 65535, 34892, 52546)
_RAW_PHOTOMETRIC = (32803, 34892)  # colour filter array, linear raw
_DNG_VERSION, _CFA_PATTERN, _SONY_RAW, _LEAF = 50706, 33422, 50740, 34310


def found(tiff: Tiff) -> Metadata:
    """Return the kinds of data that will be gone."""
    metadata = Metadata()
    for page in tiff.pages:
        for tag in page.entries.keys() - _SILENT:
            metadata.saw(_KINDS.get(tag, Finding.APPLICATION_DATA))
        if _XMP in page.entries:
            metadata.read_xmp(_block(page, _XMP))
        if _PHOTOSHOP in page.entries:
            metadata.read_photoshop(_block(page, _PHOTOSHOP))
    for directory in tiff.exif:
        metadata.saw(*(_KINDS[tag] for tag in directory.entries if tag in _KINDS))
    return metadata


def _block(page: Directory, tag: int) -> bytes:
    entry = page.entries[tag]
    return bytes(page.data[entry.at : entry.at + min(entry.size, _MAX_BLOCK_BYTES)])


def camera_raw(tiff: Tiff) -> str:
    """Say by what a file is a camera's RAW or has its picture elsewhere; else nothing.

    The small picture that such a file shows to those who cannot read it is not what
    was handed in.
    """
    return next(_signs(tiff), "")


def _signs(tiff: Tiff) -> Iterator[str]:
    if bytes(tiff.data[8:12]) in (b"IIII", b"MMMM"):
        yield "a RAW of Phase One"
    for page, below in zip(tiff.pages, tiff.below.values(), strict=True):
        for directory in (page, *below):
            yield from _raw_signs(directory)
        if any(_full(sub) and _area(sub) > _area(page) for sub in below):
            yield "its picture hangs below a smaller one"
    first = tiff.pages[0]
    if not {273, 324, JPEG_STREAM} & first.entries.keys():
        yield "no picture in its first directory"


def _raw_signs(directory: Directory) -> Iterator[str]:
    tags = directory.entries
    if any(tag in tags for tag in (_DNG_VERSION, _CFA_PATTERN, _SONY_RAW, _LEAF)):
        yield "a DNG, or RAW by its tags"
    if directory.number(PHOTOMETRIC, 0) in _RAW_PHOTOMETRIC:
        yield "samples of a camera's sensor"
    if directory.number(COMPRESSION, 1) in _RAW_COMPRESSIONS:
        yield "a camera's compression"


def _full(directory: Directory) -> bool:
    reduced = directory.number(SUBFILE, 0) & 1 or directory.number(OLD_SUBFILE, 1) == 2
    return not reduced


def _area(directory: Directory) -> int:
    return directory.number(WIDTH, 0) * directory.number(HEIGHT, 0)
