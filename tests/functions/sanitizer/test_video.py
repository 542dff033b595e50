"""Films: titles, places, dates and names go; pictures, sound and their times stay."""

import io
import struct
from collections.abc import Callable, Iterator

import pytest

from functions.sanitizer.av.strip import identify, strip
from functions.sanitizer.findings import Finding
from functions.sanitizer.formats import sniff
from infra.samples import video
from infra.samples.audio import MARKER
from infra.samples.video import box
from tests.functions.sanitizer.judged import cleaned, findings, judged

FILMS: dict[str, tuple[str, bytes]] = {
    "mp4": ("video/mp4", video.film()),
    "mp4 with moov last": ("video/mp4", video.film(moov_first=False)),
    "mov": ("video/quicktime", video.film(brand=b"qt  ")),
    "mov without brands": ("video/quicktime", video.film(brand=b"")),
    "mov without brands, moov last": (
        "video/quicktime",
        video.film(brand=b"", moov_first=False),
    ),
    "3gp": ("video/3gpp", video.film(brand=b"3gp5")),
    "fragments": ("video/mp4", video.fragmented()),
}
ALL = pytest.mark.parametrize(("media_type", "data"), FILMS.values(), ids=FILMS)
_CONTAINERS = b"moov trak mdia minf stbl edts moof traf mvex dinf udta".split()


def boxes(data: bytes, start: int = 0) -> Iterator[tuple[bytes, bytes]]:
    """Return all boxes with their contents, in their order."""
    while start < len(data):
        size, kind = struct.unpack_from(">I4s", data, start)
        content = data[start + 8 : start + (size or len(data))]
        yield kind, content
        if kind in _CONTAINERS:
            yield from boxes(content)
        start += size or len(data)


def contents(data: bytes, *kinds: bytes) -> list[bytes]:
    return [content for kind, content in boxes(data) if kind in kinds]


@ALL
def test_nothing_identifying_is_left_in_a_film(media_type: str, data: bytes) -> None:
    output = cleaned(data)

    assert MARKER in data
    assert MARKER[:8] not in output
    assert b"jane" not in output


@ALL
def test_a_film_keeps_its_length_and_type(media_type: str, data: bytes) -> None:
    result, output = judged(data)

    assert result.media_type == media_type
    assert len(output) == len(data)


@ALL
def test_dates_are_zero(media_type: str, data: bytes) -> None:
    output = cleaned(data)

    dates = {head[4:12] for head in contents(output, b"mvhd", b"tkhd", b"mdhd")}
    assert dates == {bytes(8)}


@ALL
def test_pictures_and_sound_lie_bit_by_bit_where_they_lay(
    media_type: str, data: bytes
) -> None:
    output = cleaned(data)

    samples = {*video.pictures().samples, *video.sound().samples}
    places = [at for at in range(len(data)) if data[at : at + 24] in samples]
    places += [at for at in range(len(data)) if data[at : at + 9] in samples]
    assert len(places) > 20
    assert all(output[at : at + 9] == data[at : at + 9] for at in places)


TABLES = [b"stts", b"ctts", b"stsc", b"stsz", b"stco", b"stss", b"elst"]


@ALL
def test_the_tables_of_the_tracks_that_stay_are_as_they_were(
    media_type: str, data: bytes
) -> None:
    output = cleaned(data)

    before, after = contents(data, b"trak")[:2], contents(output, b"trak")
    assert [contents(track, *TABLES) for track in after] == [
        contents(track, *TABLES) for track in before
    ]


def test_the_times_of_fragments_and_their_index_stay_as_they_were() -> None:
    data = video.fragmented()

    output = cleaned(data)

    parts, left = contents(data, b"traf"), contents(output, b"traf")
    heads = [b"tfhd", b"tfdt", b"trun"]
    stay = [contents(part, *heads) for part in parts if b"tfhd" in part[:8]]
    assert [contents(part, *heads) for part in left] == stay[0:2] + stay[3:5]
    indexes = [b"sidx", b"mfra", b"trex"]
    assert contents(output, *indexes) == contents(data, *indexes)


def test_an_index_that_was_cut_stays_cut() -> None:
    data = video.fragmented()
    cut = data[: data.index(b"sidx") + 40]

    result, output = judged(cut)

    assert result.verdict == "clean"
    assert output[-40:] == cut[-40:]


def test_a_film_stays_turned_as_it_was() -> None:
    data = video.film(video.pictures(matrix=video.QUARTER_TURN))

    head = contents(cleaned(data), b"tkhd")[0]

    assert struct.unpack_from(">9i", head, 40) == video.QUARTER_TURN
    assert head[76:84] == struct.pack(">HHHH", 64, 0, 48, 0)


def test_the_languages_of_tracks_stay() -> None:
    output = cleaned(video.film())

    assert {head[20:22] for head in contents(output, b"mdhd")} == {b"\x15\xc7"}


