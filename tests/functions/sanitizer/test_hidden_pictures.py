"""Pictures in files that are none are found; files about pictures are no pictures."""

import base64
import gzip
import json
import random
import struct
import zipfile
import zlib
from email.message import EmailMessage
from io import BytesIO

import pytest
from PIL import Image

from functions.sanitizer.hidden import carries_image
from infra.samples import images

_PHOTO = images.photo()
_NOISE = random.Random(7).randbytes(1 << 20)
_TEXT = "/9j/ iVBORw0KGgo R0lGODlh UklGR are how base64 of images begins: /9j/4AAQ."


def _saved(kind: str, **options: object) -> bytes:
    stream = BytesIO()
    images.gradient().save(stream, kind, **options)
    return stream.getvalue()


_PICTURES = {
    "jpeg": _saved("JPEG"),
    "photo": _PHOTO,
    "png": _saved("PNG"),
    "gif": _saved("GIF"),
    "bmp": _saved("BMP"),
    "webp": _saved("WEBP"),
    "lossless webp": _saved("WEBP", lossless=True),
    "tiff": _saved("TIFF"),
    "avif": _saved("AVIF"),
    "jp2": _saved("JPEG2000"),
    "codestream": _saved("JPEG2000", no_jp2=True),
    "psd": b"8BPS\0\1" + bytes(6) + struct.pack(">HIIHH", 3, 8, 8, 8, 3) + bytes(99),
    "jxl": b"\0\0\0\x0cJXL \r\n\x87\n\0\0\0\x14ftypjxl \0\0\0\0jxl ",
    "cr3": b"\0\0\0\x18ftypcrx \0\0\0\1crx isom",
    "raf": b"FUJIFILMCCD-RAW 0201FF383501",
    "mrw": b"\0MRM\0\1\x11\x22\0PRD\0\0\0\x18",
    "x3f": b"FOVb\0\0\2\0",
    "crw": b"II\x1a\0\0\0HEAPCCDR",
    "dicom": bytes(128) + b"DICM\2\0\0\0UL\4\0",
    "xmp": b"<x:xmpmeta x:xmptk='a' xmlns:x='adobe:ns:meta/'>\n<rdf:RDF>",
    "segment of xmp": b"http://ns.adobe.com/xap/1.0/\0<?xpacket",
    "longer xmp": b"http://ns.adobe.com/xmp/extension/\0" + b"0A" * 16,
    "exif": b"Exif\0\0MM\0*\0\0\0\x08",
}
_IN_BASE64 = ("jpeg", "photo", "png", "gif", "webp", "tiff", "avif")


def _held(data: bytes) -> bool:
    return carries_image(BytesIO(data))


@pytest.mark.parametrize("name", _PICTURES)
def test_a_picture_in_noise_is_found(name: str) -> None:
    assert _held(_NOISE[:4099] + _PICTURES[name] + _NOISE[:4099])


@pytest.mark.parametrize("name", ["jpeg", "png"])
def test_a_picture_whose_first_bytes_are_gone_is_found(name: str) -> None:
    assert _held(b"\0\0" + _PICTURES[name][2:])


@pytest.mark.parametrize(
    ("name", "brand", "other"),
    [
        ("avif", b"ftypavif\0\0\0\0avifmif1miaf", b"ftypisom\0\0\0\0isomiso2mp41"),
        ("webp", b"WEBP", b"WAVE"),
        ("lossless webp", b"WEBP", b"AVI "),
    ],
)
def test_a_picture_that_says_it_is_another_kind_of_file_is_found(
    name: str, brand: bytes, other: bytes
) -> None:
    picture = _PICTURES[name]

    disguised = picture.replace(brand, other, 1)

    assert disguised != picture
    assert _held(disguised)


@pytest.mark.parametrize("shift", range(0, 72, 8))
def test_a_picture_over_the_edge_of_a_block_is_found(shift: int) -> None:
    assert _held(bytes((1 << 18) - shift) + _PICTURES["png"])


