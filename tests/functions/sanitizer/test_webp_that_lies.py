"""WebP whose chunks lie about their lengths, their number or their alpha."""

import struct
import tracemalloc
from collections.abc import Callable
from io import BytesIO

import pytest
from PIL import Image

from functions.sanitizer.core import Limits, sanitize
from infra.samples.images import MARKER, gradient
from schemas.policies import Policy
from tests.functions.sanitizer.judged import cleaned, difference, judged, opened

_SIZE = (64, 48)


def _chunk(kind: bytes, payload: bytes) -> bytes:
    return kind + struct.pack("<I", len(payload)) + payload + bytes(len(payload) & 1)


def _riff(*chunks: bytes) -> bytes:
    joined = b"WEBP" + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(joined)) + joined


def _extended(flags: int) -> bytes:
    sides = b"".join((side - 1).to_bytes(3, "little") for side in _SIZE)
    return _chunk(b"VP8X", bytes([flags, 0, 0, 0]) + sides)


def _coded(kind: bytes) -> bytes:
    image = gradient(_SIZE)
    image.putalpha(Image.linear_gradient("L").resize(_SIZE))
    stream = BytesIO()
    image.save(stream, "WEBP", quality=80, exact=True)
    data = stream.getvalue()
    at = data.index(kind)
    (size,) = struct.unpack_from("<I", data, at + 4)
    return data[at + 8 : at + 8 + size]


_PICTURE, _PLANE = _coded(b"VP8 "), _coded(b"ALPH")


# Made when they are wanted: together they are 200 MB.
@pytest.mark.parametrize(
    "made",
    [
        lambda: _riff(_chunk(b"VP8 ", _PICTURE + bytes(64 << 20))),
        lambda: _riff(
            _extended(0x10),
            _chunk(b"ALPH", _PLANE + bytes(64 << 20)),
            _chunk(b"VP8 ", _PICTURE),
        ),
        lambda: _riff(_chunk(b"VP8 ", _PICTURE), _chunk(b"JUNK", bytes(64 << 20))),
    ],
    ids=["picture", "alpha", "unknown"],
)
def test_bytes_that_no_picture_can_need_are_never_copied(
    made: Callable[[], bytes],
) -> None:
    source = made()
    tracemalloc.start()

    output = cleaned(source)

    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # The harness itself holds one copy of the source and looks at it once.
    assert peak < len(source) + (40 << 20)
    assert len(output) < 4096


def test_millions_of_empty_chunks_are_refused() -> None:
    source = _riff(_extended(0), _chunk(b"ABCD", b"") * 200_000)

    result, _ = judged(source)

    assert result.reason == "unreadable_image"


def test_a_plane_that_the_header_does_not_announce_makes_nothing_transparent() -> None:
    plane = _chunk(b"ALPH", _PLANE)
    source = _riff(_extended(0), plane, _chunk(b"VP8 ", _PICTURE))

    output = cleaned(source)

    assert difference(opened(source), opened(output)) == 0
    assert _PLANE not in output


def test_what_hides_between_the_chunks_of_a_frame_is_gone() -> None:
    place = bytes(6) + b"".join((side - 1).to_bytes(3, "little") for side in _SIZE)
    hidden = _chunk(b"ABCD", MARKER)
    frame = _chunk(
        b"ANMF", place + b"\x64\0\0\0" + _chunk(b"VP8 ", _PICTURE) + hidden + b"abc"
    )
    source = _riff(_extended(2), _chunk(b"ANIM", bytes(6)), frame, frame)

    output = cleaned(source)

    assert MARKER not in output


def test_what_hides_behind_the_first_partition_is_gone_under_lossless_as_well() -> None:
    tag = int.from_bytes(_PICTURE[:3], "little")
    end = 10 + (tag >> 5)
    longer = (tag + (len(MARKER) << 5)).to_bytes(3, "little")
    hiding = longer + _PICTURE[3:end] + MARKER + _PICTURE[end:]
    output = BytesIO()

    result = sanitize(
        BytesIO(_riff(_chunk(b"VP8 ", hiding))),
        output,
        Policy(images="lossless"),
        Limits(),
    )

    assert result.verdict == "clean"
    assert MARKER not in output.getvalue()
