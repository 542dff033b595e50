"""Whatever arrives as a film: a refusal or a clean copy, in little time and memory."""

import io
import struct
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.sanitizer.av.strip import identify, strip
from functions.sanitizer.verify.av import carriers
from infra.samples import video
from infra.samples.video import box
from schemas.errors import Rejected
from tests.functions.sanitizer.streams import Nowhere, Sparse

SAMPLES = [
    video.film(video.pictures(3), video.sound(3), video.titles()),
    video.film(video.pictures(3), video.sound(2), moov_first=False, brand=b""),
    video.fragmented(),
]
KINDS = (
    b"free mdat moov trak mdia minf stbl stsd stts stsc stsz stz2 stco co64 sdtp sgpd "
    b"sbgp udta meta ilst moof traf tfhd trun trex mvex sidx avcC hvcC av1C esds colr "
    b"tref chap vide soun text url "
).split(b" ")
WORDS = [
    *(bytes(4), b"\xff" * 4, b"\0\0\0\1", b"\0\0\0\x08", b"\x7f\xff\xff\xff"),
    *KINDS,
]


@st.composite
def spoiled(draw: st.DrawFn) -> bytes:
    """A film in which some bytes were changed, cut out or put in."""
    data = draw(st.sampled_from(SAMPLES))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(data)))
        gone = draw(st.sampled_from([0, 1, 4, 4, 4, 4, 30, len(data)]))
        word = draw(st.one_of(st.sampled_from(WORDS), st.binary(max_size=20)))
        data = data[:at] + word + data[at + gone :]
    return data


@given(spoiled())
@settings(max_examples=200, deadline=None)
def test_a_spoiled_film_is_refused_or_comes_out_clean(data: bytes) -> None:
    output = io.BytesIO()
    media_type = identify(io.BytesIO(data), "video/mp4")

    try:
        strip(io.BytesIO(data), output, media_type)
        left: list[str] | str = carriers(output, media_type)
    except Rejected as exc:
        left = exc.reason

    assert left in ([], "unreadable_audio")


@given(spoiled())
@settings(max_examples=100, deadline=None)
def test_the_second_reader_follows_any_film_to_an_answer(data: bytes) -> None:
    found = carriers(io.BytesIO(data), "video/mp4")

    assert all(isinstance(name, str) and name for name in found)


def refusal(data: bytes) -> str:
    with pytest.raises(Rejected) as caught:
        strip(io.BytesIO(data), io.BytesIO(), "video/mp4")
    assert caught.value.reason == "unreadable_audio"
    return str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "detail"),
    [
        (b"mvhd", b"cmov", "compressed"),
        (b"url \0\0\0\1", b"url \0\0\0\0", "outside of the file"),
        (b"avc1", b"encv", "not on the list"),
        (b"mp4a", b"enca", "not on the list"),
        (b"soun", b"musi", "not on the list"),
        (b"avc1", b"jpeg", "not on the list"),
        (b"stco", b"free", "where its samples lie"),
        (b"stsz", b"free", "where its samples lie"),
        (b"moov", b"free", "missing or cut off"),
        (b"\x05\x68\xce", b"\x05\x66\xce", "set-up of the pictures"),
    ],
)
def test_a_film_that_cannot_be_followed_is_refused(
    old: bytes, new: bytes, detail: str
) -> None:
    changed = SAMPLES[0].replace(old, new)

    assert detail in refusal(changed)
    assert changed != SAMPLES[0]


@pytest.mark.parametrize(
    ("old", "new", "detail"),
    [
        (b"trex", b"free", "does not name"),
        (b"tfhd", b"free", "no head"),
        (struct.pack(">3I", 0x201, 9, 0)[:8], struct.pack(">II", 0x201, 10), "broken"),
    ],
)
def test_a_fragment_that_cannot_be_followed_is_refused(
    old: bytes, new: bytes, detail: str
) -> None:
    changed = SAMPLES[2].replace(old, new)

    assert detail in refusal(changed)
    assert changed != SAMPLES[2]


