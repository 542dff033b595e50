"""Animations that bend the rules of their format look as they did to viewers."""

import struct
import zlib

import pytest

from infra.samples import images
from tests.functions.sanitizer.judged import cleaned, difference, frames, opened

_COLOURS = bytes((10, 20, 30, 200, 0, 0, 0, 200, 0, 0, 0, 200))
_OTHERS = bytes((90, 80, 70, 1, 2, 3, 4, 5, 6, 7, 8, 9))
# Clear, then the entry 1 four times, then the end; codes grow from three bits to four.
_FOUR_PIXELS = bytes((2, 3, 0x4C, 0x12, 0x05, 0))


def _gif(*blocks: bytes) -> bytes:
    screen = struct.pack("<HHBBB", 4, 4, 0x81, 0, 0)
    return b"GIF89a" + screen + _COLOURS + b"".join(blocks) + b";"


def _picture(place: int, colours: bytes = b"") -> bytes:
    flags = 0x81 if colours else 0
    where = struct.pack("<HHHHB", place, place, 2, 2, flags)
    return b"," + where + colours + _FOUR_PIXELS


def _control(disposal: int = 0, transparent: int | None = None) -> bytes:
    flags = disposal << 2 | (transparent is not None)
    return b"!\xf9\4" + struct.pack("<BHBB", flags, 5, transparent or 0, 0)


def _loop(count: int, name: bytes = b"NETSCAPE2.0") -> bytes:
    return b"!\xff\x0b" + name + struct.pack("<BBHB", 3, 1, count, 0)


def _changes(before: bytes, after: bytes) -> list[float]:
    return [
        difference(one, other)
        for (one, _), (other, _) in zip(frames(before), frames(after), strict=True)
    ]


def test_a_picture_with_colours_of_its_own_gives_way_to_the_same_background() -> None:
    source = _gif(
        _picture(0), _control(disposal=2), _picture(1, _OTHERS), _control(), _picture(0)
    )

    changes = _changes(source, cleaned(source))

    assert not any(changes)


def test_what_one_of_several_controls_made_transparent_stays_so() -> None:
    source = _gif(_control(transparent=1), _control(), _picture(0))

    changes = _changes(source, cleaned(source))

    assert not any(changes)


def test_of_several_loop_counts_before_the_first_picture_the_last_counts() -> None:
    source = _gif(_loop(5), _loop(2), _picture(0), _loop(9), _picture(1))

    output = cleaned(source)

    assert opened(output).info["loop"] == opened(source).info["loop"] == 2


def test_a_loop_keeps_the_name_that_not_every_viewer_knows() -> None:
    source = _gif(_loop(3, b"ANIMEXTS1.0"), _picture(0), _picture(1))

    output = cleaned(source)

    assert _loop(3, b"ANIMEXTS1.0") in output
    assert "loop" not in opened(output).info


def test_an_apng_whose_first_frame_is_not_its_still_is_shown_as_a_still() -> None:
    rows = zlib.compress(b"\0\x55\xaa\x55\xaa" * 4)
    control = struct.pack(">IIIIIHHBB", 0, 2, 2, 0, 0, 1, 10, 0, 0)
    source = b"\x89PNG\r\n\x1a\n" + b"".join(
        images.chunk(kind, data)
        for kind, data in (
            (b"IHDR", struct.pack(">IIBBBBB", 4, 4, 8, 0, 0, 0, 0)),
            (b"acTL", struct.pack(">II", 1, 0)),
            (b"fcTL", control),
            (b"IDAT", rows),
            (b"IEND", b""),
        )
    )

    output = opened(cleaned(source))

    assert output.size == (4, 4)
    assert output.tobytes() == b"\x55\xaa\x55\xaa" * 4


@pytest.mark.parametrize("kind", [b"fcTL", b"fdAT"])
def test_a_frame_with_a_wrong_checksum_plays_as_viewers_play_it(kind: bytes) -> None:
    source = bytearray(images.animated_png())
    at = source.rindex(kind)
    end = at + 4 + int.from_bytes(source[at - 4 : at], "big")
    source[end : end + 4] = b"oops"

    changes = _changes(bytes(source), cleaned(bytes(source)))

    assert len(changes) == 3
    assert not any(changes)


@pytest.mark.parametrize("hidden_default", [False, True])
def test_an_apng_that_breaks_off_plays_as_far_as_it_goes(hidden_default: bool) -> None:
    whole = cleaned(images.animated_png(hidden_default=hidden_default))
    cut = whole[: whole.rindex(b"fdAT") + 20]

    output = cleaned(cut)

    shown = zip(frames(whole)[:-1], frames(output), strict=True)
    assert not any(difference(one, other) for (one, _), (other, _) in shown)
