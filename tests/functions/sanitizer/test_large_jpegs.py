"""What a JPEG may cost, and what is spared where it is large."""

from typing import Literal

import pytest
import turbojpeg
from PIL import Image

from functions.sanitizer.core import Limits
from functions.sanitizer.images.jpeg import rebuild as jpeg
from functions.sanitizer.images.jpeg import segments
from infra.samples import images
from tests.functions.sanitizer.judged import cleaned, difference, judged, opened

_SIZE = (64, 48)
_AREA = Limits(max_pixels=64 * 48)
_MODES: tuple[Literal["L", "RGB", "CMYK"], ...] = ("L", "RGB", "CMYK")


def _noise(**options: bool) -> bytes:
    bands = [Image.effect_noise(_SIZE, 250) for _ in "RGB"]
    plain = images.jpeg(Image.merge("RGB", bands), quality=95, subsampling=0)
    data: bytes = turbojpeg.transform(plain, **options)
    return data


def _turned(mode: str = "RGB", *, progressive: bool = False) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010F] = "maker"
    return images.jpeg(images.gradient(_SIZE, mode), exif=exif, progressive=progressive)


@pytest.mark.parametrize("mode", _MODES)
def test_a_progressive_picture_as_large_as_any_passes(mode: str) -> None:
    source = images.jpeg(
        images.gradient(_SIZE, mode), progressive=True, subsampling=0, quality=50
    )

    result, _ = judged(source, limits=_AREA)

    assert result.verdict == "clean", result


@pytest.mark.parametrize(("times", "reason"), [(1, None), (40, "too_many_scans")])
def test_scans_count_by_the_samples_they_go_over(
    times: int, reason: str | None
) -> None:
    whole = images.jpeg(images.gradient(_SIZE, "L"), progressive=True, quality=50)
    at = whole.rindex(b"\xff\xda")

    result, _ = judged(whole[:at] + whole[at:-2] * times + whole[-2:], limits=_AREA)

    assert result.reason == reason


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({}, None),
        ({"progressive": True}, "too_many_pixels"),
        ({"arithmetic": True}, "too_many_pixels"),
    ],
)
def test_codes_count_by_the_time_they_take(
    options: dict[str, bool], reason: str | None
) -> None:
    source = _noise(**options)

    result, _ = judged(source, limits=_AREA)

    assert result.reason == reason


@pytest.mark.parametrize("behind", [b"", b"behind the last scan"])
def test_very_much_progressive_code_becomes_one_scan_of_the_same_pixels(
    behind: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = _noise(progressive=True)
    monkeypatch.setattr(segments, "_MOST_STAGED_BYTES", 1000)

    output = cleaned(source[:-2] + behind + source[-2:])

    assert "progressive" not in opened(output).info
    assert opened(output).tobytes() == opened(source).tobytes()


def test_very_much_progressive_code_that_is_damaged_shows_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    whole = _noise(progressive=True)
    source = whole[:-90] + bytes(60) + whole[-30:]
    monkeypatch.setattr(segments, "_MOST_STAGED_BYTES", 1000)

    output = opened(cleaned(source))

    assert "progressive" not in output.info
    assert difference(output, opened(source)) < 2


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_a_picture_too_large_to_be_turned_keeps_its_orientation_and_nothing_else(
    mode: str, progressive: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = _turned(mode, progressive=progressive)
    monkeypatch.setattr(jpeg, "_MOST_TURNED_BYTES", 1000)

    output = opened(cleaned(source))

    assert dict(output.getexif()) == {0x0112: 6}
    assert output.tobytes() == opened(source).tobytes()


def test_a_picture_too_large_to_be_turned_is_turned_if_it_is_damaged(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    whole = _turned()
    source = whole[: -len(whole) // 8] + b"\xff\xd9"
    monkeypatch.setattr(jpeg, "_MOST_TURNED_BYTES", 1000)

    output = opened(cleaned(source))

    assert not dict(output.getexif())
    assert output.size == (_SIZE[1], _SIZE[0])
