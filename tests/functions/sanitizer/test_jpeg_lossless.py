"""Policy lossless keeps a JPEG's code bit by bit, and nothing beside it."""

import hashlib
import re
from io import BytesIO

import pytest
from PIL import Image

from functions.sanitizer.core import Limits, Sanitized, sanitize
from functions.sanitizer.images.jpeg import rebuild as jpeg
from functions.sanitizer.images.jpeg import transcode as jpeg_transcode
from functions.sanitizer.verify.images import carriers
from infra.samples import images
from infra.samples.images import MARKER
from schemas.policies import Policy
from tests.functions.sanitizer.judged import cleaned, difference, opened

_CODINGS = {
    "grey": images.jpeg(images.gradient(mode="L")),
    "colours": images.jpeg(images.gradient((50, 51)), quality=90),
    "inks": images.jpeg(images.gradient(mode="CMYK")),
    "own codes": images.jpeg(images.gradient(), optimize=True),
    "restarts": images.jpeg(images.gradient(), restart_marker_blocks=2),
    "progressive": images.jpeg(images.gradient(), progressive=True),
}
_SCAN = re.compile(rb"(?s)\xff\xda..(.*?)(?=\xff[\xc4\xd9\xda\xdb])")
_PLAIN = _CODINGS["colours"]


def _judged(data: bytes) -> tuple[Sanitized, bytes]:
    output = BytesIO()
    result = sanitize(BytesIO(data), output, Policy(images="lossless"), Limits())
    return result, output.getvalue()


def _stripped(data: bytes) -> bytes:
    result, output = _judged(data)
    assert result.verdict == "clean", result
    assert carriers(BytesIO(output), "image/jpeg") == []
    return output


def _scans(data: bytes) -> list[str]:
    """Return a hash of each scan, header and code."""
    return [hashlib.sha256(scan).hexdigest() for scan in _SCAN.findall(data)]


@pytest.mark.parametrize("coding", _CODINGS)
def test_the_code_is_kept_bit_by_bit(coding: str) -> None:
    source = _CODINGS[coding]
    at = source.index(b"\xff\xdb")
    photo = source[:at] + images.segment(0xE1, b"Exif\0\0" + MARKER) + source[at:]

    output = _stripped(photo)

    assert _scans(output) == _scans(source) != []
    assert opened(output).tobytes() == opened(source).tobytes()


def test_tables_are_kept_bit_by_bit() -> None:
    output = _stripped(_PLAIN + MARKER)

    assert output == _PLAIN


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_orientation_stays_with_nothing_else(orientation: int) -> None:
    source = images.photo(orientation)

    output = _stripped(source)

    exif = {0x0112: orientation} if orientation > 1 else {}
    assert dict(opened(output).getexif()) == exif
    assert opened(output).tobytes() == opened(source).tobytes()
    assert MARKER not in output


def test_a_profile_is_the_one_that_rebuilding_leaves() -> None:
    source = images.jpeg(images.gradient(), icc_profile=images.profile())

    output = opened(_stripped(source))

    assert output.info["icc_profile"] == opened(cleaned(source)).info["icc_profile"]


def _behind(mark: bytes, planted: bytes, data: bytes = _PLAIN) -> bytes:
    """Plant something before the first *mark*."""
    at = data.index(mark)
    return data[:at] + planted + data[at:]


_CODES = b"\x13" + bytes(15) + b"\x1a" + (MARKER * 3)[:26]
_HIDDEN = {
    "comment": _behind(b"\xff\xdb", images.segment(0xFE, MARKER)),
    "between segments": _behind(b"\xff\xdb", MARKER),
    "before the scan": _behind(b"\xff\xda", MARKER),
    "unused quantisation": _behind(
        b"\xff\xc0", images.segment(0xDB, b"\3" + (MARKER * 6)[:64])
    ),
    "unused codes": _behind(b"\xff\xda", images.segment(0xC4, _CODES)),
    "replaced codes": _behind(
        b"\xff\xc4", images.segment(0xC4, b"\0" + bytes(15) + b"\x0c" + MARKER)
    ),
    "long Adobe": _behind(
        b"\xff\xdb", images.segment(0xEE, b"Adobe\0\x64\0\0\0\0\1" + MARKER)
    ),
    "JFXX": _behind(b"\xff\xdb", images.segment(0xE0, b"JFXX\0\x10" + MARKER)),
    "JFIF thumbnail": b"\xff\xd8"
    + images.segment(0xE0, b"JFIF\0\1\1\0\0\1\0\1\1\4" + MARKER)
    + _PLAIN[20:],
    "second picture": _PLAIN + images.jpeg(images.gradient(), comment=MARKER),
    "behind the scan": _PLAIN[:-2] + MARKER + _PLAIN[-2:],
    "behind the scan, as a segment": _PLAIN[:-2]
    + images.segment(0xE5, MARKER)
    + _PLAIN[-2:],
    "behind a stray restart": _PLAIN[:-2] + b"\xff\xd0" + MARKER + _PLAIN[-2:],
    "behind the last restart": _CODINGS["restarts"][:-2] + MARKER + b"\xff\xd9",
    "behind a progressive scan": _CODINGS["progressive"][:-2] + MARKER + b"\xff\xd9",
    "behind the end": _PLAIN + MARKER,
}


