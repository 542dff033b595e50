"""A rebuilt JPEG has the coefficients that it had, wherever they can be kept."""

import importlib.util
import sys
from collections.abc import Callable
from io import BytesIO
from typing import Any

import pytest
import turbojpeg
from PIL import Image, ImageChops, ImageStat

from functions.sanitizer.images.jpeg import rebuild as jpeg
from functions.sanitizer.images.jpeg import transcode as jpeg_transcode
from infra.samples import images
from tests.functions.sanitizer.judged import cleaned, judged, opened

_BACK = {2: "HFLIP", 3: "ROT180", 4: "VFLIP", 5: "TRANSPOSE"} | {
    6: "ROT270",
    7: "TRANSVERSE",
    8: "ROT90",
}
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_CODINGS = {
    "grey": images.jpeg(images.gradient(mode="L")),
    "4:4:4": images.jpeg(images.gradient((50, 51)), subsampling=0),
    "4:2:2": images.jpeg(images.gradient((50, 51)), subsampling=1),
    "4:2:0": images.jpeg(images.gradient((50, 51)), subsampling=2),
    "CMYK": images.jpeg(images.gradient(mode="CMYK")),
    "RGB": images.jpeg(images.gradient(), keep_rgb=True),
    "progressive": images.jpeg(images.gradient(), progressive=True),
    "restarts": images.jpeg(images.gradient(), restart_marker_blocks=2),
    "own codes": images.jpeg(images.gradient(), optimize=True),
    "wide tables": images.jpeg(images.gradient(), qtables=[[300] * 64] * 2, quality=50),
}


def _compressed(samp: str = "Y420", **options: Any) -> bytes:
    image = images.gradient((50, 51))
    data: bytes = turbojpeg.compress(
        image.tobytes(),
        90,
        getattr(turbojpeg.SAMP, samp),
        width=50,
        height=51,
        pixelformat=turbojpeg.PF.RGB,
        **options,
    )
    return data


def _oriented(orientation: int, size: tuple[int, int]) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return images.jpeg(images.gradient(size), exif=exif, quality=60)


def _mean(one: Image.Image, other: Image.Image) -> float:
    difference = ImageChops.difference(one.convert("RGB"), other.convert("RGB"))
    return max(ImageStat.Stat(difference).mean)


@pytest.mark.parametrize("coding", _CODINGS)
def test_pixels_stay_exact(coding: str) -> None:
    source = opened(_CODINGS[coding])

    output = opened(cleaned(_CODINGS[coding]))

    assert (output.mode, output.tobytes()) == (source.mode, source.tobytes())


@pytest.mark.parametrize("options", [{}, {"arithmetic": True}])
@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("samp", ["Y440", "Y411", "Y441"])
def test_pixels_stay_exact_also_of_rare_codings(
    samp: str, progressive: bool, options: dict[str, bool]
) -> None:
    source = _compressed(samp, progressive=progressive, **options)

    output = opened(cleaned(source))

    assert output.tobytes() == opened(source).tobytes()


@pytest.mark.parametrize("orientation", _BACK)
def test_coefficients_stay_when_blocks_are_turned(orientation: int) -> None:
    source = _oriented(orientation, (96, 64))

    output = cleaned(source)

    back = turbojpeg.transform(output, op=getattr(turbojpeg.OP, _BACK[orientation]))
    assert opened(back).tobytes() == opened(source).tobytes()


@pytest.mark.parametrize("orientation", _BACK)
def test_edges_that_cut_blocks_stay_edges_when_turned(orientation: int) -> None:
    source = _oriented(orientation, (50, 51))

    output = opened(cleaned(source)).convert("RGB")

    expected = opened(source).transpose(_TURNS[orientation]).convert("RGB")
    for box in ((0, 0, 3, 50), (0, 0, 50, 3), (47, 0, 50, 50), (0, 47, 50, 50)):
        assert _mean(output.crop(box), expected.crop(box)) < 3


def test_blocks_beyond_the_edge_are_made_up_anew() -> None:
    def with_a_secret(colour: int) -> bytes:
        image = Image.radial_gradient("L").resize((32, 32))
        image.paste(colour, (24, 0, 32, 32))
        data = images.jpeg(image.convert("RGB"), quality=90)
        at = data.index(b"\xff\xc0") + 5
        return data[:at] + b"\0\x20\0\x11" + data[at + 4 :]  # 17 pixels wide

    assert with_a_secret(0) != with_a_secret(200)

    assert cleaned(with_a_secret(0)) == cleaned(with_a_secret(200))


def _without(data: bytes, segment: bytes) -> bytes:
    at = data.index(segment) - 4
    return data[:at] + data[at + 2 + int.from_bytes(data[at + 2 : at + 4], "big") :]