def test_a_part_that_follows_one_that_goes_is_refused() -> None:
    # Without a base of its own it would lie elsewhere once the other is gone.
    part = box(b"traf", box(b"tfhd", 0, 2), box(b"trun", 0, 1))
    gone = box(b"traf", box(b"tfhd", 0, 3), box(b"trun", 0, 1))
    data = SAMPLES[2] + box(b"moof", box(b"mfhd", 0, 3), gone, part)

    assert "does not say where" in refusal(data)


@pytest.mark.parametrize(
    "data",
    [
        SAMPLES[0] + box(b"free") * 20_000,
        box(b"ftyp", b"isom", 0) + box(b"moov", box(b"trak") * 1_000),
        box(b"ftyp", b"isom", 0) + box(b"moov", box(b"abcd") * 10_000),
        SAMPLES[2] + box(b"mdat") * 20_000,
    ],
)
def test_a_crowd_of_tiny_boxes_is_refused_before_it_costs_time(data: bytes) -> None:
    assert "too many" in refusal(data)


def tables(*boxes: bytes) -> bytes:
    """Return a film of pictures with these tables instead of its own."""
    track = video.Track(b"vide", video.picture_coding(b"vp09"), [])
    whole = video.film(track, brand=b"isom")
    at = whole.index(b"stts") - 4
    stbl = whole.index(b"stbl") - 4
    end = stbl + int.from_bytes(whole[stbl : stbl + 4], "big")
    added = b"".join(boxes).ljust(end - at, b"\0")
    grown = len(added) - (end - at)
    data = bytearray(whole[:at] + added + whole[end:])
    for kind in (b"moov", b"trak", b"mdia", b"minf", b"stbl"):
        place = data.index(kind) - 4
        size = int.from_bytes(data[place : place + 4], "big") + grown
        data[place : place + 4] = size.to_bytes(4, "big")
    return bytes(data)


MOST = 0xFFFF_FFFF
TIMES = box(b"stts", 0, 1, MOST, 1)


@pytest.mark.parametrize(
    "data",
    [
        tables(
            TIMES,
            box(b"stsc", 0, 2, 1, MOST, 1, MOST, MOST, 1),
            box(b"stsz", 0, MOST, MOST),
            box(b"stco", 0, 3, 40, 40, 41),
        ),
        tables(
            TIMES,
            box(b"stsc", 0, 1, 1, 1, 1),
            box(b"stsz", 0, MOST, MOST),
            box(b"co64", 0, 3, MOST, MOST, 0, 0, MOST, MOST),
        ),
        tables(
            TIMES,
            box(b"stsc", 0, 1, 1, MOST, 1),
            box(b"stsz", 0, 0, 2, MOST, MOST),
            box(b"stco", 0, 40_000, *([60] * 40_000)),
        ),
    ],
)
def test_counts_and_overlaps_beyond_reason_cost_nothing(data: bytes) -> None:
    output = io.BytesIO()
    tracemalloc.start()

    strip(io.BytesIO(data), output, "video/mp4")

    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert carriers(output, "video/mp4") == []
    assert peak < 16 << 20


def test_memory_does_not_grow_with_the_film() -> None:
    size = 1 << 27
    data = tables(
        TIMES,
        box(b"stsc", 0, 1, 1, 1, 1),
        box(b"stsz", 0, 1 << 24, 2),
        box(b"co64", 0, 2, 0, 1 << 20, 0, 1 << 26),
    )
    head = data[: data.index(b"mdat") - 4]
    head += struct.pack(">I4sQ", 1, b"mdat", size - len(head))
    output = Nowhere()
    tracemalloc.start()

    strip(Sparse(head, size), output, "video/mp4")  # type: ignore[arg-type] # as a file

    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert output.size == size
    assert peak < 2 << 20
