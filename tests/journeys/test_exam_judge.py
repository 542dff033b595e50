"""The exam's judge sees what was planted, and only that."""

import zlib
from io import BytesIO

import pytest
from PIL import Image

from infra.samples import audio, images
from infra.samples.bitmaps import Dib, bmp
from tests.exam.hostile.case import MARKER
from tests.exam.hostile.jpeg import profile
from tests.exam.hostile.write import FAMILIES
from tests.exam.judge.core import Judgement, judge
from tests.exam.limits import Limits
from tests.exam.rows import Expected, Row
from tests.exam.sample import saved

_PICTURE = images.gradient((64, 48))
_TURNED = _PICTURE.transpose(Image.Transpose.ROTATE_180)
_TEXT = b"Jane Roe of Clapham Road 12"
_MARKED = ("jpeg", "png", "gif", "webp", "tiff", "bmp", "heic", "avif", "jp2", "sound")


def judged(original: bytes, result: bytes) -> Judgement:
    """Return what the judge says of a result."""
    return judge(BytesIO(original), BytesIO(result), [MARKER.decode()])


@pytest.mark.parametrize("family", _MARKED)
def test_every_marker_that_is_left_is_seen(family: str) -> None:
    marked = [case for case in FAMILIES[family]() if MARKER in case.data]

    unseen = [each.name for each in marked if not judged(each.data, each.data).survived]

    assert marked
    assert unseen == []


@pytest.mark.parametrize("family", _MARKED)
def test_what_nobody_looks_for_is_found_by_the_structure_alone(family: str) -> None:
    marked = [case for case in FAMILIES[family]() if MARKER in case.data]

    unseen = [each.name for each in marked if not judged(each.data, each.data).leaks]

    assert set(unseen) <= _DECODED


# Parts of what decoders read: whether they are needed, only a decoder could tell.
_DECODED = {
    *(f"icc.{kind}" for kind in ("gif", "tif", "heic", "avif")),
    *(f"unused_palette.{kind}" for kind in ("png", "gif", "bmp")),
    *("icc_copyright.jpg", "icc_name.png", "under_alpha.webp", "more_rows.tif"),
    *("before_end.jpg", "before_restart.jpg", "unused_codes.jpg"),
    *("lossy_slack.webp", "lossless_slack.webp", "unused_alpha.png"),
}


def _film(*frames: Image.Image, kind: str = "GIF", **options: object) -> bytes:
    first, *rest = frames
    return saved(first, kind, save_all=True, append_images=rest, **options)


def _faded() -> Image.Image:
    image = _PICTURE.copy()
    image.putalpha(Image.linear_gradient("L").resize(image.size))
    return image


def _deep() -> Image.Image:
    return _PICTURE.convert("L").convert("I").point(lambda value: value * 256)


@pytest.mark.parametrize(
    ("name", "original", "result"),
    [
        (
            "size",
            saved(_PICTURE, "PNG"),
            saved(_PICTURE.rotate(90, expand=True), "PNG"),
        ),
        ("colours", saved(_PICTURE, "PNG"), saved(_TURNED, "PNG")),
        ("alpha", saved(_faded(), "PNG"), saved(_faded().convert("RGB"), "PNG")),
        ("bitdepth", saved(_deep().convert("I;16"), "PNG"), saved(_PICTURE, "PNG")),
        ("frames", _film(_PICTURE, _TURNED), saved(_PICTURE, "GIF")),
        (
            "durations",
            _film(_PICTURE, _TURNED, duration=100),
            _film(_PICTURE, _TURNED, duration=300),
        ),
        ("loop", _film(_PICTURE, _TURNED, loop=0), _film(_PICTURE, _TURNED)),
        ("unreadable", saved(_PICTURE, "PNG"), saved(_PICTURE, "PNG")[:90]),
        ("durations", audio.wav(1.0), audio.wav(0.5)),
    ],
)
def test_a_changed_look_is_named(name: str, original: bytes, result: bytes) -> None:
    judgement = judged(original, result)

    assert judgement.fidelity is not None
    assert name in judgement.fidelity.changed


