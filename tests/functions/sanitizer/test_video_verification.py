"""The second reader names every byte too many in a film, whoever put it there."""

import io
from collections.abc import Callable

import pytest

from functions.sanitizer.av.strip import strip
from functions.sanitizer.verify.av import carriers
from infra.samples import video
from infra.samples.video import box


def clean(data: bytes) -> bytes:
    output = io.BytesIO()
    strip(io.BytesIO(data), output, "video/mp4")
    return output.getvalue()


FILM = clean(video.film(video.pictures(3), video.sound(3), video.titles()))
FRAGMENTS = clean(video.fragmented())


def found(data: bytes, media_type: str = "video/mp4") -> list[str]:
    return carriers(io.BytesIO(data), media_type)


def test_a_clean_film_has_no_carriers() -> None:
    assert found(FILM) == []
    assert found(FRAGMENTS) == []


def test_pictures_are_no_sound() -> None:
    names = found(FILM, "audio/mp4")

    assert names == ["a track of kind 'vide'"]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"isom" + bytes(4), b"isom\x26\4\1\1"),
        (b"isomisom", b"isomJane"),
        (b"mvhd" + bytes(8), b"mvhd\0\0\0\0date"),
        (b"mvhd\0\0\0\0", b"mvhd\0\0\0\1"),
        (b"tkhd\0\0\0\7" + bytes(8), b"tkhd\0\0\0\7\0\0\0\0date"),
        (b"tkhd\0\0\0\7", b"tkhd\0J\0\7"),
        (b"\0\0\0\1\0\0\0\0\0\0\7\xd0", b"\0\0\0\1Jane\0\0\7\xd0"),
        (b"mdhd" + bytes(8), b"mdhd\0\0\0\0date"),
        (b"vide" + bytes(12), b"vide\0\0\0\0Jane Roe"),
        (b"vide" + bytes(14), b"vide" + bytes(12) + b"JR"),
        (b"vide", b"text"),
        (b"avc1" + bytes(6), b"avc1Jane\0\0"),
        (b"\0\1\0\0\0\0\0\0\0\0", b"\0\1\0\0\0\0jane\0\0"),
        (b"\0\1" + bytes(32), b"\0\1" + b"coder".ljust(32, b"\0")),
        (b"pasp", b"jane"),
        (b"\x05\x68\xce", b"\x05\x66\xce"),
        (b"url \0\0\0\1", b"url \0\0\0\0"),
        (b"smhd" + bytes(8), b"smhd" + bytes(4) + b"Jane"),
        (b"elst\0\0\0\0\0\0\0\1", b"elst\0\0\0\0\0\0\0\0"),
        (b"ctts\0\0\0\0\0\0\0\1", b"ctts\0\0\0\0\0\0\0\0"),
        (b"stss\0\0\0\0\0\0\0\3", b"stss\0\0\0\0\0\0\0\2"),
        (b"stss", b"cprt"),
        (b"free" + bytes(8), b"free" + b"Jane Roe"),
    ],
)
def test_a_name_date_or_byte_too_many_in_a_film_is_named(
    old: bytes, new: bytes
) -> None:
    changed = FILM.replace(old, new, 1)

    assert changed != FILM
    assert found(changed)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"mfhd" + bytes(4), b"mfhdJane"),
        (b"tfdt" + bytes(4), b"tfdt\0JR\0"),
        (b"tfhd\0\2", b"tfhd\0\6"),
        (b"trun\0\0\0\1\0\0\0\5", b"trun\0\0\0\1\0\0\0\3"),
        (b"free" + bytes(8), b"free" + b"Jane Roe"),
        (b"sidx" + bytes(4), b"sidx\0JR\0"),
        (b"trex" + bytes(4), b"trex\0JR\0"),
        (b"trun", b"uuid"),
        (b"tfra" + bytes(4), b"tfra\0JR\0"),
        (b"mfro" + bytes(4), b"mfroJane"),
        (b"mfro", b"jane"),
    ],
)
def test_a_byte_too_many_in_a_fragment_is_named(old: bytes, new: bytes) -> None:
    changed = FRAGMENTS.replace(old, new, 1)

    assert changed != FRAGMENTS
    assert found(changed)


def into_media(data: bytes) -> bytes:
    at = data.index(b"mdat") + 10
    return data[:at] + b"x" + data[at + 1 :]


@pytest.mark.parametrize(
    "change",
    [
        into_media,
        lambda data: data + b"x",
        lambda data: data + box(b"free", b"hide"),
        lambda data: data + box(b"uuid", b"hide"),
        lambda data: data + box(b"mdat", b"hide"),
        lambda data: data + box(b"moov"),
        lambda data: data[: data.index(b"mdat") - 30],
        lambda data: data.replace(b"moov", b"free"),
    ],
)
def test_bytes_between_and_behind_samples_are_named(
    change: Callable[[bytes], bytes],
) -> None:
    changed = change(FILM)

    assert found(changed)


@pytest.mark.parametrize(
    "tags",
    [
        box(b"udta", box(b"\xa9nam", b"Jane")),
        box(b"udta", box(b"meta", 0, box(b"ilst", box(b"\xa9nam", b"Jane")))),
        box(b"udta", box(b"meta", 0, box(b"hdlr", 0, 0, b"mdirjane", bytes(9)))),
        box(b"udta", box(b"meta", 0, box(b"ilst", box(b"----", b"Jane")))),
    ],
)
def test_tags_are_named(tags: bytes) -> None:
    movie = FILM.index(b"moov") - 4
    size = int.from_bytes(FILM[movie : movie + 4], "big")
    space = FILM[: movie + size].rindex(b"free") - 4
    old = FILM[space : movie + size]

    changed = FILM.replace(old, tags + box(b"free", bytes(len(old) - len(tags) - 8)))

    assert len(changed) == len(FILM)
    assert any("tag" in name or "udta" in name for name in found(changed))