@pytest.mark.parametrize(
    "source",
    [
        pytest.param(_without(_CODINGS["CMYK"], b"Adobe"), id="inks"),
        pytest.param(_without(_CODINGS["RGB"], b"Adobe"), id="RGB by name"),
    ],
)
def test_colours_that_no_marker_explains_get_none(source: bytes) -> None:
    output = cleaned(source)

    assert b"Adobe" not in output
    assert b"JFIF" not in output
    assert opened(output).tobytes() == opened(source).tobytes()


def test_a_scan_that_stops_early_shows_the_same() -> None:
    whole = images.jpeg(images.gradient(), quality=90)
    source = whole[: -len(whole) // 4] + b"\xff\xd9"

    output = cleaned(source)

    assert _mean(opened(source), opened(output)) < 1


def test_a_progressive_picture_that_lacks_detail_is_as_smooth() -> None:
    whole = images.jpeg(images.gradient(), progressive=True, quality=90)
    scans = [at for at in range(len(whole)) if whole.startswith(b"\xff\xda", at)]
    source = whole[: scans[1]] + b"\xff\xd9"

    output = cleaned(source)

    assert _mean(opened(source), opened(output)) < 1


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
def test_a_progressive_picture_that_no_decoder_takes_is_refused(mode: str) -> None:
    whole = images.jpeg(images.gradient(mode=mode), progressive=True)
    at = whole.index(b"\xff\xda")
    band = at + 2 + int.from_bytes(whole[at + 2 : at + 4], "big") - 3
    source = whole[:band] + b"\0\x14\x33" + whole[band + 3 :]

    result, _ = judged(source)

    assert result.reason == "unreadable_image"


def test_coefficients_that_no_samples_make_show_the_same() -> None:
    whole = images.jpeg(images.gradient(), quality=90)
    at = whole.index(b"\xff\xc4\0\xb5\x10") + 21
    assert whole[at : at + 2] == b"\1\2"
    source = whole[:at] + b"\x0f" + whole[at + 1 :]  # one bit long becomes fifteen

    output = cleaned(source)

    assert _mean(opened(source), opened(output)) < 2


def test_a_jpeg_without_transform_comes_out_as_one_with() -> None:
    source = _compressed("Y444", lossless=True, colorspace=turbojpeg.CS.RGB)

    output = opened(cleaned(source))

    assert _mean(opened(source), output) < 0.6


def test_noise_that_is_turned_may_leave_its_progressive_form() -> None:
    noise = [Image.effect_noise((401, 399), 250) for _ in "RGB"]
    exif = Image.Exif()
    exif[0x0112] = 3
    plain = images.jpeg(Image.merge("RGB", noise), quality=90, exif=exif, subsampling=0)
    source = turbojpeg.transform(plain, progressive=True)

    output = opened(cleaned(source))

    assert "progressive" not in output.info
    assert _mean(opened(source).transpose(_TURNS[3]), output) < 2


@pytest.fixture
def without_transcoder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jpeg_transcode, "turbojpeg", None)
    monkeypatch.setattr(jpeg, "AVAILABLE", False)


@pytest.mark.usefixtures("without_transcoder")
@pytest.mark.parametrize("coding", [c for c in _CODINGS if c != "wide tables"])
def test_without_a_transcoder_coefficients_come_back(coding: str) -> None:
    source = opened(_CODINGS[coding])

    output = opened(cleaned(_CODINGS[coding]))

    assert output.mode == source.mode
    assert _mean(output, source) < 1


def test_a_python_without_the_transcoder_can_do_without(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "turbojpeg", None)
    spec = importlib.util.find_spec("functions.sanitizer.images.jpeg.transcode")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)

    spec.loader.exec_module(module)

    assert not module.AVAILABLE


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda: images.segment(0xFE, b"") * 30_000, id="segments"),
        pytest.param(
            lambda: images.segment(0xDB, (b"\0" + b"\1" * 64) * 1000) * 20, id="tables"
        ),
    ],
)
def test_more_than_any_picture_needs_is_refused(make: Callable[[], bytes]) -> None:
    plain = images.jpeg(images.gradient())
    at = plain.index(b"\xff\xda")

    result, _ = judged(plain[:at] + make() + plain[at:])

    assert result.reason == "unreadable_image"


@pytest.mark.parametrize("start", [b"\xff\xd9", b"\xff\xd8", b"\xff\xf1\0\2"])
def test_what_a_decoder_stops_at_is_refused(start: bytes) -> None:
    plain = images.jpeg(images.gradient())
    at = plain.index(b"\xff\xdb")

    result, _ = judged(plain[:at] + start + plain[at:])

    assert result.reason == "unreadable_image"


def test_tables_that_come_ahead_of_their_picture_are_used() -> None:
    plain = images.jpeg(images.gradient())
    at = plain.index(b"\xff\xc0")
    source = plain[:at] + b"\xff\xd9\xff\xd8" + plain[at:]

    output = cleaned(source)

    assert BytesIO(output).read() == cleaned(plain)
