"""The exam's good sample: small files of every format, each with a lot to hide."""

from collections.abc import Callable
from functools import partial
from io import BytesIO

from PIL import Image

from infra.samples import audio, heif, images, sounds, video
from tests.exam.hostile.jpeg import exif, profile

_SECONDS = 0.3


def good() -> dict[str, bytes]:
    """Return files by name, all of which have to come out clean and faithful."""
    return {name: make() for name, make in _MAKERS.items()}


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    """Return *image* as a file."""
    stream = BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def _jpeg(mode: str, **options: object) -> Callable[[], bytes]:
    def make() -> bytes:
        picture = images.gradient((70, 50), mode)
        return saved(picture, "JPEG", quality=88, exif=_exif(), **options)

    return make


def _tiff(mode: str, **options: object) -> Callable[[], bytes]:
    def make() -> bytes:
        told = {"description": "by Jane Roe", "artist": "Jane Roe", **options}
        return saved(images.gradient((48, 32), mode), "TIFF", **told)

    return make


def _exif() -> bytes:
    return b"Exif\0\0" + exif()


def _deep(mode: str) -> Image.Image:
    """Return a picture of sixteen bits that eight would not do for."""
    picture = images.gradient((48, 32), "L").convert("I")
    return picture.point(lambda value: value * 251 + 17).convert(mode)


_MAKERS: dict[str, Callable[[], bytes]] = {
    **{f"photo_{turn}.jpg": partial(images.photo, turn) for turn in (1, 5, 6)},
    "grey.jpg": _jpeg("L"),
    "inks.jpg": _jpeg("CMYK"),
    "progressive.jpg": _jpeg("RGB", progressive=True, subsampling="4:2:0"),
    "full_chroma.jpg": _jpeg("RGB", subsampling="4:4:4", icc_profile=profile()),
    "alpha.png": images.png_with_everything,
    "turned.png": lambda: images.png_with_everything("RGB", 8),
    "grey_alpha.png": lambda: images.png_with_everything("LA"),
    "deep.png": lambda: saved(_deep("I;16"), "PNG", exif=_exif()),
    "bits.png": lambda: saved(images.gradient((50, 30), "1"), "PNG", exif=_exif()),
    "palette.png": lambda: saved(images.gradient().quantize(40), "PNG", exif=_exif()),
    "moving.png": images.animated_png,
    "moving.gif": images.animated_gif,
    "still.gif": lambda: saved(images.gradient().quantize(99), "GIF", comment=b"Jane"),
    "lossy.webp": images.webp,
    "turned.webp": lambda: images.webp(orientation=6),
    "lossless.webp": images.lossless_webp,
    "moving.webp": images.animated_webp,
    "moving_lossless.webp": lambda: images.animated_webp(lossless=True),
    "alpha.tif": _tiff("RGBA"),
    "inks.tif": _tiff("CMYK", compression="tiff_lzw"),
    "deep.tif": lambda: saved(_deep("I;16"), "TIFF", exif=_exif()),
    "pages.tif": _tiff("RGB", save_all=True, append_images=[images.gradient((30, 20))]),
    "old.bmp": lambda: saved(images.gradient((45, 30)), "BMP"),
    "palette.bmp": lambda: saved(images.gradient().quantize(9), "BMP"),
    "site.ico": lambda: saved(images.gradient((32, 32)), "ICO", sizes=[(16, 16)]),
    "phone.heic": heif.heic,
    "still.avif": heif.avif,
    "moving.avif": heif.animated_avif,
    "voice.aiff": lambda: sounds.aiff(_SECONDS),
    "long.wav": lambda: sounds.rf64(_SECONDS),
    "raw.aac": lambda: sounds.adts(_SECONDS),
    "packed.wv": lambda: sounds.wavpack(_SECONDS),
    "packed.ape": lambda: sounds.ape(_SECONDS),
    "speech.spx": lambda: sounds.ogg_speex(_SECONDS),
    "free.oga": lambda: sounds.ogg_flac(_SECONDS),
    "song.wma": lambda: sounds.wma(_SECONDS),
    "phone.mp4": lambda: video.film(video.pictures(), video.sound(), video.places()),
    "camera.mov": lambda: video.film(video.pictures(), brand=b"qt  "),
    "stream.mp4": video.fragmented,
    "voice.wav": lambda: audio.wav(_SECONDS),
    "song.flac": lambda: audio.flac(_SECONDS),
    "song.mp3": lambda: audio.mp3(_SECONDS),
    "song.ogg": lambda: audio.ogg_vorbis(_SECONDS),
    "song.opus": lambda: audio.ogg_opus(_SECONDS),
    "song.m4a": lambda: audio.m4a(_SECONDS),
}
