"""The last frame of a FLAC file ends where its own bits say, whatever follows."""

import io

import pytest

from functions.sanitizer.av.flac.last import frame_bytes
from functions.sanitizer.av.strip import strip
from functions.sanitizer.findings import Finding
from infra.samples import audio

_MONO, _RIGHT_AND_SIDE = 0x08, 0x98  # 16 bits
# Four samples each: zero, kind, wasted bits, then what the kind needs.
_CONSTANT = "0 000000 0" + "1" * 16
_VERBATIM = "0 000001 0" + "1" * 64
_WASTED = "0 000001 1 001" + "1" * 4 * 13
_RICE = "0 001001 0" + "1" * 16 + "00 0000 0010" + "00111" * 3
_TWO_PARTS = "0 001000 0" + "00 0001 0000" + "0101" + "0001" + "101" * 2
_ESCAPED = "0 001000 0" + "01 0000 11111 00011" + "101" * 4
_LPC = "0 100001 0" + "1" * 32 + "0010 00001" + "111" * 2 + "00 0000 0000" + "11"
_SIDE = "0 000000 0" + "1" * 17


def _frame(bits: str, pairing: int) -> bytes:
    bits = bits.replace(" ", "")
    body = [int(bits[at : at + 8].ljust(8, "0"), 2) for at in range(0, len(bits), 8)]
    return bytes((0xFF, 0xF8, 0, pairing, *body)) + b"\xff\xff"


@pytest.mark.parametrize(
    ("bits", "pairing"),
    [
        pytest.param(_CONSTANT, _MONO, id="constant"),
        pytest.param(_VERBATIM, _MONO, id="verbatim"),
        pytest.param(_WASTED, _MONO, id="wasted bits"),
        pytest.param(_RICE, _MONO, id="rice"),
        pytest.param(_TWO_PARTS, _MONO, id="two parts"),
        pytest.param(_ESCAPED, _MONO, id="escaped"),
        pytest.param(_LPC, _MONO, id="linear prediction"),
        pytest.param(_SIDE + _CONSTANT, _RIGHT_AND_SIDE, id="side first"),
    ],
)
def test_a_frame_ends_with_its_last_subframe(bits: str, pairing: int) -> None:
    frame = _frame(bits, pairing)

    sizes = [frame_bytes(frame + tail, 4, 4, 16) for tail in (b"", b"\xff" * 99)]

    assert sizes == [len(frame)] * 2
    assert [frame_bytes(frame[:cut], 4, 4, 16) for cut in (-1, 5, 4, 0)] == [None] * 4


@pytest.mark.parametrize("tail", [b"by Anna", bytes(99) + b"Anna", b"Anna" * 50_000])
def test_what_stands_behind_the_last_frame_goes_and_the_frame_stays(
    tail: bytes,
) -> None:
    data = audio.flac(seconds=0.3).removesuffix(audio.id3v1())
    clean, spoiled = io.BytesIO(), io.BytesIO()
    strip(io.BytesIO(data), clean, "audio/flac")

    findings = strip(io.BytesIO(data + tail), spoiled, "audio/flac")

    assert spoiled.getvalue() == clean.getvalue()
    assert Finding.TRAILING_DATA in findings
