"""What an image shows is the same before and after."""

from io import BytesIO
from typing import Any

import pytest
from PIL import Image, ImageCms, ImageOps

from infra.samples import images
from tests.functions.sanitizer.judged import cleaned, difference, findings
from tests.functions.sanitizer.judged import opened as decoded

_ORIENTATIONS = range(1, 9)


def _saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    stream = BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


@pytest.mark.parametrize("orientation", _ORIENTATIONS)
@pytest.mark.parametrize("size", [(96, 64), (70, 51)], ids=["whole blocks", "cut"])
def test_a_jpeg_stands_upright(orientation: int, size: tuple[int, int]) -> None:
    source = images.photo(orientation, size=size)

    output = decoded(cleaned(source))

    assert output.getexif() == {}
    assert difference(output, ImageOps.exif_transpose(decoded(source))) < 2


@pytest.mark.parametrize("orientation", _ORIENTATIONS)
@pytest.mark.parametrize("mode", ["RGBA", "P", "L", "1"])
def test_a_png_stands_upright(orientation: int, mode: str) -> None:
    source = images.png_with_everything(mode, orientation)

    output = decoded(cleaned(source))

    assert difference(output, ImageOps.exif_transpose(decoded(source))) == 0


@pytest.mark.parametrize("orientation", _ORIENTATIONS)
@pytest.mark.parametrize("lossless", [False, True])
def test_a_webp_stands_upright(orientation: int, lossless: bool) -> None:
    source = images.webp(lossless=lossless, orientation=orientation)

    output = decoded(cleaned(source))

    expected = ImageOps.exif_transpose(decoded(source))
    assert difference(output, expected) <= (0 if lossless else 2)


def test_a_webp_too_large_to_be_turned_says_how_it_is_to_be_seen() -> None:
    image = Image.new("L", (16_000, 1_700))
    exif = Image.Exif()
    exif[0x112], exif[0x13B] = 6, "Jane Doe"
    source = _saved(image, "WEBP", quality=1, method=0, exif=exif)

    output = Image.open(BytesIO(cleaned(source)))

    assert output.size == image.size
    assert dict(output.getexif()) == {0x112: 6}


def test_the_orientation_in_a_clean_copy_is_not_applied_again() -> None:
    once = cleaned(images.photo(6))

    assert decoded(cleaned(once)).size == decoded(once).size == (64, 96)


@pytest.mark.parametrize("subsampling", [0, 1, 2])
@pytest.mark.parametrize("quality", [35, 75, 95])
def test_a_jpeg_keeps_tables_and_subsampling(subsampling: int, quality: int) -> None:
    image = images.gradient()
    source = _saved(image, "JPEG", quality=quality, subsampling=subsampling)

    output = cleaned(source)

    before, after = decoded(source), decoded(output)
    assert after.quantization == before.quantization  # type: ignore[attr-defined] # JPEG
    assert after.layer == before.layer  # type: ignore[attr-defined] # JPEG
    assert difference(before, after) < 1


@pytest.mark.parametrize("mode", ["L", "CMYK"])
def test_a_jpeg_keeps_its_mode(mode: str) -> None:
    source = _saved(images.gradient(mode=mode), "JPEG", quality=90)

    output = decoded(cleaned(source))

    assert output.mode == mode
    assert difference(decoded(source).convert("RGB"), output.convert("RGB")) < 0.5


def test_a_jpeg_that_stores_rgb_still_does() -> None:
    source = _saved(images.gradient(), "JPEG", quality=90, keep_rgb=True)

    output = decoded(cleaned(source))

    assert output.info["adobe_transform"] == 0
    assert difference(decoded(source), output) < 0.5


def test_a_progressive_jpeg_stays_so() -> None:
    source = _saved(images.gradient(), "JPEG", progressive=True)

    assert "progressive" in decoded(cleaned(source)).info


def test_a_jpeg_keeps_its_pixel_density() -> None:
    source = _saved(images.gradient(), "JPEG", dpi=(300, 300))

    assert decoded(cleaned(source)).info["dpi"] == (300, 300)


@pytest.mark.parametrize("kind", ["PNG", "GIF"])
def test_a_palette_keeps_its_colours_and_its_transparency(kind: str) -> None:
    image = images.gradient().quantize(40)
    source = _saved(image, kind, transparency=7, optimize=False)

    output = decoded(cleaned(source))

    assert output.mode == "P"
    assert difference(decoded(source), output) == 0
    assert output.convert("RGBA").getchannel("A").getextrema() == (0, 255)


def test_a_lossless_webp_stays_exact_and_as_small() -> None:
    image = images.gradient()
    source = _saved(image, "WEBP", lossless=True)

    assert cleaned(source) == source


def test_a_lossy_webp_keeps_its_bitstream() -> None:
    source = _saved(images.gradient(), "WEBP", quality=60)

    assert cleaned(source) == source


def test_a_lossy_webp_keeps_its_alpha() -> None:
    image = images.gradient()
    image.putalpha(Image.radial_gradient("L").resize(image.size))
    source = _saved(image, "WEBP", quality=60)

    output = cleaned(source)

    assert difference(decoded(source), decoded(output)) == 0


def test_a_picture_under_the_transparency_of_a_lossy_webp_is_gone() -> None:
    image = Image.effect_noise((64, 64), 90).convert("RGB")
    alpha = Image.new("L", image.size, 0)
    alpha.paste(255, (0, 0, 16, 64))
    image.putalpha(alpha)
    source = _saved(image, "WEBP", quality=80, exact=True)

    output = decoded(cleaned(source))

    unseen = output.convert("RGB").crop((24, 0, 64, 64)).convert("L")
    assert "hidden_colours" in findings(source)
    assert max(unseen.histogram()) > 0.95 * 40 * 64
    assert difference(decoded(source), output) < 1


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_profile_keeps_its_effect(kind: str) -> None:
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    swapped = lab.replace(b"rXYZ", b"tmpX").replace(b"gXYZ", b"rXYZ")
    swapped = swapped.replace(b"tmpX", b"gXYZ")
    source = _saved(images.gradient(), kind, icc_profile=swapped)

    output = decoded(cleaned(source))

    screen = ImageCms.createProfile("sRGB")
    shown = [
        ImageCms.applyTransform(
            images.gradient(),
            ImageCms.buildTransform(BytesIO(profile), screen, "RGB", "RGB"),
        )
        for profile in (swapped, output.info["icc_profile"], lab)
    ]
    as_bytes = [image.tobytes() for image in shown if image]
    assert as_bytes[0] == as_bytes[1] != as_bytes[2]
