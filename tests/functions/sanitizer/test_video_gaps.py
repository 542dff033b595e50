"""Where a film's or song's sound starts, and how loud it is."""

import pytest

from functions.sanitizer.findings import Finding
from infra.samples import video
from infra.samples.audio import MARKER
from infra.samples.video import box
from tests.functions.sanitizer.judged import cleaned, findings


def gapless(*values: tuple[bytes, bytes], more: bytes = b"") -> bytes:
    """Return tags with named values behind one that has to go."""
    named = [
        box(
            b"----",
            box(b"mean", 0, b"com.apple.iTunes"),
            box(b"name", 0, name),
            box(b"data", 1, 0, value),
        )
        for name, value in values
    ]
    title = box(b"\xa9nam", box(b"data", 1, 0, MARKER))
    handler = box(b"hdlr", 0, 0, b"mdirappl", bytes(9))
    return box(b"meta", 0, handler, box(b"ilst", title, *named, more))


GAPS = b" 00000000 00000840 000001CA 00000000003F31F6"


def test_where_sound_starts_and_how_loud_it_is_stays() -> None:
    norm = (b" 0000012D" * 10).ljust(90)
    tags = gapless(
        (b"iTunSMPB", GAPS + b" 00000000 00E16E02"),
        (b"iTunNORM", norm),
        (b"replaygain_track_gain", b"-7.03 dB"),
    )

    output = cleaned(video.film(video.sound(), tags=tags))

    assert GAPS + b" 00000000 00000000" in output
    assert norm in output
    assert b"-7.03 dB" in output
    assert MARKER not in output


def test_what_goes_from_beside_them_is_named() -> None:
    cover = box(b"covr", box(b"data", 14, 0, MARKER))
    tags = gapless((b"replaygain_track_gain", b"-7.03 dB"), more=cover)

    kinds = findings(video.film(video.sound(), tags=tags))

    assert kinds >= {Finding.AUDIO_TAGS, Finding.COVER_PICTURE, Finding.GPS_POSITION}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        (b"iTunSMPB", GAPS + b" Jane Roe"),
        (b"iTunNORM", b" Jane Roe"),
        (b"replaygain_track_gain", b"-7.03 Jane"),
        (b"who", b"-7.03 dB"),
    ],
)
def test_a_gain_that_is_none_goes(name: bytes, value: bytes) -> None:
    output = cleaned(video.film(video.sound(), tags=gapless((name, value))))

    assert name not in output
    assert value not in output
