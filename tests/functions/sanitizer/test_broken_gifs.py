"""Of a GIF that breaks off or goes wrong, what viewers show comes out clean."""

import struct
from io import BytesIO

import pytest
from PIL import Image

from functions.metadata.core import describe
from functions.sanitizer.core import Limits, Sanitized, sanitize
from functions.sanitizer.findings import Finding
from functions.sanitizer.verify.images import carriers
from infra.samples.images import MARKER, gradient
from schemas.policies import Policy
from tests.functions.sanitizer.judged import difference, frames

_SIDE = 24
_SOURCES = [gradient((_SIDE, _SIDE)).rotate(30 * n).quantize(16) for n in range(3)]
_HEAD = b"GIF89a" + struct.pack("<HHBBB", _SIDE, _SIDE, 0, 0, 0)
_BITS = 4


def _codes(image: Image.Image) -> bytes:
    coded: bytes = image.tobytes("gif", "P", _BITS, 0)
    return coded + b"\0"


def _picture(
    number: int,
    codes: bytes | None = None,
    size: tuple[int, int] = (_SIDE, _SIDE),
    bits: int = _BITS,
) -> bytes:
    """Return a frame, unlike the others, shown for a fifth of a second."""
    image = _SOURCES[number]
    colours = bytes(image.getpalette() or ()).ljust(48, b"\0")
    control = b"!\xf9\4" + struct.pack("<BHBB", 0, 20, 0, 0)
    place = b"," + struct.pack("<HHHHB", 0, 0, *size, 0x83)
    return control + place + colours + bytes([bits]) + (codes or _codes(image))


_TWO = _HEAD + _picture(0) + _picture(1)
_LAST = _picture(2)
_DESCRIPTOR = 8  # the control block's size
_CODES = _DESCRIPTOR + 10 + 48 + 1
_NONSENSE = b"\x09" + b"\xff" * 9 + b"\0"  # codes that nothing has defined

_BROKEN = {
    "cut in its codes": _LAST[:-40],
    "cut behind its code size": _LAST[:_CODES],
    "cut in its colours": _LAST[: _DESCRIPTOR + 30],
    "cut in its place": _LAST[: _DESCRIPTOR + 5],
    "cut in its timing": _LAST[:5],
    "too few codes": _picture(2, _codes(_SOURCES[2].crop((0, 0, _SIDE, 9)))) + b";",
    "no codes": _picture(2, b"\0") + b";",
    "broken codes": _picture(2, _NONSENSE) + b";",
    "codes of thirteen bits": _picture(2, bits=13) + b";",
    "no height": _picture(2, size=(_SIDE, 0)) + b";",
    "no width": _picture(2, size=(0, _SIDE)) + b";",
}
_FOLLOWED = {name: rest for name, rest in _BROKEN.items() if rest.endswith(b";")}


def _sanitized(data: bytes, images: str = "rebuild") -> tuple[Sanitized, bytes]:
    output = BytesIO()
    policy = Policy.model_validate({"images": images})
    result = sanitize(BytesIO(data), output, policy, Limits())
    assert result.verdict != "clean" or carriers(output, result.media_type) == []
    return result, output.getvalue()


@pytest.mark.parametrize("images", ["rebuild", "lossless"])
@pytest.mark.parametrize("name", _BROKEN)
def test_what_is_whole_before_a_broken_frame_stays(name: str, images: str) -> None:
    result, output = _sanitized(_TWO + _BROKEN[name], images)

    shown = zip(frames(_TWO + b";"), frames(output), strict=True)
    assert Finding.TRAILING_DATA in result.findings
    assert not any(difference(one, other) for (one, _), (other, _) in shown)


@pytest.mark.parametrize("name", _FOLLOWED)
def test_pillow_shows_as_many_frames_of_it(name: str) -> None:
    _, output = _sanitized(_TWO + _FOLLOWED[name])

    image = Image.open(BytesIO(_TWO + _FOLLOWED[name]))
    image.seek(1)
    image.load()
    image.seek(2)
    with pytest.raises((OSError, ValueError)):
        image.load()
    assert len(frames(output)) == 2