def test_what_was_found_in_a_film_is_named_by_kind() -> None:
    kinds = findings(video.film())

    assert kinds == {
        *(Finding.APPLICATION_DATA, Finding.AUDIO_TAGS, Finding.GPS_POSITION),
        *(Finding.PADDING, Finding.TEXT, Finding.TIMESTAMP, Finding.XMP),
    }


def test_a_clean_film_comes_out_as_it_is() -> None:
    once = cleaned(video.film())

    result, twice = judged(once)

    assert twice == once
    assert result.findings == []


@pytest.mark.parametrize("make", [video.titles, video.places, video.timecode])
def test_a_track_that_is_neither_seen_nor_heard_goes_with_its_samples(
    make: Callable[[], video.Track],
) -> None:
    data = video.film(video.pictures(3), make())

    output = cleaned(data)

    media = contents(output, b"mdat")[0]
    left = b"".join(video.pictures(3).samples)
    assert media.replace(b"\0", b"") == left.replace(b"\0", b"")


def test_a_still_beside_the_film_goes() -> None:
    cover = video.Track(b"vide", video.picture_coding(b"jpeg"), [b"\xff\xd8" + MARKER])

    data = video.film(video.pictures(3), cover)

    assert Finding.COVER_PICTURE in findings(data)
    assert MARKER not in cleaned(data)


def test_chapters_with_pictures_go() -> None:
    chapter = box(b"tref", box(b"chap", 2))
    sound = video.sound()
    book = video.Track(sound.handler, sound.coding, sound.samples, more=chapter)

    result, output = judged(video.film(book, video.pictures(2)))

    assert result.media_type == "audio/mp4"
    assert video.pictures().samples[0] not in output


def hevc(*units: tuple[int, bytes]) -> bytes:
    arrays = [
        bytes((kind,)) + struct.pack(">HH", 1, len(unit)) + unit for kind, unit in units
    ]
    return box(b"hvcC", b"\1" + bytes(21) + bytes([len(units)]), *arrays)


def test_messages_of_the_coder_leave_the_parameter_sets_and_light_levels_stay() -> None:
    sets = (32, b"\x40\1set")
    light = (39, b"\x4e\1" + bytes((144, 4, 1, 2, 3, 4, 0x80)))
    signed = (39, b"\x4e\1" + bytes((5, len(MARKER))) + MARKER + b"\x80")
    coding = video.picture_coding(b"hvc1", hevc(sets, signed, light))

    output = cleaned(video.film(video.Track(b"vide", coding, [b"frame"])))

    assert hevc(sets, light) in output
    assert MARKER not in output


def test_a_sound_of_several_bytes_a_sample_is_kept_whole() -> None:
    fields = struct.pack(">6xHHH4sHHHHI", 1, 0, 0, b"", 2, 16, 0, 0, 44_100 << 16)
    samples = bytes(range(1, 201))
    track = video.Track(b"soun", box(b"sowt", fields), [samples], duration_ms=50)
    data = video.film(track, brand=b"qt  ")
    new = data.replace(box(b"stsz", 0, 0, 1, 200), box(b"stsz", 0, 1, 50, 0))
    new = new.replace(box(b"stsc", 0, 1, 1, 1, 1), box(b"stsc", 0, 1, 1, 50, 1))
    new = new.replace(box(b"stts", 0, 1, 1, 50), box(b"stts", 0, 1, 50, 1))

    output = cleaned(new)

    assert samples in output


@pytest.mark.parametrize(
    ("data", "media_type"),
    [
        (video.film(video.sound()), "audio/mp4"),
        (video.film(video.sound(), brand=b"qt  "), "audio/mp4"),
        (video.film(video.pictures(2), brand=b"M4A "), "video/mp4"),
        (video.film(video.pictures(2), brand=b"3g2a"), "video/3gpp"),
    ],
)
def test_a_film_is_told_from_sound_by_its_tracks(data: bytes, media_type: str) -> None:
    identified = identify(io.BytesIO(data), sniff(data[:4096]).media_type)

    assert identified == media_type


@pytest.mark.parametrize(
    "data",
    [
        b"\0\0\1\0mdat" + bytes(100),
        b"\0\0\0\x08wide" + b"a letter",
        b"\0\0\0\x10moov\0\0\0\x08udta",
        b"free",
        b"\0\0\0\x20moovies are fun to watch, often",
    ],
)
def test_what_only_starts_like_quicktime_passes_or_not_by_policy(data: bytes) -> None:
    result, output = judged(data)

    assert (result.verdict, output) == ("passed", data)


def test_a_picture_in_a_film_never_passes_unseen() -> None:
    photo = b"\xff\xd8\xff\xe1\0\x20Exif\0\0" + bytes(100)
    coding = video.picture_coding(b"jpeg")
    data = video.film(video.Track(b"vide", coding, [photo, photo]))

    result, _ = judged(data)

    assert (result.verdict, result.reason) == ("held", "hidden_image")


def test_the_stripper_and_the_pipeline_agree() -> None:
    output = io.BytesIO()

    strip(io.BytesIO(video.film()), output, "video/mp4")

    assert output.getvalue() == cleaned(video.film())
