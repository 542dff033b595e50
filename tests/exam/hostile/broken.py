"""Files that break off, are something else, or two things at once."""

from collections.abc import Iterator
from random import Random

from infra.samples import audio, images
from tests.exam.hostile.boxes import box
from tests.exam.hostile.case import ANY_SAFE, MARKER, REFUSED, Case
from tests.exam.hostile.jpeg import plain as jpeg
from tests.exam.hostile.moving import _saved as saved
from tests.exam.hostile.sound import SOUND, _wave, id3v2

_OTHER = (*REFUSED, "passed")
_HEADS = {
    "jpg": b"\xff\xd8\xff\xe0\0\x10JFIF\0",
    "png": b"\x89PNG\r\n\x1a\n",
    "gif": b"GIF89a",
    "webp": b"RIFF\xff\xff\0\0WEBPVP8 ",
    "tif": b"II*\0\x08\0\0\0",
    "bmp": b"BM\0\0\1\0\0\0\0\0\x36\0\0\0\x28\0\0\0",
    "heic": b"\0\0\0\x18ftypheic\0\0\0\0mif1heic",
    "avif": b"\0\0\0\x18ftypavif\0\0\0\0mif1avif",
    "flac": b"fLaC",
    "mp3": b"ID3\3\0\0",
    "m4a": b"\0\0\0\x18ftypM4A \0\0\0\0isomM4A ",
}
_NOT_IMAGES = {
    "text": b"Nothing to see here, says " + MARKER,
    "svg": b'<svg xmlns="http://www.w3.org/2000/svg"><!--' + MARKER + b"--></svg>",
    "zip": b"PK\3\4" + MARKER,
    "pdf": b"%PDF-1.7\n%" + MARKER,
    "html": b"<html><body>" + MARKER + b"</body></html>",
    "elf": b"\x7fELF" + MARKER,
    "empty": b"",
    "zeros": bytes(512),
    "one_byte": b"\xff",
}


def pictures() -> dict[str, bytes]:
    """Return a small picture of each format that every version reads."""
    image = images.gradient((96, 64))
    return {
        "jpg": jpeg(),
        "png": saved(image, "PNG"),  # large enough that a tenth is more than its end
        "gif": saved(image.quantize(32), "GIF"),
        "webp": saved(image, "WEBP"),
        "tif": saved(image, "TIFF"),
        "bmp": saved(image, "BMP"),
    }


def truncated() -> Iterator[Case]:
    """Yield files that break off; what little is missing at the end may not matter."""
    for suffix, data in pictures().items():
        for percent in (10, 50, 90):
            cut = data[: len(data) * percent // 100]
            yield Case(f"{percent}.{suffix}", cut, REFUSED, marked=False)
        yield Case(f"minus_1.{suffix}", data[:-1], ANY_SAFE, marked=False)
    for suffix, data in (("wav", audio.wav(0.3)), ("flac", audio.flac(0.3))):
        for percent in (10, 50, 90):
            yield Case(f"{percent}.{suffix}", data[: len(data) * percent // 100], SOUND)


def impostors() -> Iterator[Case]:
    """Yield what is no image, or not the one that its name says."""
    for name, data in _NOT_IMAGES.items():
        for suffix in ("jpg", "png"):
            yield Case(f"{name}_as.{suffix}", data, _OTHER)
    noise = Random(1).randbytes(4096)
    for suffix, head in _HEADS.items():
        allowed = _OTHER if suffix in ("flac", "mp3", "m4a") else REFUSED
        yield Case(f"random.{suffix}", head + noise, allowed)
        yield Case(f"only_head.{suffix}", head, allowed)
    names = list(pictures())
    for number, data in enumerate(pictures().values()):
        other = names[(number + 1) % len(names)]
        yield Case(f"{names[number]}_as.{other}", data, ANY_SAFE)


def polyglots() -> Iterator[Case]:
    """Yield files that are two things, or hold a picture where none belongs."""
    picture = jpeg(comment=MARKER)
    script = b"=1;/*" + MARKER + b"*/"
    pdf = b"%PDF-1.4\n1 0 obj<</" + MARKER + b">>endobj\n%%EOF"
    first = pictures()
    for suffix, data in first.items():
        yield Case(f"zip.{suffix}", data + b"PK\3\4" + MARKER + b"PK\5\6" + bytes(18))
        yield Case(f"pdf.{suffix}", data + pdf)
        yield Case(f"script.{suffix}", data + script)
        yield Case(f"behind_{suffix}.jpg", data + picture)
    yield Case("behind_junk.jpg", bytes(512) + picture, REFUSED)
    yield Case("behind_text.bin", MARKER * 40 + picture, REFUSED)
    yield Case("behind_pdf.pdf", pdf + picture, REFUSED)
    yield Case("in_archive.zip", b"PK\3\4" + bytes(26) + picture, REFUSED)
    yield Case("exif_alone.bin", bytes(64) + picture[2:4] + b"Exif\0\0II*\0", REFUSED)
    brands = b"mp42" + bytes(4) + b"mp42isom"
    film = box(b"ftyp", brands) + box(b"mdat", picture)
    yield Case("in_film.mp4", film, ANY_SAFE)
    yield Case("in_film_free.mp4", box(b"ftyp", brands) + box(b"free", picture))
    layout = b"\1\0\1\0\x40\x1f\0\0\x80\x3e\0\0\2\0\x10\0"
    head = b"fmt \x10\0\0\0" + layout
    extra = b"JUNK" + len(picture).to_bytes(4, "little") + picture
    padded = extra + b"\0" * (len(extra) % 2)
    yield Case("in_wave.wav", _wave(head + padded + b"data\4\0\0\0" + bytes(4)), SOUND)
    yield Case("in_tag.mp3", id3v2(b"PRIV\0\0\x10\0\0\0" + picture) + bytes(99), SOUND)

    even = b"\0" * (len(picture) % 2)
    heard = b"data" + len(picture).to_bytes(4, "little") + picture + even
    yield Case("in_samples.wav", _wave(head + heard), REFUSED)