def test_a_profile_that_was_dropped_changes_the_colours() -> None:
    swapped = _swapped_channels()
    original = saved(_PICTURE, "PNG", icc_profile=swapped)

    judgement = judged(original, saved(_PICTURE, "PNG"))

    assert judgement.fidelity is not None
    assert judgement.fidelity.changed == ["colours"]


def _swapped_channels() -> bytes:
    """Return a profile that takes red for blue."""
    made = bytearray(profile())
    red, blue = made.index(b"rXYZ"), made.index(b"bXYZ")
    made[red : red + 4], made[blue : blue + 4] = b"bXYZ", b"rXYZ"
    return bytes(made)


@pytest.mark.parametrize("turn", range(1, 9))
def test_a_picture_that_was_turned_as_it_said_is_the_same(turn: int) -> None:
    original = saved(_PICTURE, "PNG", exif=_orientation(turn))
    upright = _PICTURE if turn == 1 else _PICTURE.transpose(_TURNS[turn])

    judgement = judged(original, saved(upright, "PNG"))

    assert judgement.fidelity is not None
    assert judgement.fidelity.exact
    assert judgement.fidelity.changed == []
    assert not judgement.leaky


_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def _orientation(turn: int) -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = turn
    return exif


def test_texts_of_the_original_are_found_in_another_format_and_compressed() -> None:
    original = saved(_PICTURE, "JPEG", comment=_TEXT)
    packed = saved(_PICTURE, "PNG")
    told = images.chunk(b"zTXt", b"a\0\0" + zlib.compress(_TEXT))

    judgement = judged(original, packed[:33] + told + packed[33:])

    assert judgement.survived == ["text Jane Roe of Clapham Road 12"]


@pytest.mark.parametrize(
    ("held", "behind"),
    [
        pytest.param(zlib.compress(_TEXT * 4), zlib.compress(_TEXT * 4), id="deflated"),
        pytest.param(_TEXT.decode().encode("utf-16-le"), _TEXT, id="wide"),
    ],
)
def test_a_text_that_pixels_hold_too_has_not_survived_from_what_follows_them(
    held: bytes, behind: bytes
) -> None:
    pixels = held.ljust(16 * 16, b"\0")
    picture = saved(Image.frombytes("L", (16, 16), pixels), "TIFF")

    judgement = judged(picture + behind, picture)

    assert held in picture
    assert judgement.survived == []


def test_a_jpeg_behind_one_that_ends_before_its_picture_is_the_picture() -> None:
    comment = b"\xff\xfe" + (2 + len(_TEXT)).to_bytes(2, "big") + _TEXT
    picture = saved(_PICTURE, "JPEG")

    judgement = judged(b"\xff\xd8" + comment + b"\xff\xd9" + picture, picture)

    assert judgement.survived == []
    assert judgement.leaks == []


def test_pixels_of_run_lengths_have_not_survived_from_a_gap_that_repeats_them() -> None:
    rows = [_TEXT[:20], _TEXT[5:25]]  # of nibbles that are written out
    code = b"".join(b"\0" + bytes((40,)) + row + b"\0\0" for row in rows) + b"\0\1"
    colours = bytes(range(64))
    coded = Dib(40, rows, 4, colours, compression=2, pixels=code)
    plain = Dib(40, rows, 4, colours)

    judgement = judged(bmp(coded, gap=plain.body()), bmp(plain))

    assert _TEXT[:20] in plain.body()
    assert judgement.survived == []


def _row(**fields: object) -> Row:
    return Row.model_validate({"file": "a", "verdict": "clean", **fields})


@pytest.mark.parametrize(
    "row",
    [
        pytest.param(
            _row(judgement=Judgement(format="x", survived=["canary a"])), id="canary"
        ),
        pytest.param(_row(verdict=None, reason="core_crashed"), id="crash"),
        pytest.param(_row(seconds=10.5), id="slow"),
        pytest.param(_row(peak_mb=1_100), id="large"),
        pytest.param(_row(unjudged="cpu_limit"), id="unjudged"),
        pytest.param(
            _row(expected=Expected(family="x", verdicts=["held"])), id="expectation"
        ),
    ],
)
def test_strict_limits_are_missed_by_a_single_file(row: Row) -> None:
    missed = Limits(strict=True).missed([_row(), row])

    assert missed