@pytest.mark.parametrize("lossless", [False, True])
@pytest.mark.parametrize("place", _HIDDEN)
def test_what_is_hidden_is_gone_and_the_picture_stays(
    place: str, lossless: bool
) -> None:
    source = _HIDDEN[place]
    assert MARKER in source

    output = _stripped(source) if lossless else cleaned(source)

    assert MARKER not in output
    assert opened(output).tobytes() == opened(source).tobytes()


@pytest.mark.parametrize("lossless", [False, True])
def test_what_is_hidden_before_a_restart_is_gone(lossless: bool) -> None:
    source = _behind(b"\xff\xd1", MARKER, _CODINGS["restarts"])

    output = _stripped(source) if lossless else cleaned(source)

    assert MARKER not in output
    assert difference(opened(output), opened(source)) < 0.5


def test_symbols_that_no_code_needs_are_gone() -> None:
    at = _PLAIN.index(b"\xff\xc4\0\xb5\x10") + 21
    codes = _PLAIN[at : at + 162]
    text = codes[:-12] + MARKER  # instead of the rarest
    source = _PLAIN[:at] + text + _PLAIN[at + 162 :]

    output = _stripped(source)

    assert MARKER not in output


@pytest.mark.usefixtures("without_transcoder")
@pytest.mark.parametrize("coding", _CODINGS)
def test_without_a_transcoder_it_comes_out_clean(coding: str) -> None:
    output = _stripped(_CODINGS[coding])

    assert opened(output).size == opened(_CODINGS[coding]).size


@pytest.fixture
def without_transcoder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jpeg_transcode, "turbojpeg", None)
    monkeypatch.setattr(jpeg, "AVAILABLE", False)


@pytest.mark.parametrize("coding", _CODINGS)
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_truncated_picture_is_refused(coding: str, share: float) -> None:
    whole = _CODINGS[coding]

    result, output = _judged(whole[: int(len(whole) * share)])

    assert (result.verdict, result.reason) == ("rejected", "unreadable_image")
    assert output == b""


_TURNED = _stripped(images.photo(6))
_EXIF_AT = _TURNED.index(b"Exif\0\0") - 4
_EXIF = _TURNED[_EXIF_AT : _EXIF_AT + 36]


@pytest.mark.parametrize(
    "exif",
    [
        pytest.param(_EXIF[:27] + b"\0\1" + _EXIF[29:], id="upright"),
        pytest.param(_EXIF[:27] + b"\0\x09" + _EXIF[29:], id="unknown"),
        pytest.param(_EXIF[:-1] + b"!", id="next directory"),
        pytest.param(_EXIF * 2, id="twice"),
        pytest.param(images.segment(0xE1, _EXIF[4:] + MARKER), id="longer"),
        pytest.param(images.segment(0xE1, b"Exif\0\0" + MARKER), id="other"),
    ],
)
def test_the_reader_finds_more_than_an_orientation(exif: bytes) -> None:
    planted = _TURNED[:_EXIF_AT] + exif + _TURNED[_EXIF_AT + 36 :]

    assert carriers(BytesIO(_TURNED), "image/jpeg") == []
    assert carriers(BytesIO(planted), "image/jpeg")


@pytest.mark.parametrize(
    "planted",
    [
        pytest.param(_behind(b"\xff\xda", images.segment(0xC4, _CODES)), id="codes"),
        pytest.param(_behind(b"\xff\xc0", _PLAIN[20:89]), id="table twice"),
        pytest.param(_behind(b"\xff\xd9", b"\xff"), id="fill"),
        pytest.param(_behind(b"\xff\xd9", b"\xff\xd0" + MARKER), id="stray restart"),
        pytest.param(_behind(b"\xff\xda", images.segment(0xE2, b"x")), id="late"),
        pytest.param(_behind(b"\xff\xdb", _PLAIN[2:20]), id="header twice"),
        pytest.param(_PLAIN.replace(b"\0\x3f\0", b"\0\x3e\0"), id="scan header"),
        pytest.param(_PLAIN.replace(b"\3\x11\1", b"\3\x11\2"), id="table missing"),
        pytest.param(_PLAIN.replace(b"JFIF\0\1\1", b"JFIF\0x!"), id="version"),
    ],
)
def test_the_reader_finds_what_is_planted(planted: bytes) -> None:
    assert planted != _PLAIN
    assert carriers(BytesIO(_PLAIN), "image/jpeg") == []
    assert carriers(BytesIO(planted), "image/jpeg")


def test_a_stripped_picture_is_stripped_to_itself() -> None:
    assert _stripped(_TURNED) == _TURNED


def test_density_stays() -> None:
    source = images.jpeg(images.gradient(), dpi=(300, 300))

    assert Image.open(BytesIO(_stripped(source))).info["dpi"] == (300, 300)