@pytest.mark.parametrize("name", _IN_BASE64)
def test_a_picture_in_a_mail_is_found(name: str) -> None:
    mail = EmailMessage()
    mail.set_content("As promised.")
    mail.add_attachment(_PICTURES[name], maintype="image", subtype="x")

    assert _held(bytes(mail))


@pytest.mark.parametrize("name", _IN_BASE64)
@pytest.mark.parametrize("before", [b"", bytes(100_000)])
def test_a_picture_in_base64_in_json_is_found(name: str, before: bytes) -> None:
    coded = base64.b64encode(_PICTURES[name]).decode()
    document = json.dumps({"image": coded}).replace("/", "\\/")

    assert _held(before + document.encode())


def test_a_picture_in_an_address_is_found() -> None:
    coded = base64.urlsafe_b64encode(_PICTURES["jpeg"])

    assert _held(b"<img src='data:image/jpeg;base64," + coded + b"'>")


def test_a_picture_that_an_archive_stores_is_found_and_a_deflated_one_is_not() -> None:
    found = {}
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        stream = BytesIO()
        with zipfile.ZipFile(stream, "w", method) as archive:
            archive.writestr("word/media/image1.jpeg", _PICTURES["jpeg"])
        found[method] = _held(stream.getvalue())

    assert found == {zipfile.ZIP_STORED: True, zipfile.ZIP_DEFLATED: False}


def _elf() -> bytes:
    """What a library that reads pictures holds: signatures as constants."""
    constants = (
        b"\x89PNG\r\n\x1a\n\0",
        b"IHDR\0IDAT\0",
        b"\xff\xd8\xff\xe0\0\x10JFIF\0\1\1\0\0\1\0\1\0\0",
        b"Exif\0\0\0",
        b"GIF87a\0GIF89a\0",
        b"II*\0MM\0*II+\0MM\0+",
        b"http://ns.adobe.com/xap/1.0/\0",
        b"adobe:ns:meta/\0",
        b"RIFF\0WEBP\0VP8 \0VP8L\0VP8X\0",
        b"FUJIFILMCCD-RAW\0FOVb\0IIRO\0MMOR\0",
        b"ftyp\0heic\0mif1\0avif\0",
        b"8BPS\0BM\0DICM\0",
    )
    return b"\x7fELF\2\1\1" + bytes(9) + b"\0\0".join(constants) + _NOISE[:5000]


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(_NOISE, id="noise"),
        pytest.param(bytes(1 << 20), id="zeros"),
        pytest.param(b"\xff" * (1 << 20), id="ones"),
        pytest.param(gzip.compress(_PHOTO), id="gzip"),
        pytest.param(base64.encodebytes(_NOISE), id="base64 of noise"),
        pytest.param(base64.b64encode(gzip.compress(_NOISE)), id="base64 of gzip"),
        pytest.param(_elf(), id="library"),
        pytest.param(_TEXT.encode() * 99, id="text about base64"),
        pytest.param(b"<x:xmpmeta> and adobe:ns:meta/ are XMP" * 99, id="about XMP"),
        pytest.param(b'"/9j/4AAQSkZJRgABAQ"', id="start of a picture"),
        pytest.param(b"%PDF-1.7\nstream\n" + zlib.compress(_TEXT.encode()), id="pdf"),
        pytest.param(_saved("JPEG")[:8], id="less than a picture"),
        pytest.param(b"RIFF\x24\0\0\0WAVEfmt " + _NOISE[:4000], id="wave"),
        pytest.param(
            base64.b64encode(b"RIFF\x24\0\0\0WAVE" + bytes(99)), id="wave too"
        ),
    ],
)
def test_what_is_no_picture_passes(data: bytes) -> None:
    assert not _held(data)


def test_what_always_looks_like_a_picture_is_held_at_last() -> None:
    start = b"II*\0\xff\xff\xff\0"

    assert [_held(start * count) for count in (1_000, 11_000)] == [False, True]


def test_pixels_alone_are_no_picture() -> None:
    assert not _held(Image.effect_noise((512, 512), 60).tobytes())