@pytest.mark.parametrize("name", _FOLLOWED)
def test_nothing_behind_a_broken_frame_is_carried_over(name: str) -> None:
    comment = b"!\xfe" + bytes([len(MARKER)]) + MARKER + b"\0"
    rest = _FOLLOWED[name][:-1] + _LAST + comment + b";"

    result, output = _sanitized(_TWO + rest)

    assert output == _sanitized(_TWO + b";")[1]
    assert set(result.findings) >= {Finding.TRAILING_DATA, Finding.COMMENT}


def test_a_later_frame_whose_pixels_are_all_there_stays() -> None:
    _, output = _sanitized(_TWO + _LAST[:-1])

    assert output == _sanitized(_TWO + _LAST + b";")[1]


@pytest.mark.parametrize("name", _BROKEN)
def test_a_file_whose_first_frame_is_broken_is_refused(name: str) -> None:
    result, output = _sanitized(_HEAD + _BROKEN[name])

    assert (result.reason, output) == ("unreadable_image", b"")


@pytest.mark.parametrize("images", ["rebuild", "lossless"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_still_that_breaks_off_is_refused(images: str, share: float) -> None:
    still = _HEAD + _picture(0)

    result, output = _sanitized(still[: int(len(still) * share)], images)

    assert (result.reason, output) == ("unreadable_image", b"")


def test_codes_stay_as_they_are_before_a_broken_frame() -> None:
    odd = b"".join(bytes([1, byte]) for byte in _codes(_SOURCES[0])[1:-1]) + b"\0"

    _, output = _sanitized(_HEAD + _picture(0, odd) + _BROKEN["no height"], "lossless")

    assert odd in output


_LARGE = _picture(2, size=(60_000, 60_000)) + b";"


def test_a_frame_that_is_too_large_is_refused() -> None:
    result, output = _sanitized(_TWO + _LARGE)

    assert (result.reason, output) == ("too_many_pixels", b"")


def test_what_looks_too_large_behind_a_broken_frame_goes_with_it() -> None:
    _, output = _sanitized(_TWO + _picture(2, _NONSENSE) + _LARGE)

    assert output == _sanitized(_TWO + b";")[1]


def test_only_the_frame_that_codes_too_much_is_coded_again() -> None:
    odd = b"".join(bytes([1, byte]) for byte in _codes(_SOURCES[0])[1:-1]) + b"\0"
    larger = _codes(_SOURCES[1].resize((_SIDE, _SIDE + 1)))
    source = _HEAD + _picture(0, odd) + _picture(1, larger) + _LAST + b";"

    _, output = _sanitized(source, "lossless")

    assert odd in output
    assert _codes(_SOURCES[2]) in output
    assert larger not in output
    assert len(frames(output)) == 3


@pytest.mark.parametrize("images", ["rebuild", "lossless"])
def test_more_codes_than_pixels_can_need_are_refused_undecoded(images: str) -> None:
    codes = (b"\xff" + bytes(255)) * 5 + b"\0"
    output = BytesIO()
    policy = Policy.model_validate({"images": images})
    limits = Limits(max_pixels=_SIDE * _SIDE)

    result = sanitize(BytesIO(_HEAD + _picture(0, codes)), output, policy, limits)

    assert result.reason == "too_many_pixels"


@pytest.mark.parametrize("name", ["cut in its codes", "no height", "no width"])
def test_frames_and_duration_are_those_of_the_clean_copy(name: str) -> None:
    source = _TWO + _BROKEN[name]
    _, output = _sanitized(source)

    described = [
        dict(describe(BytesIO(data), "image/gif")) for data in (source, output)
    ]

    assert described[0] == described[1]
    assert described[0]["frames"] == 2
